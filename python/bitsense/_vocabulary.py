"""The words of a model, and documents as their ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._check import check_count

__all__ = ["Corpus", "Vocabulary"]

Uint8Array = npt.NDArray[np.uint8]
Uint32Array = npt.NDArray[np.uint32]
Uint64Array = npt.NDArray[np.uint64]


class Vocabulary:
    """Words and their counts; the id of a word is its position.

    `build_corpus` makes one: the words come by count, descending, and among equal counts by their
    UTF-8 bytes. It does not change.

    Parameters
    ----------
    core : the vocabulary of the engine
        `build_corpus` and `from_arrays` have one; there is no other way to get it.

    Examples
    --------
    >>> from bitsense.text import Tokenizer, build_corpus
    >>> vocabulary, _ = build_corpus(["a b a"], tokenizer=Tokenizer(), min_count=1)
    >>> list(vocabulary), vocabulary["a"], vocabulary.counts.tolist()
    (['a', 'b'], 0, [2, 1])
    """

    def __init__(self, core: _core.Vocabulary) -> None:
        self._core = core

    def __len__(self) -> int:
        return len(self._core)

    def __contains__(self, word: object) -> bool:
        return self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        """Return the id of a word; KeyError if it has none."""
        found = self.get(word)
        if found is None:
            raise KeyError(word)
        return found

    def __iter__(self) -> Iterator[str]:
        """Iterate over the words in the order of their ids."""
        return map(self._core.word, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        mine: tuple[npt.NDArray[Any], ...] = self.to_arrays()
        its: tuple[npt.NDArray[Any], ...] = other.to_arrays()
        return all(np.array_equal(a, b) for a, b in zip(mine, its, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Vocabulary of {len(self):,} words>"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_arrays, self.to_arrays()

    def get(self, word: object) -> int | None:
        """Return the id of `word`, or None."""
        if not isinstance(word, str):
            return None
        try:
            return self._core.find(word.encode())
        except UnicodeEncodeError:  # a lone surrogate is in no word
            return None

    def word(self, id: int) -> str:
        """Return the word of `id`; IndexError if there is none."""
        number = check_count("id", id, least=0)
        if number >= len(self):
            raise IndexError(f"`id` must be below {len(self)}, got {number}")
        return self._core.word(number)

    @property
    def counts(self) -> Uint64Array:
        """Occurrences of each word, read-only, shape (n_words,)."""
        return self._core.counts

    def to_arrays(self) -> tuple[Uint8Array, Uint64Array, Uint64Array]:
        """Return what `from_arrays` takes.

        Returns
        -------
        text : ndarray of uint8
            The words in UTF-8, one after another.
        offsets : ndarray of uint64, shape (n_words + 1,)
            Word i is ``text[offsets[i]:offsets[i + 1]]``.
        counts : ndarray of uint64, shape (n_words,)
        """
        return self._core.to_arrays()

    @classmethod
    def from_arrays(cls, text: Uint8Array, offsets: Uint64Array, counts: Uint64Array) -> Vocabulary:
        """Make a vocabulary of `text`, `offsets` and `counts`, the arrays of `to_arrays`.

        They may come from anywhere.

        Raises
        ------
        TypeError
            If an array has another type; none is converted.
        FormatError
            If the offsets do not rise from 0 to the length of the text, a word is empty, there
            twice or not UTF-8, or the counts do not fit.
        """
        text = _checked_array("text", text, np.uint8)
        offsets = _checked_array("offsets", offsets, np.uint64)
        counts = _checked_array("counts", counts, np.uint64)
        return cls(_core.Vocabulary.from_arrays(text, offsets, counts))


@dataclass(frozen=True, eq=False, repr=False)
class Corpus:
    """Documents as ids of a vocabulary; the arrays are read-only.

    Attributes
    ----------
    ids : ndarray of uint32, shape (n_tokens,)
        The ids of all documents, one after another. Words outside the vocabulary are left out.
        With n-grams, each word is followed by the n-grams that end in it, the shortest first.
    offsets : ndarray of uint64, shape (n_documents + 1,)
        Document i is ``ids[offsets[i]:offsets[i + 1]]``.
    totals : ndarray of uint32, shape (n_documents,)
        Tokens of each document, words outside the vocabulary included.
    """

    ids: Uint32Array
    offsets: Uint64Array
    totals: Uint32Array

    def __post_init__(self) -> None:
        for name, dtype in (("ids", np.uint32), ("offsets", np.uint64), ("totals", np.uint32)):
            view = _checked_array(name, getattr(self, name), dtype).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)
        if len(self.offsets) != len(self.totals) + 1:
            raise ValueError(
                f"`offsets` must have {len(self.totals) + 1} items for {len(self.totals)} "
                f"documents, got {len(self.offsets)}"
            )
        rises = bool((self.offsets[1:] >= self.offsets[:-1]).all())
        if not rises or self.offsets[0] != 0 or self.offsets[-1] != len(self.ids):
            raise ValueError(f"`offsets` must rise from 0 to {len(self.ids)}")

    @property
    def n_documents(self) -> int:
        """How many documents there are."""
        return len(self.totals)

    @property
    def n_tokens(self) -> int:
        """How many ids there are."""
        return len(self.ids)

    def __len__(self) -> int:
        return self.n_documents

    def __getitem__(self, document: int) -> Uint32Array:
        """Return the ids of one document, a view."""
        number = check_count("document", document, least=0)
        if number >= self.n_documents:
            raise IndexError(f"`document` must be below {self.n_documents}, got {number}")
        return self.ids[int(self.offsets[number]) : int(self.offsets[number + 1])]

    def __repr__(self) -> str:
        return f"<Corpus of {self.n_documents:,} documents and {self.n_tokens:,} tokens>"


def _checked_array(name: str, array: Any, dtype: type[np.generic]) -> npt.NDArray[Any]:
    expected = np.dtype(dtype)
    if not isinstance(array, np.ndarray) or array.dtype != expected:
        got = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"`{name}` must be an array of {expected}, got {got}")
    if array.ndim != 1:
        raise ValueError(f"`{name}` must have 1 dimension, got {array.ndim}")
    return np.ascontiguousarray(array)
