"""Word similarity and analogies: how far the vectors of words agree with what people said.

Words of the test sets are looked up as they are written, and in lower case where that fails, so
that "London" is found by vectors of lower-cased text and by others.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._check import check_count, check_option
from ._lines import bad_line, numbered_lines, parsed_score

if TYPE_CHECKING:
    from ..vectors import WordVectors

__all__ = [
    "AnalogyResult",
    "AnalogySection",
    "SimilarityResult",
    "evaluate_analogies",
    "evaluate_similarity",
    "read_analogies",
    "read_similarity",
    "spearman",
]


@dataclass(frozen=True)
class SimilarityResult:
    """Agreement with the scores that people gave to pairs of words.

    Attributes
    ----------
    spearman : float
        Rank correlation over the pairs that were scored, ties by average ranks; NaN with fewer
        than two pairs, or where all scores of one side are equal.
    coverage : float
        Share of the pairs whose words are both known; NaN without pairs.
    n_pairs : int
        Pairs that were scored.
    """

    spearman: float
    coverage: float
    n_pairs: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the attributes as a dict."""
        return asdict(self)


@dataclass(frozen=True)
class AnalogySection:
    """A titled group of questions.

    Attributes
    ----------
    name : str
    questions : list of (str, str, str, str)
        a is to b as c is to d, and d is the answer.
    """

    name: str
    questions: list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class AnalogyResult:
    """How often the right word came first, and how near the front it was.

    Attributes
    ----------
    accuracy : float
        Share of the counted questions whose answer came first; NaN where none counts.
    mrr : float
        Mean of 1 / rank of the answer over the counted questions.
    coverage : float
        Share of all questions whose four words are known (and allowed); NaN without questions.
    n_questions : int
        Questions that count.
    sections : dict of str to AnalogyResult
        The same for each section; empty within a section.
    """

    accuracy: float
    mrr: float
    coverage: float
    n_questions: int
    sections: dict[str, AnalogyResult]

    def as_dict(self) -> dict[str, Any]:
        """Return the attributes as a dict, the sections as dicts within it."""
        return asdict(self)


def spearman(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return the rank correlation of two lists: Pearson's of their ranks, ties by average rank.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Real numbers without NaN.

    Returns
    -------
    float
        Within [-1, 1]; NaN for fewer than two values, or where one list is constant.

    Raises
    ------
    ValueError
        For lists of different lengths, or NaN.

    Examples
    --------
    >>> spearman([1, 2, 3, 4], [1, 3, 2, 4])
    0.8
    """
    ranks = []
    for name, values in (("x", x), ("y", y)):
        array = np.asarray(values, dtype=np.float64)
        if array.ndim != 1:
            raise ValueError(f"`{name}` must have 1 dimension, got {array.ndim}")
        if np.isnan(array).any():
            raise ValueError(f"`{name}` must hold no NaN")
        ranks.append(_centred_ranks(array))
    left, right = ranks
    if len(left) != len(right):
        raise ValueError(f"`y` must have the length of `x`, {len(left)}, got {len(right)}")
    # Ranks are halves and their sums are exact, so equal orders give exactly 1.
    scale = math.sqrt(float(left @ left) * float(right @ right))
    return float(left @ right) / scale if scale > 0 else math.nan


def _centred_ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the average ranks minus their mean."""
    _, numbers, counts = np.unique(values, return_inverse=True, return_counts=True)
    average = np.cumsum(counts) - (counts - 1) / 2
    ranks: npt.NDArray[np.float64] = average[numbers.reshape(-1)] - (len(values) + 1) / 2
    return ranks


def read_similarity(path: str | os.PathLike[str]) -> list[tuple[str, str, float]]:
    """Return the pairs of a word similarity file, such as WordSim-353, SimLex-999 or RG-65.

    Parameters
    ----------
    path : path
        UTF-8, gzip or not; a line is ``word<TAB>word<TAB>score``. Blank lines are passed over.

    Returns
    -------
    list of (str, str, float)

    Raises
    ------
    FormatError
        If a line is not that, or the file holds no pair; it names the line.
    OSError
        If the file cannot be read.
    """
    pairs = []
    for number, line in numbered_lines(path):
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) != 3 or not all(fields):
            raise bad_line(path, number, "word<TAB>word<TAB>score", line)
        pairs.append((fields[0], fields[1], parsed_score(path, number, fields[2])))
    if not pairs:
        raise bad_line(path, 1, "word<TAB>word<TAB>score", "")
    return pairs


def evaluate_similarity(
    vectors: WordVectors, pairs: Iterable[tuple[str, str, float]]
) -> SimilarityResult:
    """Compare the cosines of pairs of words with scores that people gave them.

    Parameters
    ----------
    vectors : WordVectors
        For `SenseVectors` the similarity of two words is the mean over all pairs of their senses
        (avgSim; see `evaluate_contextual_similarity`).
    pairs : iterable of (str, str, float)
        As `read_similarity` returns them. Pairs with an unknown word are left out of the
        correlation and count against the coverage.

    Returns
    -------
    SimilarityResult
    """
    from ._models import word_finder
    from .contexts import average_similarities  # it needs `spearman` from here

    pairs = list(pairs)
    found = word_finder(vectors)
    known = [
        (left, right, score)
        for left, right, score in ((found(a), found(b), float(score)) for a, b, score in pairs)
        if left is not None and right is not None
    ]
    lefts, rights = [pair[0] for pair in known], [pair[1] for pair in known]
    ours = average_similarities(vectors, lefts, rights)
    return SimilarityResult(
        spearman=spearman(ours, [pair[2] for pair in known]),
        coverage=len(known) / len(pairs) if pairs else float("nan"),
        n_pairs=len(known),
    )


