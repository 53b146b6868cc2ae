"""Columns of strings, and of lists of them: codes of a dictionary that grows.

A comparison is a table over the dictionary, whose strings are compared once each.
"""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._columns import Column, Growing, Words, values_of
from ._expressions import Between, Comparison, Condition, IsIn, IsMissing, Tagged

__all__ = ["StringColumn", "TagColumn"]

AnyArray = npt.NDArray[Any]
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class _Dictionary(dict[str | None, int]):
    """Codes of strings, given at first sight; None has -1."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        super().__init__()
        self[None] = -1
        for code, name in enumerate(names):
            self[name] = code

    def __missing__(self, name: str | None) -> int:
        code = self[name] = len(self) - 1
        return code

    def names(self) -> list[Any]:
        return list(self)[1:]


class StringColumn(Column):
    """int32 codes of a dictionary; -1 for a missing string."""

    kind = "str"

    def __init__(self, name: str, data: AnyArray, names: Sequence[str] = ()) -> None:
        super().__init__(name, data)
        self.dictionary = _Dictionary(names)

    def extend(self, values: Any) -> None:
        codes = map(self.dictionary.__getitem__, values)
        super().extend(np.fromiter(codes, np.int32, len(values)))

    def take(self, rows: AnyArray) -> StringColumn:
        codes, names = _used_codes(self.view()[rows], self.dictionary)
        return StringColumn(self.name, codes, names)

    def values(self, rows: int) -> list[Any]:
        names = [*self.dictionary.names(), None]
        return [names[code] for code in self.view(rows).tolist()]

    def check_value(self, condition: Condition, value: Any) -> None:
        if not isinstance(value, str):
            got = type(value).__name__
            raise self.refuse(condition, f"is {self.kind} and compares with strings, not {got}")

    def test(self, condition: Condition, rows: int, threads: int) -> Words:
        codes = self.view(rows)
        if isinstance(condition, IsMissing):
            return _ranges_of_codes(codes, -1, -1, threads)
        if isinstance(condition, Tagged):
            raise self.refuse(condition, "is str and holds no lists of tags: use == or isin")
        for value in values_of(condition):
            self.check_value(condition, value)
        if isinstance(condition, Comparison) and condition.operator == "==":
            code = self.dictionary.get(str(condition.value), -2)
            return _ranges_of_codes(codes, code, code, threads)
        return _core.filter_lookup(codes, self._table(condition), threads)

    def _table(self, condition: Condition) -> npt.NDArray[np.uint8]:
        """1 for each string of the dictionary that passes."""
        if isinstance(condition, IsIn):
            return table_of(self.dictionary, [str(value) for value in condition.values])
        names = self.dictionary.names()
        if isinstance(condition, Between):
            low, high = condition.low, condition.high
            return np.fromiter((low <= name <= high for name in names), np.uint8, len(names))
        assert isinstance(condition, Comparison)
        compare, value = _COMPARE[condition.operator], condition.value
        return np.fromiter((compare(name, value) for name in names), np.uint8, len(names))


class TagColumn(Column):
    """Lists of strings: the int32 codes of row i, ascending, are offsets[i] to offsets[i + 1]."""

    kind = "tags"

    def __init__(
        self, name: str, offsets: AnyArray, codes: AnyArray, names: Sequence[str] = ()
    ) -> None:
        super().__init__(name, offsets)
        self._codes = Growing(codes)
        self.dictionary = _Dictionary(names)

    def __len__(self) -> int:
        return len(self._rows) - 1

    def codes(self) -> AnyArray:
        """The codes of all rows, one row after the other."""
        return self._codes.view()

    def extend(self, values: Any) -> None:
        code = self.dictionary.__getitem__
        flat = np.fromiter(map(code, itertools.chain.from_iterable(values)), np.int64)
        lengths = np.fromiter(map(len, values), np.int64, len(values))
        # By row, then by code, none twice.
        rows = np.repeat(np.arange(len(values)), lengths)
        pairs = np.sort(rows << 32 | flat)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        counts = np.bincount(pairs >> 32, minlength=len(values))
        start = len(self._codes)
        self._codes.extend((pairs & 0xFFFFFFFF).astype(np.int32))
        super().extend(start + np.cumsum(counts))

    def take(self, rows: AnyArray) -> TagColumn:
        offsets = self.view()
        lengths = offsets[rows + 1] - offsets[rows]
        ends = np.cumsum(lengths)
        places = np.arange(lengths.sum()) + np.repeat(offsets[rows] - (ends - lengths), lengths)
        codes, names = _used_codes(self.codes()[places], self.dictionary)
        return TagColumn(self.name, np.concatenate([[0], ends]), codes, names)

    def values(self, rows: int) -> list[Any]:
        names, bounds = self.dictionary.names(), self.view(rows + 1).tolist()
        tags = [names[code] for code in self.codes()[: bounds[-1]].tolist()]
        return [tags[first:last] for first, last in itertools.pairwise(bounds)]

    def test(self, condition: Condition, rows: int, threads: int) -> Words:
        offsets = self.view(rows + 1)
        if isinstance(condition, IsMissing):
            everything = np.ones(len(self.dictionary.names()), np.uint8)
            words = _core.filter_tagged(offsets, self.codes(), everything, 1, threads)
            _core.bitmap_not(words, rows)
            return words
        if not isinstance(condition, Tagged):
            raise self.refuse(
                condition, "holds lists of tags: use contains, contains_any or contains_all"
            )
        table = table_of(self.dictionary, condition.tags)
        least = len(set(condition.tags)) if condition.method == "contains_all" else 1
        return _core.filter_tagged(offsets, self.codes(), table, least, threads)


def table_of(dictionary: _Dictionary, wanted: Sequence[str]) -> npt.NDArray[np.uint8]:
    """1 for each of the wanted strings that the dictionary has."""
    codes = [dictionary[name] for name in wanted if name in dictionary]
    table = np.zeros(len(dictionary) - 1, np.uint8)  # after the codes: another thread may append
    table[codes] = 1
    return table


def _used_codes(codes: AnyArray, dictionary: _Dictionary) -> tuple[AnyArray, list[str]]:
    """The codes, and their strings, of a dictionary that holds no others, in the same order."""
    used = np.unique(codes[codes >= 0])
    names = dictionary.names()
    renamed = np.full(len(names) + 1, -1, np.int32)  # the last one stands for -1
    renamed[used] = np.arange(len(used), dtype=np.int32)
    return renamed[codes], [names[code] for code in used.tolist()]


def _ranges_of_codes(codes: AnyArray, low: int, high: int, threads: int) -> Words:
    lows, highs = np.array([low], np.int32), np.array([high], np.int32)
    return _core.filter_ranges(codes, lows, highs, threads)
