"""Word sense induction: do the senses of a model divide contexts as people divided them?

Each word is a clustering of its instances, gold against predicted, scored by itself; the measures
of a data set are plain means over its words, as ARI is published. V-measure and paired F-score of
SemEval-2010 are published as means that weight each word by its instances; these are given too.
Two things can mislead, and both are reported:

* A word whose instances all have one gold sense gives an ARI of 1 to a model that has one sense,
  and 0 to any other. SemEval-2007 has 11 such words of 100, so that one cluster for everything
  "reaches" 0.11. The means are therefore given over all words and over the others alone.
* V-measure rises and paired F-score falls with the number of clusters: see that number.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .._check import check_option
from .._text_files import TextFiles
from ..errors import FormatError
from ._lines import bad_line, numbered_lines
from ._models import sense_chances, vectors_of, word_finder
from .clusterings import adjusted_rand_index, paired_f_score, v_measure
from .contexts import windowed

__all__ = [
    "SenseInductionResult",
    "SenseInstance",
    "WordScores",
    "evaluate_sense_induction",
    "read_sense_induction",
    "sense_induction_scores",
]


@dataclass(frozen=True)
class SenseInstance:
    """An occurrence of a word, and the sense that people gave it.

    Attributes
    ----------
    word : str
        Lemma and part of speech, for example ``"access.n"``.
    id : str
        For example ``"access.n.15"``.
    senses : tuple of str
        One, or more where people could not decide.
    tokens : list of str
        The context, with the lemma in the place of the word.
    position : int
        That place.
    """

    word: str
    id: str
    senses: tuple[str, ...]
    tokens: list[str]
    position: int

    @property
    def lemma(self) -> str:
        """The word without its part of speech."""
        return _lemma(self.word)


@dataclass(frozen=True)
class WordScores:
    """The measures of one word.

    Attributes
    ----------
    ari, v_measure, paired_f : float
    n_instances : int
    n_gold, n_predicted : int
        Senses that occur.
    """

    ari: float
    v_measure: float
    paired_f: float
    n_instances: int
    n_gold: int
    n_predicted: int


@dataclass(frozen=True)
class SenseInductionResult:
    """Means over words, and the measures of each word.

    Attributes
    ----------
    ari, v_measure, paired_f : float
        Means over all words that were scored, NaN where there are none.
    ari_ambiguous, v_measure_ambiguous, paired_f_ambiguous : float
        Means over the words with at least two gold senses.
    v_measure_weighted, paired_f_weighted : float
        Means over all words, each weighted by its instances.
    mean_senses : float
        Mean number of predicted senses that occur.
    n_words, n_ambiguous, n_instances : int
        Words that were scored, those with at least two gold senses, instances of all words.
    words : dict of str to WordScores
    unknown : list of str
        Words that the model does not know.
    n_undecided : int
        Instances with several gold senses; they are left out.
    """

    ari: float
    v_measure: float
    paired_f: float
    ari_ambiguous: float
    v_measure_ambiguous: float
    paired_f_ambiguous: float
    v_measure_weighted: float
    paired_f_weighted: float
    mean_senses: float
    n_words: int
    n_ambiguous: int
    n_instances: int
    words: dict[str, WordScores]
    unknown: list[str] = field(default_factory=list)
    n_undecided: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes as a dict, those of the words as dicts within it."""
        return asdict(self)


