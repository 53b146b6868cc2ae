"""Attributes of items, and conditions on them: which items a search may find.

A condition is evaluated once, over whole columns, to a bitmap; the search then asks for one bit an
item. What a bitmap holds does not depend on the number of threads.

Truth has two values. A comparison with a missing value is false, ``!=`` too, and ``~`` of it is
true: ``~(field("year") == 2000)`` finds items without a year, ``field("year") != 2000`` does not.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._attributes_state import columns_from_state, columns_state, empty_column
from ._bitmaps import unpack_mask
from ._check import check_count, check_option, check_threads
from ._column_values import KINDS, incoming, kind_of
from ._columns import Column
from ._expressions import And, Condition, Expression, Field, Not, Or, field
from ._filter_parser import parse_filter

__all__ = ["Attributes", "Expression", "Field", "field", "parse_filter"]

Words = npt.NDArray[np.uint64]


class Attributes:
    """Columns of values, one row an item; rows are appended and never change.

    There are five kinds: ``"int64"``, ``"float64"``, ``"str"``, ``"bool"``, and ``"tags"``, a list
    of strings for each item. None and NaN are missing values; a missing list of tags is an empty
    one. One thread may append while others evaluate conditions on the rows that were there.

    Parameters
    ----------
    columns : dict of str to array-like, or a data frame
        All of one length. A data frame is anything with ``columns`` and ``frame[name]``. -2^63
        cannot be stored as int64.
    kinds : dict of str to str, optional
        The kinds of some columns; others are told by their values. Needed for columns of which all
        values are missing.

    Raises
    ------
    TypeError
        If a column holds values of no kind, or of several.
    ValueError
        If lengths differ, there is no column, or the kind of one cannot be told.

    Examples
    --------
    >>> attributes = Attributes({"year": [1999, 2005, None], "tags": [["a"], ["a", "b"], []]})
    >>> attributes.mask((field("year") > 2000) & field("tags").contains("a")).tolist()
    [False, True, False]
    >>> attributes.mask("not year > 2000").tolist()
    [True, False, True]
    """

    def __init__(self, columns: Any, *, kinds: Mapping[str, str] | None = None) -> None:
        given = _columns_of(columns)
        if not given:
            raise ValueError("`columns` must have at least one column, got none")
        known = dict(kinds or {})
        for name, kind in known.items():
            check_option(f"kinds[{name!r}]", kind, KINDS)
            if name not in given:
                raise ValueError(f"`kinds` must name columns, got {name!r}")
        self._columns: dict[str, Column] = {}
        for name, values in given.items():
            kind = known.get(name) or kind_of(f"columns[{name!r}]", values)
            self._columns[name] = empty_column(name, kind)
        self._rows = 0
        self.append(given)

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each column, by its name."""
        return {name: column.kind for name, column in self._columns.items()}

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        columns = ", ".join(f"{name}: {kind}" for name, kind in self.kinds.items())
        return f"<Attributes of {self._rows:,} items: {columns}>"

    def append(self, columns: Any, rows: int | None = None) -> None:
        """Append items, all of them or none.

        Parameters
        ----------
        columns : dict of str to array-like, or a data frame
            The same names as before, in any order, with values of the same kinds. Whole floats are
            taken as int64, and integers as float64.
        rows : int, optional
            How many items there must be; by default as many as the columns have.

        Raises
        ------
        TypeError, ValueError
            If names, kinds or lengths differ.
        """
        given = _columns_of(columns)
        if given.keys() != self._columns.keys():
            raise ValueError(
                f"`columns` must have the names {', '.join(map(repr, self._columns))}, got "
                f"{', '.join(map(repr, given)) or 'none'}"
            )
        made = {
            name: incoming(f"columns[{name!r}]", column.kind, given[name])
            for name, column in self._columns.items()
        }
        wanted = None if rows is None else check_count("rows", rows, least=0)
        for name, values in made.items():
            wanted = len(values) if wanted is None else wanted
            if len(values) != wanted:
                raise ValueError(f"`columns[{name!r}]` must have {wanted} items, got {len(values)}")
        for name, values in made.items():
            self._columns[name].extend(values)
        self._rows += wanted or 0

    def evaluate(
        self, expression: Expression | str, rows: int | None = None, threads: int | None = None
    ) -> Words:
        """Return the bitmap of the items for which a condition holds.

        Parameters
        ----------
        expression : Expression or str
            Made from `field`, or a string for `parse_filter`.
        rows : int, optional
            Only the first so many items; by default all.
        threads : int, optional
            Default: every available processor.

        Returns
        -------
        uint64, shape (ceil(rows / 64),)
            Item i is bit i % 64, from the lowest, of word i // 64; bits from `rows` on are zero.

        Raises
        ------
        TypeError
            If a value and an attribute cannot be compared.
        ValueError
            If an attribute is unknown, or the string cannot be parsed.
        """
        threads = check_threads(threads)
        rows = self._rows if rows is None else check_count("rows", rows, least=0, most=self._rows)
        try:
            return self._evaluate(_as_expression(expression), rows, threads)
        except RecursionError:
            raise ValueError("`expression` must be nested less deeply") from None

    def _evaluate(self, expression: Expression, rows: int, threads: int) -> Words:
        if isinstance(expression, Not):
            words = self._evaluate(expression.part, rows, threads)
            _core.bitmap_not(words, rows)
            return words
        if isinstance(expression, (And, Or)):
            join = _core.bitmap_and if isinstance(expression, And) else _core.bitmap_or
            words = self._evaluate(expression.parts[0], rows, threads)
            for part in expression.parts[1:]:
                join(words, self._evaluate(part, rows, threads))
            return words
        if not isinstance(expression, Condition):
            raise TypeError(f"`expression` must be made from field(), got {expression!r}")
        return self._column(expression.name).test(expression, rows, threads)

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            near = difflib.get_close_matches(name, self._columns, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(self._columns)}"
            raise ValueError(f"`expression` names {name!r}, which is no attribute: {hint}")
        return column

    def mask(
        self, expression: Expression | str, rows: int | None = None, threads: int | None = None
    ) -> npt.NDArray[np.bool_]:
        """Return what searches take as `mask`: whether a condition holds for each item.

        Parameters
        ----------
        expression, rows, threads
            As for `evaluate`.

        Returns
        -------
        bool, shape (rows,)
        """
        rows = self._rows if rows is None else check_count("rows", rows, least=0, most=self._rows)
        return unpack_mask(self.evaluate(expression, rows, threads), rows)

    def count(
        self, expression: Expression | str, rows: int | None = None, threads: int | None = None
    ) -> int:
        """Return for how many items a condition holds.

        Parameters
        ----------
        expression, rows, threads
            As for `evaluate`.
        """
        return _core.bitmap_count(self.evaluate(expression, rows, threads))

    def take(self, rows: npt.ArrayLike) -> Attributes:
        """Return new attributes with some of the items.

        Parameters
        ----------
        rows : array-like of int
            Numbers of items, in the order wanted; the same one may be there twice.

        Returns
        -------
        Attributes

        Raises
        ------
        TypeError, IndexError
            If `rows` are no integers, or one is no item.
        """
        chosen = np.asarray(rows)
        if chosen.dtype.kind not in "iu" and chosen.size:
            raise TypeError(f"`rows` must be integers, got dtype {chosen.dtype}")
        chosen = chosen.astype(np.int64).ravel()
        if chosen.size and not 0 <= chosen.min() <= chosen.max() < self._rows:
            worst = chosen[(chosen < 0) | (chosen >= self._rows)][0]
            raise IndexError(f"`rows` must be from 0 to {self._rows - 1}, got {worst}")
        taken = Attributes.__new__(Attributes)
        taken._columns = {name: column.take(chosen) for name, column in self._columns.items()}
        taken._rows = len(chosen)
        return taken

    def to_columns(self) -> dict[str, list[Any]]:
        """Return the values, None for a missing one, by the names of the columns."""
        return {name: column.values(self._rows) for name, column in self._columns.items()}

    def state(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        """Return what a file must keep: a header that JSON can hold, and arrays.

        Returns
        -------
        header : dict
            `rows`, and `columns` with a `name` and a `kind` each.
        arrays : dict of str to ndarray
            Their names begin with "attributes_". They are views: write them before appending.
        """
        return columns_state(self._columns, self._rows)

    @classmethod
    def from_state(
        cls, header: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
    ) -> Attributes:
        """Make attributes of what `state` returned, which may come from anywhere.

        Parameters
        ----------
        header, arrays
            As `state` returns them; other arrays may be among them. They are used where they lie.

        Returns
        -------
        Attributes

        Raises
        ------
        FormatError
            If they contradict each other.
        """
        made = cls.__new__(cls)
        made._columns, made._rows = columns_from_state(header, arrays)
        return made


def _as_expression(expression: Any) -> Expression:
    if isinstance(expression, str):
        return parse_filter(expression)
    if isinstance(expression, Field):
        raise TypeError(f"`expression` must compare {expression!r} with a value")
    if not isinstance(expression, Expression):
        got = type(expression).__name__
        raise TypeError(f"`expression` must be made from field(), or a string, got {got}")
    return expression


def _columns_of(columns: Any) -> dict[str, Any]:
    if isinstance(columns, Mapping):
        given = dict(columns)
    elif hasattr(columns, "columns") and hasattr(columns, "__getitem__"):
        given = {name: columns[name] for name in columns.columns}
    else:
        got = type(columns).__name__
        raise TypeError(f"`columns` must be a dict of columns or a data frame, got {got}")
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"`columns` must have names that are strings, got {name!r}")
    return given
