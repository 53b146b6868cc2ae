"""Similarity of words where they stand: avgSim, avgSimC and localSim.

Let S be the matrix of cosines between the senses of two words, K1 x K2, and p, q how probable each
sense is in the context of its word:

    avgSim   = mean of S                     no context used
    avgSimC  = p' S q                        expectation over the senses in context
    localSim = S[argmax p, argmax q]         the one sense in each context

avgSim and avgSimC are of Reisinger and Mooney, "Multi-prototype vector-space models of word
meaning", NAACL 2010, and Huang, Socher, Manning and Ng, "Improving word representations via global
context and multiple word prototypes", ACL 2012, whose data (SCWS) the reader reads; p and q sum to
1 as in Neelakantan, Shankar, Passos and McCallum, "Efficient non-parametric estimation of multiple
embeddings per word in vector space", EMNLP 2014, which also has localSim. For words with one
vector all three are the cosine.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._check import check_count
from ..text import Tokenizer
from ..vectors import SenseVectors, WordVectors
from ._lines import bad_line, numbered_lines, parsed_score
from ._models import sense_chances, sense_units, vectors_of, word_finder
from .words import spearman

__all__ = [
    "ContextPair",
    "ContextualSimilarityResult",
    "average_similarities",
    "evaluate_contextual_similarity",
    "read_contextual_similarity",
]

_MARKED = re.compile(r"(.*)<b>(.*)</b>(.*)", re.DOTALL)
_FIELDS = 8  # id, word, part of speech, word, part of speech, two contexts, mean score


@dataclass(frozen=True)
class ContextPair:
    """Two words in their contexts, and how similar people found them there.

    Attributes
    ----------
    a, b : str
        The words as the file has them.
    tokens_a, tokens_b : list of str
        Their contexts, with the word itself in its place.
    position_a, position_b : int
        That place.
    score : float
    """

    a: str
    b: str
    tokens_a: list[str]
    position_a: int
    tokens_b: list[str]
    position_b: int
    score: float


@dataclass(frozen=True)
class ContextualSimilarityResult:
    """Rank correlations with the scores that people gave to words in context.

    Attributes
    ----------
    avg_sim, avg_sim_c, local_sim : float
        Spearman's coefficient of each of the three similarities; the module defines them.
    coverage : float
        Share of the pairs whose words are both known; NaN without pairs.
    n_pairs : int
        Pairs that were scored.
    """

    avg_sim: float
    avg_sim_c: float
    local_sim: float
    coverage: float
    n_pairs: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the attributes as a dict."""
        return asdict(self)


def read_contextual_similarity(
    path: str | os.PathLike[str], *, tokenizer: Callable[[str], Sequence[str]] | None = None
) -> list[ContextPair]:
    """Return the pairs of a file in the form of SCWS (Stanford's contextual word similarities).

    Parameters
    ----------
    path : path
        UTF-8, gzip or not. The fields, separated by tabs: number, word, part of speech, word, part
        of speech, context of the first word, of the second, mean score, scores of raters. In each
        context the word is marked ``<b> word </b>``.
    tokenizer : callable, optional
        Cuts the text on both sides of the mark; by default a `Tokenizer`. The marked word is one
        token, whatever the tokenizer would make of it.

    Returns
    -------
    list of ContextPair

    Raises
    ------
    FormatError
        If a line is not that, a context does not mark its word exactly once, or there is no line;
        it names the line.
    OSError
        If the file cannot be read.
    """
    cut = Tokenizer() if tokenizer is None else tokenizer
    pairs = []
    for number, line in numbered_lines(path):
        fields = line.split("\t")
        if len(fields) < _FIELDS or not (fields[1].strip() and fields[3].strip()):
            raise bad_line(path, number, f"at least {_FIELDS} fields with two words", line)
        a, b = fields[1].strip(), fields[3].strip()
        left, right = (
            _marked(path, number, word, context, cut)
            for word, context in ((a, fields[5]), (b, fields[6]))
        )
        pairs.append(ContextPair(a, b, *left, *right, parsed_score(path, number, fields[7])))
    if not pairs:
        raise bad_line(path, 1, f"at least {_FIELDS} fields with two words", "")
    return pairs