def read_sense_induction(
    dataset: str | os.PathLike[str],
    key: str | os.PathLike[str],
    *,
    tokenizer: Callable[[str], Sequence[str]] | None = None,
) -> list[SenseInstance]:
    """Return the instances of a data set in the form of AdaGram's SemEval files.

    Parameters
    ----------
    dataset : path
        UTF-8, gzip or not. For each word a line ``word.pos COUNT``, then COUNT lines
        ``left<TAB>right``, the context without the word itself.
    key : path
        Lines ``word.pos word.pos.ID sense``, in any order: ID counts the contexts of the word from
        1, in the order of the data set. Several senses are joined by ``&&``. Contexts without a key
        are left out.
    tokenizer : callable, optional
        Cuts the text on both sides of the word; by default at white space.

    Returns
    -------
    list of SenseInstance
        In the order of the data set.

    Raises
    ------
    FormatError
        If a line is not as above, a word or an instance occurs twice, the data set ends early, or a
        key is of no context; it names the line.
    OSError
        If a file cannot be read.
    """
    cut = str.split if tokenizer is None else tokenizer
    senses = _read_key(key)
    instances = []
    for identifier, left, right in _read_contexts(dataset):
        if identifier in senses:
            _, found = senses.pop(identifier)
            word = identifier.rpartition(".")[0]
            before, after = list(cut(left)), list(cut(right))
            tokens = [*before, _lemma(word), *after]
            instances.append(SenseInstance(word, identifier, found, tokens, len(before)))
    for identifier, (number, _) in senses.items():
        raise bad_line(key, number, f"of a context of {os.fspath(dataset)}", identifier)
    return instances


def _lemma(word: str) -> str:
    return word.rpartition(".")[0] or word


def _read_key(path: str | os.PathLike[str]) -> dict[str, tuple[int, tuple[str, ...]]]:
    """Return the line and the senses of each instance."""
    senses: dict[str, tuple[int, tuple[str, ...]]] = {}
    for number, line in numbered_lines(path):
        fields = line.split()
        if len(fields) != 3 or fields[1].rpartition(".")[0] != fields[0]:
            raise bad_line(path, number, "word.pos word.pos.ID sense", line)
        if fields[1] in senses:
            raise bad_line(path, number, "of an instance that has no key yet", line)
        found = tuple(fields[2].split("&&"))
        if not all(found):
            raise bad_line(path, number, "one with senses between &&", line)
        senses[fields[1]] = number, found
    if not senses:
        raise bad_line(path, 1, "word.pos word.pos.ID sense", "")
    return senses


def _read_contexts(path: str | os.PathLike[str]) -> Iterator[tuple[str, str, str]]:
    """Yield (word.pos.ID, left, right) of each context."""
    word, left_to_read, index = "", 0, 0
    seen: set[str] = set()
    number = 0
    for number, line in enumerate(TextFiles(path), 1):
        if left_to_read:
            sides = line.split("\t")
            if len(sides) != 2:
                raise bad_line(path, number, f"left<TAB>right, a context of {word}", line)
            index += 1
            left_to_read -= 1
            yield f"{word}.{index}", sides[0], sides[1]
        elif line.strip():
            fields = line.split()
            if len(fields) != 2 or not (fields[1].isascii() and fields[1].isdigit()):
                raise bad_line(path, number, "word.pos COUNT", line)
            word, left_to_read, index = fields[0], int(fields[1]), 0
            if word in seen:
                raise bad_line(path, number, "a word that did not come before", line)
            seen.add(word)
    if left_to_read:
        raise FormatError(
            f"{os.fspath(path)} is cut short: {left_to_read} contexts of {word} are missing "
            f"after line {number}"
        )


def sense_induction_scores(
    gold: Mapping[str, Sequence[Any]], predicted: Mapping[str, Sequence[Any]]
) -> SenseInductionResult:
    """Score predicted senses against gold ones, word by word.

    Parameters
    ----------
    gold, predicted : mappings of word to labels
        The same words, and for each as many labels: one per instance, of any hashable kind.

    Returns
    -------
    SenseInductionResult
        Every word is scored, the last one too.

    Raises
    ------
    ValueError
        If words or numbers of labels differ.
    """
    if set(gold) != set(predicted):
        word = min(set(gold) ^ set(predicted), key=str)
        raise ValueError(f"`predicted` must have the words of `gold`, {word!r} is in one only")
    words = {}
    for word, labels in gold.items():
        answers = predicted[word]
        if len(labels) != len(answers) or not len(labels):
            raise ValueError(
                f"`predicted` must have a label for each instance of {word!r}, {len(labels)} and "
                f"at least 1, got {len(answers)}"
            )
        words[word] = WordScores(
            adjusted_rand_index(labels, answers),
            v_measure(labels, answers),
            paired_f_score(labels, answers),
            len(labels),
            len(set(labels)),
            len(set(answers)),
        )
    return _means(words)


