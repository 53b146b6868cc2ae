"""Analogies: a is to b as c is to which word?

3CosAdd takes the word nearest to b - a + c; 3CosMul (Levy and Goldberg, "Linguistic Regularities
in Sparse and Explicit Word Representations", CoNLL 2014) the one with the highest
cos(d, b) cos(d, c) / (cos(d, a) + 0.001), where each cosine is first shifted to (cos + 1) / 2.

Like `_vector_search`, a fast product bounds the scores and what the bounds leave open is decided
by sums in one fixed order. Many questions share few words, so their similarities are computed once
per word and not once per question.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._vector_search import (
    Candidates,
    Floats,
    Integers,
    best,
    cosines,
    nearest,
    no_answers,
    product_error,
    query_blocks,
)

__all__ = ["METHODS", "analogy_ranks", "answer_analogies"]

METHODS = ("3cosadd", "3cosmul")

_EPSILON = 0.001  # of 3CosMul
_QUESTIONS = 1 << 14  # whose words are gathered together
_CELLS = 1 << 20  # scores at a time
_WORD_CELLS = 1 << 22  # similarities of the words of questions at a time


def _offsets(units: Floats, questions: Integers) -> tuple[Floats, npt.NDArray[np.float64]]:
    """Return b - a + c as unit vectors, and their lengths before that."""
    a, b, c = (units[questions[:, column]].astype(np.float64) for column in range(3))
    sums = b - a + c
    lengths = np.sqrt((sums * sums).sum(axis=1))
    directions = sums / np.where(lengths == 0, 1, lengths)[:, None]
    return directions.astype(np.float32), lengths


def _multiplied(units: Floats, rows: Integers, questions: Integers, of: Integers) -> Floats:
    """Return the 3CosMul scores of `rows` for the questions `of`, exactly."""
    a, b, c = (
        (cosines(units, rows, units, questions[of, column]).astype(np.float64) + 1) / 2
        for column in range(3)
    )
    scores: Floats = (b * c / (a + _EPSILON)).astype(np.float32)
    return scores


def answer_analogies(
    candidates: Candidates, questions: Integers, method: str, k: int
) -> tuple[Integers, Floats]:
    """Return the k best answers to each question (a, b, c): rows and scores, as `nearest` does."""
    units = candidates.all_units
    own = list(questions)
    if method == "3cosadd":
        return nearest(candidates, _offsets(units, questions)[0], own, k)
    ids, scores = no_answers(len(questions), k)
    error = np.float32(product_error(units.shape[1]))
    for block in query_blocks(len(questions), 3 * len(candidates)):
        a, b, c = (
            units[questions[block, column]] @ candidates.units.T + np.float32(1)
            for column in range(3)
        )
        divisor = np.maximum(a - error, 0) + np.float32(2 * _EPSILON)
        upper = (b + error) * (c + error) / (2 * divisor) * np.float32(1 + 1e-5)
        candidates.remove(upper, own[block])
        for i, bounds in enumerate(upper, block.start):

            def exact(positions: Integers, i: int = i) -> Floats:
                of = np.full(len(positions), i)
                return _multiplied(units, candidates.rows_of(positions), questions, of)

            positions, found = best(bounds, k, exact)
            ids[i, : len(found)] = candidates.rows_of(positions)
            scores[i, : len(found)] = found
    return ids, scores


def analogy_ranks(candidates: Candidates, questions: Integers, method: str) -> Integers:
    """Return the rank of d among the answers to each question (a, b, c, d), from 1.

    The answers are the candidates without a, b and c; 0 where d is not one of them.
    """
    ranks = np.zeros(len(questions), dtype=np.int64)
    for start in range(0, len(questions), _QUESTIONS):
        part = slice(start, start + _QUESTIONS)
        ranks[part] = _Race(candidates, questions[part], method).ranks()
    return ranks


class _Race:
    """Some questions, the score of each one's d, and how many candidates are ahead of it."""

    def __init__(self, candidates: Candidates, questions: Integers, method: str) -> None:
        self.candidates = candidates
        self.units = candidates.all_units
        self.questions = questions
        self.added = method == "3cosadd"
        self.error = product_error(self.units.shape[1])
        self.directions, self.lengths = _offsets(self.units, questions)
        every = np.arange(len(questions))
        self.goal = self._exact(questions[:, 3], every)
        words, places = np.unique(questions[:, :3], return_inverse=True)
        self.words = self.units[words]
        self.places = places.reshape(-1, 3)
        self.positions = candidates.positions_of(questions.ravel()).reshape(-1, 4)
        self._set_limits()

    def _exact(self, rows: Integers, of: Integers) -> Floats:
        if self.added:
            return cosines(self.units, rows, self.directions, of)
        return _multiplied(self.units, rows, self.questions, of)

    def _set_limits(self) -> None:
        """Set what a bound of `_margins` must be above or below for a rank to be certain."""
        goal = self.goal.astype(np.float64)
        if self.added:
            # Three products, and the rounding of the direction, times its length.
            self.slope = goal * self.lengths
            slack = 4 * self.error + 2 * self.error * self.lengths
        else:
            self.slope = goal
            slack = (4 * self.error + 2.0**-20) * (2 + goal)
        self.slack = slack.astype(np.float32)[:, None]

    def ranks(self) -> Integers:
        ahead = np.zeros(len(self.questions), dtype=np.int64)
        width = max(1, min(_WORD_CELLS // max(len(self.words), 1), 1 << 13))
        for start in range(0, len(self.candidates), width):
            similarities = self.words @ self.candidates.units[start : start + width].T
            if not self.added:
                similarities += 1
                similarities /= 2
            step = max(1, _CELLS // width)
            for first in range(0, len(ahead), step):
                part = slice(first, first + step)
                ahead[part] += self._ahead(similarities, start, part)
        answers = self.positions[:, 3] >= 0
        answers &= (self.questions[:, :3] != self.questions[:, 3:]).all(axis=1)
        return np.where(answers, ahead + 1, 0)

    def _margins(self, similarities: Floats, part: slice) -> Floats:
        """Return, for each question and candidate, roughly how far its score is above the goal."""
        a, b, c = self.places[part].T
        margins: Floats = similarities[b]
        goal = self.slope[part].astype(np.float32)[:, None]
        if self.added:
            margins -= similarities[a]
            margins += similarities[c]
            margins -= goal
        else:
            margins *= similarities[c]
            margins -= goal * (similarities[a] + np.float32(_EPSILON))
        return margins

    def _ahead(self, similarities: Floats, start: int, part: slice) -> Integers:
        """Count the candidates of a block that are ahead of d."""
        margins = self._margins(similarities, part)
        self._remove(margins, start, part)
        certain = margins > self.slack[part]
        counts: Integers = np.count_nonzero(certain, axis=1)
        which, columns = np.nonzero((margins >= -self.slack[part]) ^ certain)
        if len(which):
            of = which + part.start
            rows = self.candidates.rows_of(columns + start)
            scores = self._exact(rows, of)
            goal = self.goal[of]
            won = (scores > goal) | ((scores == goal) & (rows < self.questions[of, 3]))
            counts += np.bincount(which[won], minlength=len(counts))
        return counts

    def _remove(self, margins: Floats, start: int, part: slice) -> None:
        """Set to -inf what is never ahead: rows not allowed, and the question's own words."""
        stop = start + margins.shape[1]
        if self.candidates.allowed is not None:
            margins[:, ~self.candidates.allowed[start:stop]] = -np.inf
        positions = self.positions[part]
        which, column = np.nonzero((positions >= start) & (positions < stop))
        margins[which, positions[which, column] - start] = -np.inf