def _marked(
    path: str | os.PathLike[str],
    number: int,
    word: str,
    context: str,
    cut: Callable[[str], Sequence[str]],
) -> tuple[list[str], int]:
    """Return the tokens of a context with `word` in its place, and that place."""
    found = _MARKED.fullmatch(context)
    if (
        context.count("<b>") != 1
        or context.count("</b>") != 1
        or found is None
        or found[2].strip().lower() != word.lower()
    ):
        raise bad_line(path, number, f"one that marks <b> {word} </b> once", context)
    left, right = list(cut(found[1])), list(cut(found[3]))
    return [*left, word, *right], len(left)


def average_similarities(
    vectors: WordVectors, lefts: Sequence[str], rights: Sequence[str]
) -> npt.NDArray[np.float64]:
    """Return avgSim of pairs of known words; for words with one vector, the cosines."""
    if not isinstance(vectors, SenseVectors):
        return np.asarray(vectors.similarities(lefts, rights), np.float64)
    means = [
        (sense_units(vectors, a) @ sense_units(vectors, b).T).mean()
        for a, b in zip(lefts, rights, strict=True)
    ]
    return np.array(means, np.float64)


def evaluate_contextual_similarity(
    model: Any,
    pairs: Iterable[ContextPair],
    *,
    by: str = "cosine",
    window: int | None = None,
) -> ContextualSimilarityResult:
    """Compare words in context with the scores that people gave them there.

    Parameters
    ----------
    model : WordVectors, SenseVectors, or a fitted model that has them as `wv`
    pairs : iterable of ContextPair
        As `read_contextual_similarity` returns them. Pairs with an unknown word are left out of the
        correlations and count against the coverage.
    by : {"cosine", "likelihood", "gate"}, default "cosine"
        What tells the senses from their context; see `DisambiguatedSkipGram.disambiguate`. Sense
        vectors without their model know the cosine to the unweighted mean of the context only. Of
        no effect on words with one vector.
    window : int, optional
        Tokens on each side that are looked at; by default the whole context.

    Returns
    -------
    ContextualSimilarityResult
    """
    vectors = vectors_of(model)
    pairs = list(pairs)
    found = word_finder(vectors)
    known = [
        (pair, a, b)
        for pair, a, b in ((pair, found(pair.a), found(pair.b)) for pair in pairs)
        if a is not None and b is not None
    ]
    contexts = [
        windowed(tokens, position, word, window)
        for pair, a, b in known
        for tokens, position, word in (
            (pair.tokens_a, pair.position_a, a),
            (pair.tokens_b, pair.position_b, b),
        )
    ]
    chances = sense_chances(model, [c[0] for c in contexts], [c[1] for c in contexts], by)
    ours = np.empty((len(known), 3))
    for i, (_, a, b) in enumerate(known):
        cosines = sense_units(vectors, a) @ sense_units(vectors, b).T
        p, q = chances[2 * i][: cosines.shape[0]], chances[2 * i + 1][: cosines.shape[1]]
        ours[i] = cosines.mean(), p @ cosines @ q, cosines[p.argmax(), q.argmax()]
    theirs = [pair.score for pair, _, _ in known]
    return ContextualSimilarityResult(
        avg_sim=spearman(ours[:, 0], theirs),
        avg_sim_c=spearman(ours[:, 1], theirs),
        local_sim=spearman(ours[:, 2], theirs),
        coverage=len(known) / len(pairs) if pairs else float("nan"),
        n_pairs=len(known),
    )


def windowed(
    tokens: Sequence[str], position: int, word: str, window: int | None
) -> tuple[list[str], int]:
    """Return the tokens within the window, with `word` in its place, and that place."""
    first = 0
    stop = len(tokens)
    if window is not None:
        check_count("window", window)
        first, stop = max(0, position - window), min(stop, position + window + 1)
    return [*tokens[first:position], word, *tokens[position + 1 : stop]], position - first