def _means(words: dict[str, WordScores]) -> SenseInductionResult:
    every = list(words.values())
    ambiguous = [scores for scores in every if scores.n_gold > 1]

    def mean(of: list[WordScores], name: str, weighted: bool = False) -> float:
        weights = [scores.n_instances for scores in of] if weighted else None
        return _mean([getattr(scores, name) for scores in of], weights)

    return SenseInductionResult(
        ari=mean(every, "ari"),
        v_measure=mean(every, "v_measure"),
        paired_f=mean(every, "paired_f"),
        ari_ambiguous=mean(ambiguous, "ari"),
        v_measure_ambiguous=mean(ambiguous, "v_measure"),
        paired_f_ambiguous=mean(ambiguous, "paired_f"),
        v_measure_weighted=mean(every, "v_measure", weighted=True),
        paired_f_weighted=mean(every, "paired_f", weighted=True),
        mean_senses=mean(every, "n_predicted"),
        n_words=len(every),
        n_ambiguous=len(ambiguous),
        n_instances=sum(scores.n_instances for scores in every),
        words=words,
    )


def _mean(values: list[float], weights: list[int] | None) -> float:
    weights = [1] * len(values) if weights is None else weights
    total = math.fsum(v * w for v, w in zip(values, weights, strict=True))
    return total / sum(weights) if weights else math.nan


def evaluate_sense_induction(
    model: Any,
    instances: Iterable[SenseInstance],
    *,
    by: str = "cosine",
    window: int | None = None,
    unknown: str = "skip",
) -> SenseInductionResult:
    """Let a model choose a sense for each instance, and score the choices against people's.

    The model sees the lemma in its context; the form that stood in the text is not in the data.

    Parameters
    ----------
    model : WordVectors, SenseVectors, or a fitted model that has them as `wv`
        Words with one vector put all their instances into one cluster.
    instances : iterable of SenseInstance
        As `read_sense_induction` returns them. Those with several gold senses are left out.
    by : {"cosine", "likelihood", "gate"}, default "cosine"
        What chooses; see `DisambiguatedSkipGram.disambiguate`. Sense vectors without their model
        (`model.wv`) choose by the cosine to the unweighted mean of the context, the rule behind the
        published numbers of the Disambiguated Skip-gram.
    window : int, optional
        Tokens on each side that are looked at; by default the whole context, as published.
    unknown : {"skip", "one"}, default "skip"
        What becomes of words that the model does not know: left out, or scored as one cluster.

    Returns
    -------
    SenseInductionResult
    """
    check_option("unknown", unknown, ("skip", "one"))
    found = word_finder(vectors_of(model))
    gold: dict[str, list[str]] = {}
    predicted: dict[str, list[int]] = {}
    missing: dict[str, None] = {}
    asked: list[tuple[str, tuple[list[str], int]]] = []
    undecided = 0
    for instance in instances:
        if len(instance.senses) != 1:
            undecided += 1
            continue
        form = found(instance.lemma)
        if form is None:
            missing[instance.word] = None
            if unknown == "skip":
                continue
            predicted.setdefault(instance.word, []).append(0)
        else:
            context = windowed(instance.tokens, instance.position, form, window)
            asked.append((instance.word, context))
        gold.setdefault(instance.word, []).append(instance.senses[0])
    contexts = [context for _, context in asked]
    chances = sense_chances(model, [c[0] for c in contexts], [c[1] for c in contexts], by)
    for (word, _), chance in zip(asked, chances, strict=True):
        predicted.setdefault(word, []).append(int(chance.argmax()))
    scores = sense_induction_scores(gold, predicted)
    return replace(scores, unknown=list(missing), n_undecided=undecided)
