"""Columns of `Attributes`: they grow at the end, and one condition on one becomes a bitmap.

Every comparison is a union of closed intervals of the numbers that a column holds. Rows that are
there never change: an array that was taken before an append keeps its values, because rows are
added behind it or in a larger copy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._column_values import MISSING_INT
from ._expressions import Between, Comparison, Condition, IsIn, IsMissing, Tagged

__all__ = ["BoolColumn", "Column", "FloatColumn", "Growing", "IntColumn", "Words", "values_of"]

Words = npt.NDArray[np.uint64]
AnyArray = npt.NDArray[Any]


class Growing:
    """An array that grows at its end: doubled when it is full, so that a row costs little."""

    def __init__(self, data: AnyArray) -> None:
        self._data = data
        self._used = len(data)

    def view(self, rows: int | None = None) -> AnyArray:
        return self._data[: self._used if rows is None else rows]

    def __len__(self) -> int:
        return self._used

    def extend(self, values: AnyArray) -> None:
        used = self._used + len(values)
        if used > len(self._data):
            larger = np.empty(max(used, 2 * self._used, 64), self._data.dtype)
            larger[: self._used] = self.view()
            self._data = larger
        if len(values):
            self._data[self._used : used] = values
        self._used = used


class Column:
    """What all kinds share; a subclass says what its conditions mean."""

    kind: str
    values_are: str  # what a condition's values must be

    def __init__(self, name: str, data: AnyArray) -> None:
        self.name = name
        self._rows = Growing(data)

    def __len__(self) -> int:
        return len(self._rows)

    def view(self, rows: int | None = None) -> AnyArray:
        """The first rows, as they are kept."""
        return self._rows.view(rows)

    def extend(self, values: Any) -> None:
        """Append what `incoming` made."""
        self._rows.extend(values)

    def take(self, rows: AnyArray) -> Column:
        """A new column of some rows."""
        return type(self)(self.name, self.view()[rows])

    def values(self, rows: int) -> list[Any]:
        """The first rows as Python's own values, None where one is missing."""
        raise NotImplementedError

    def refuse(self, condition: Condition, why: str) -> TypeError:
        """An error that names the condition."""
        return TypeError(f"`expression` has {condition!r}, but {self.name!r} {why}")

    def check_value(self, condition: Condition, value: Any) -> None:
        """Raise TypeError if the column's values cannot be compared with a value."""
        raise NotImplementedError

    def test(self, condition: Condition, rows: int, threads: int) -> Words:
        """The bitmap of the first rows where a condition on this column holds."""
        raise NotImplementedError


class _NumberColumn(Column):
    values_are = "a number"

    def check_value(self, condition: Condition, value: Any) -> None:
        if isinstance(value, (bool, str)):
            got = type(value).__name__
            raise self.refuse(condition, f"is {self.kind} and compares with numbers, not {got}")

    def at_least(self, value: Any, *, above: bool = False) -> Any:
        """The smallest number of the column that is >= value, or > value; None if there is none."""
        raise NotImplementedError

    def at_most(self, value: Any, *, below: bool = False) -> Any:
        """The largest number of the column that is <= value, or < value; None if there is none."""
        raise NotImplementedError

    def _intervals(self, condition: Condition) -> list[tuple[Any, Any]]:
        first, last = self.at_least(-math.inf), self.at_most(math.inf)
        if isinstance(condition, Between):
            return [(self.at_least(condition.low), self.at_most(condition.high))]
        assert isinstance(condition, Comparison)
        value = condition.value
        below = (first, self.at_most(value, below=True))
        above = (self.at_least(value, above=True), last)
        return {
            "==": [(self.at_least(value), self.at_most(value))],
            "!=": [below, above],
            "<": [below],
            "<=": [(first, self.at_most(value))],
            ">": [above],
            ">=": [(self.at_least(value), last)],
        }[condition.operator]

    def _ranges(self, intervals: list[tuple[Any, Any]], rows: int, threads: int) -> Words:
        data = self.view(rows)
        some = [(low, high) for low, high in intervals if low is not None and high is not None]
        lows, highs = (np.array([pair[i] for pair in some], data.dtype) for i in (0, 1))
        return _core.filter_ranges(data, lows, highs, threads)

    def test(self, condition: Condition, rows: int, threads: int) -> Words:
        if isinstance(condition, IsMissing):
            return self.missing(rows, threads)
        if isinstance(condition, IsIn):
            for value in condition.values:
                self.check_value(condition, value)
            ends = [(self.at_least(value), self.at_most(value)) for value in condition.values]
            data = self.view(rows)
            wanted = [low for low, high in ends if low is not None and low == high]
            return _core.filter_members(data, np.array(wanted, data.dtype), threads)
        if isinstance(condition, Tagged):
            raise self.refuse(condition, f"is {self.kind} and holds no lists of tags")
        for value in values_of(condition):
            self.check_value(condition, value)
        return self._ranges(self._intervals(condition), rows, threads)

    def missing(self, rows: int, threads: int) -> Words:
        raise NotImplementedError


