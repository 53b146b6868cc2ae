"""English function words: they say how a text is built, not what it is about.

Pronouns, determiners, auxiliary verbs, prepositions, conjunctions, question words, the adverbs of
degree, place and time that go with any subject, and the pieces that a tokeniser leaves of
contractions ("don't" gives "don" and "t").
"""

from __future__ import annotations

__all__ = ["ENGLISH"]

_PRONOUNS = """
i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself
she her hers herself it its itself they them their theirs themselves one ones oneself
someone somebody something anyone anybody anything everyone everybody everything nobody nothing none
"""
_DETERMINERS = """
a an the this that these those some any each every either neither no such both all another other
others few many much more most several own same enough
"""
_AUXILIARIES = """
am is are was were be been being have has had having do does did doing done can could may might must
shall should will would ought cannot
"""
_PREPOSITIONS = """
about above across after against along amid among around as at before behind below beneath beside
besides between beyond by despite down during except for from in inside into like near of off on
onto out outside over per since through throughout till to toward towards under until up upon via
with within without
"""
_CONJUNCTIONS = """
and but or nor so yet if then than because although though while whereas unless whether however
therefore thus hence otherwise moreover nevertheless
"""
_QUESTIONS = """
who whom whose which what when where why how whoever whatever whichever whenever wherever
"""
_ADVERBS = """
not only very too also just even still again already always never ever often sometimes perhaps maybe
quite rather almost else here there now once elsewhere anyway indeed
"""
_CONTRACTIONS = """
s t d m ll re ve don didn doesn isn aren wasn weren hasn haven hadn couldn wouldn shouldn mustn
needn ain
"""

_LISTS = [
    _PRONOUNS,
    _DETERMINERS,
    _AUXILIARIES,
    _PREPOSITIONS,
    _CONJUNCTIONS,
    _QUESTIONS,
    _ADVERBS,
    _CONTRACTIONS,
]

ENGLISH = frozenset(" ".join(_LISTS).split())
