"""The methods of `WordVectors` that answer analogies; `_vector_analogies` has the arithmetic."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ._check import check_count, check_option
from ._vector_analogies import METHODS, analogy_ranks, answer_analogies
from ._vector_queries import Filter, Restriction, candidates_of, check_rows
from ._vector_search import Floats, Integers

if TYPE_CHECKING:
    from .vectors import WordVectors

__all__ = ["AnalogyMethods"]


class AnalogyMethods:
    """What `WordVectors` can say about a : b = c : d."""

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        *,
        k: int = 1,
        method: str = "3cosadd",
        restrict_to: Restriction = None,
        exclude: Iterable[str] | None = None,
        filter: Filter = None,
    ) -> list[tuple[str, float]]:
        """Return the words to which `c` is as `a` is to `b`.

        Parameters
        ----------
        a, b, c : str
            Known keys; none of them is an answer.
        k : int, default 1
            Answers.
        method : {"3cosadd", "3cosmul"}
            The nearest to b - a + c, or the highest of cos(d, b) cos(d, c) / (cos(d, a) + 0.001)
            with cosines shifted to [0, 1].
        restrict_to, exclude, filter
            As for `most_similar`.

        Returns
        -------
        list of (key, score)

        References
        ----------
        Levy and Goldberg, "Linguistic Regularities in Sparse and Explicit Word Representations",
        CoNLL 2014.
        """
        rows, scores = self.analogies(
            [(a, b, c)],
            k=k,
            method=method,
            restrict_to=restrict_to,
            exclude=exclude,
            filter=filter,
        )
        return cast("WordVectors", self)._named(rows[0], scores[0])

    def analogies(
        self,
        questions: Any,
        *,
        k: int = 1,
        method: str = "3cosadd",
        restrict_to: Restriction = None,
        exclude: Iterable[str] | None = None,
        filter: Filter = None,
    ) -> tuple[Integers, Floats]:
        """Return the answers to many analogies, in which a is to b as c is to the answer.

        Parameters
        ----------
        questions : list of (a, b, c) of keys, or int array of rows, shape (q, 3)
        k, method, restrict_to, exclude, filter
            As for `analogy`.

        Returns
        -------
        rows : int64, shape (q, k)
            -1 where fewer than k candidates exist.
        scores : float32, shape (q, k)
            NaN where fewer than k candidates exist.
        """
        k = check_count("k", k)
        check_option("method", method, METHODS)
        rows = self._question_rows(questions, 3)
        candidates = candidates_of(cast("WordVectors", self), restrict_to, exclude, filter)
        return answer_analogies(candidates, rows, method, k)

    def analogy_ranks(
        self, questions: Any, *, method: str = "3cosadd", restrict_to: Restriction = None
    ) -> Integers:
        """Return the rank of the right answer to each of many analogies.

        Parameters
        ----------
        questions : list of (a, b, c, d) of keys, or int array of rows, shape (q, 4)
            a is to b as c is to d.
        method, restrict_to
            As for `analogy`.

        Returns
        -------
        int64, shape (q,)
            1 where d is the best answer. 0 where it cannot be one: it is a, b or c, or not a
            candidate.
        """
        check_option("method", method, METHODS)
        rows = self._question_rows(questions, 4)
        return analogy_ranks(
            candidates_of(cast("WordVectors", self), restrict_to, None, None), rows, method
        )

    def _question_rows(self, questions: Any, width: int) -> Integers:
        wv = cast("WordVectors", self)
        if not isinstance(questions, np.ndarray) or questions.dtype.kind not in "iu":
            listed = [[wv.row(key) for key in question] for question in questions]
            questions = np.array(listed, dtype=np.int64).reshape(len(listed), -1)
            if not len(questions):
                return np.empty((0, width), dtype=np.int64)
        if questions.ndim != 2 or questions.shape[1] != width:
            raise ValueError(f"`questions` must have the shape (n, {width}), got {questions.shape}")
        return check_rows("questions", questions, len(wv))