def read_analogies(path: str | os.PathLike[str]) -> list[AnalogySection]:
    """Return the questions of an analogy file in the form of Google's questions-words.

    Parameters
    ----------
    path : path
        UTF-8, gzip or not; ``: name`` begins a section, each other line is four words.

    Returns
    -------
    list of AnalogySection
        In the order of the file.

    Raises
    ------
    FormatError
        If a line is neither, a question comes before the first section, a section occurs twice, or
        the file holds no section.
    OSError
        If the file cannot be read.
    """
    sections: dict[str, AnalogySection] = {}
    current = None
    for number, line in numbered_lines(path):
        if line.startswith(":"):
            name = line[1:].strip()
            if not name or name in sections:
                raise bad_line(path, number, "the name of a new section", line)
            current = sections[name] = AnalogySection(name, [])
            continue
        words = line.split()
        if len(words) != 4:
            raise bad_line(path, number, "four words or ': section'", line)
        if current is None:
            raise bad_line(path, number, "': section' before the first question", line)
        a, b, c, d = words
        current.questions.append((a, b, c, d))
    if not sections:
        raise bad_line(path, 1, "': section'", "")
    return list(sections.values())


def evaluate_analogies(
    vectors: WordVectors,
    questions: Iterable[AnalogySection] | Iterable[tuple[str, str, str, str]],
    *,
    method: str = "3cosadd",
    unknown: str = "skip",
    restrict_to: int | None = None,
) -> AnalogyResult:
    """Ask a is to b as c is to what, and look for d among the answers.

    a, b and c themselves are never answers.

    Parameters
    ----------
    vectors : WordVectors
    questions : iterable of AnalogySection, or of (a, b, c, d)
        As `read_analogies` returns them; questions without sections make one, named "".
    method : {"3cosadd", "3cosmul"}, default "3cosadd"
        See `WordVectors.analogy`.
    unknown : {"skip", "wrong"}, default "skip"
        What becomes of a question with a word that is not known: left out, as in most published
        numbers, or counted as one whose answer was never found.
    restrict_to : int, optional
        Only the first rows, so many (the most frequent words), are known. By default all.

    Returns
    -------
    AnalogyResult
        Accuracy and MRR over all counted questions; the sections are not weighted.
    """
    check_option("unknown", unknown, ("skip", "wrong"))
    if restrict_to is not None:
        restrict_to = check_count("restrict_to", restrict_to)
    sections = _as_sections(questions)
    known, places = _known_questions(vectors, sections, restrict_to)
    ranks = np.zeros(0, np.int64)
    if known:
        ranks = vectors.analogy_ranks(np.array(known), method=method, restrict_to=restrict_to)
    owner = np.array(places, np.int64)
    results = {
        section.name: _analogy_result(ranks[owner == i], len(section.questions), unknown)
        for i, section in enumerate(sections)
    }
    total = sum(len(section.questions) for section in sections)
    overall = _analogy_result(ranks, total, unknown)
    return AnalogyResult(
        overall.accuracy, overall.mrr, overall.coverage, overall.n_questions, results
    )


def _as_sections(questions: Iterable[Any]) -> list[AnalogySection]:
    items = list(questions)
    if all(isinstance(item, AnalogySection) for item in items):
        names = [item.name for item in items]
        if len(set(names)) < len(names):
            raise ValueError("`questions` must be sections with names that differ")
        return items
    rows: list[tuple[str, str, str, str]] = []
    for item in items:
        if isinstance(item, (str, AnalogySection)) or len(item) != 4:
            raise ValueError(f"`questions` must be sections, or hold four words each, got {item!r}")
        rows.append(tuple(item))
    return [AnalogySection("", rows)]


def _known_questions(
    vectors: WordVectors, sections: Sequence[AnalogySection], restrict_to: int | None
) -> tuple[list[list[int]], list[int]]:
    """Return the rows of the questions whose words all are keys, and the section of each."""
    rows = vectors.key_to_index
    limit = len(vectors) if restrict_to is None else restrict_to
    known, places = [], []
    for place, section in enumerate(sections):
        for question in section.questions:
            found = [rows.get(word, rows.get(word.lower(), limit)) for word in question]
            if max(found) < limit:
                known.append(found)
                places.append(place)
    return known, places


def _analogy_result(ranks: npt.NDArray[np.int64], questions: int, unknown: str) -> AnalogyResult:
    """Return the measures over the ranks of the known questions, 0 where d is no answer."""
    counted = len(ranks) if unknown == "skip" else questions
    found = ranks[ranks > 0]
    return AnalogyResult(
        accuracy=float(np.count_nonzero(found == 1) / counted) if counted else float("nan"),
        mrr=float((1.0 / found).sum() / counted) if counted else float("nan"),
        coverage=len(ranks) / questions if questions else float("nan"),
        n_questions=counted,
        sections={},
    )