class IntColumn(_NumberColumn):
    """int64; -2^63 stands for a missing value."""

    kind = "int64"

    def at_least(self, value: Any, *, above: bool = False) -> int | None:
        if value == math.inf:
            return None
        if value == -math.inf:
            return MISSING_INT + 1
        bound = math.floor(value) + 1 if above else math.ceil(value)
        return max(bound, MISSING_INT + 1) if bound < 2**63 else None

    def at_most(self, value: Any, *, below: bool = False) -> int | None:
        if value == -math.inf:
            return None
        if value == math.inf:
            return 2**63 - 1
        bound = math.ceil(value) - 1 if below else math.floor(value)
        return min(bound, 2**63 - 1) if bound > MISSING_INT else None

    def values(self, rows: int) -> list[Any]:
        return [None if x == MISSING_INT else x for x in self.view(rows).tolist()]

    def missing(self, rows: int, threads: int) -> Words:
        return self._ranges([(MISSING_INT, MISSING_INT)], rows, threads)


class FloatColumn(_NumberColumn):
    """float64; NaN stands for a missing value."""

    kind = "float64"

    def at_least(self, value: Any, *, above: bool = False) -> float | None:
        if value == math.inf and above:
            return None
        near = _nearest(value)
        if near < value or (above and near == value):
            return math.nextafter(near, math.inf)
        return near

    def at_most(self, value: Any, *, below: bool = False) -> float | None:
        if value == -math.inf and below:
            return None
        near = _nearest(value)
        if near > value or (below and near == value):
            return math.nextafter(near, -math.inf)
        return near

    def values(self, rows: int) -> list[Any]:
        return [None if math.isnan(x) else x for x in self.view(rows).tolist()]

    def missing(self, rows: int, threads: int) -> Words:
        words = self._ranges([(-math.inf, math.inf)], rows, threads)
        _core.bitmap_not(words, rows)
        return words


class BoolColumn(Column):
    """int8: 0, 1, and -1 for a missing value."""

    kind = "bool"

    def check_value(self, condition: Condition, value: Any) -> None:
        if not isinstance(value, bool):
            got = type(value).__name__
            raise self.refuse(condition, f"is bool and compares with True and False, not {got}")

    def values(self, rows: int) -> list[Any]:
        return [None if x < 0 else x == 1 for x in self.view(rows).tolist()]

    def test(self, condition: Condition, rows: int, threads: int) -> Words:
        if isinstance(condition, IsMissing):
            wanted = [-1]
        elif isinstance(condition, IsIn) or (
            isinstance(condition, Comparison) and condition.operator in ("==", "!=")
        ):
            for value in values_of(condition):
                self.check_value(condition, value)
            wanted = [int(value) for value in set(values_of(condition))]
            if isinstance(condition, Comparison) and condition.operator == "!=":
                wanted = [1 - wanted[0]]
        else:
            raise self.refuse(condition, "is bool, which has only ==, !=, isin and is_missing")
        points = np.array(wanted, np.int8)
        return _core.filter_ranges(self.view(rows), points, points, threads)


def values_of(condition: Condition) -> tuple[Any, ...]:
    if isinstance(condition, Comparison):
        return (condition.value,)
    if isinstance(condition, Between):
        return (condition.low, condition.high)
    return condition.values if isinstance(condition, IsIn) else ()


def _nearest(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # an int of hundreds of digits
        return math.inf if value > 0 else -math.inf
