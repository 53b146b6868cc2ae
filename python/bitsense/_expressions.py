"""Conditions on attributes, such as `field("year") >= 2000`. They never change.

A condition knows nothing of columns; `bitsense.filters.Attributes` evaluates it.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "OPERATORS",
    "And",
    "Between",
    "Comparison",
    "Condition",
    "Expression",
    "Field",
    "IsIn",
    "IsMissing",
    "Not",
    "Or",
    "Tagged",
    "field",
]

OPERATORS = ("==", "!=", "<", "<=", ">", ">=")
Value = int | float | str | bool


class _NoTruth:
    """What has no truth value of its own, so that `and`, `or` and `not` are not used for it."""

    def __bool__(self) -> bool:
        raise TypeError(
            "a filter is neither true nor false before it is evaluated: use & | ~ in place of "
            "`and`, `or`, `not`, with each comparison in parentheses"
        )


class Expression(_NoTruth):
    """A condition on the attributes of an item; combine with ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def __and__(self, other: Expression) -> Expression:
        return _joined(And, self, other) if isinstance(other, Expression) else NotImplemented

    def __or__(self, other: Expression) -> Expression:
        return _joined(Or, self, other) if isinstance(other, Expression) else NotImplemented

    def __invert__(self) -> Expression:
        return Not(self)


def _joined(kind: type[And | Or], left: Expression, right: Expression) -> Expression:
    parts: list[Expression] = []
    for side in (left, right):
        parts += side.parts if isinstance(side, kind) else [side]
    return kind(tuple(parts))


@dataclass(frozen=True, repr=False)
class And(Expression):
    """All of two or more conditions."""

    parts: tuple[Expression, ...]

    def __repr__(self) -> str:
        return " & ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, repr=False)
class Or(Expression):
    """At least one of two or more conditions."""

    parts: tuple[Expression, ...]

    def __repr__(self) -> str:
        return " | ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True, repr=False)
class Not(Expression):
    """Where a condition is false."""

    part: Expression

    def __repr__(self) -> str:
        return f"~{_bracketed(self.part)}"


class Condition(Expression):
    """A condition on one attribute."""

    name: str


@dataclass(frozen=True, repr=False)
class Comparison(Condition):
    """An attribute compared with a value; the operator is one of `OPERATORS`."""

    name: str
    operator: str
    value: Value

    def __repr__(self) -> str:
        return f"{_named(self.name)} {self.operator} {_literal(self.value)}"


@dataclass(frozen=True, repr=False)
class Between(Condition):
    """An attribute within two values, both included."""

    name: str
    low: Value
    high: Value

    def __repr__(self) -> str:
        return f"{_named(self.name)}.between({_literal(self.low)}, {_literal(self.high)})"


@dataclass(frozen=True, repr=False)
class IsIn(Condition):
    """An attribute that is one of some values."""

    name: str
    values: tuple[Value, ...]

    def __repr__(self) -> str:
        return f"{_named(self.name)}.isin([{', '.join(map(_literal, self.values))}])"


@dataclass(frozen=True, repr=False)
class IsMissing(Condition):
    """An attribute without a value; tags without any."""

    name: str

    def __repr__(self) -> str:
        return f"{_named(self.name)}.is_missing()"


@dataclass(frozen=True, repr=False)
class Tagged(Condition):
    """Tags of which all, or any, are there; the method is what made it."""

    name: str
    method: str
    tags: tuple[str, ...]

    def __repr__(self) -> str:
        argument = repr(self.tags[0]) if self.method == "contains" else repr(list(self.tags))
        return f"{_named(self.name)}.{self.method}({argument})"


def _bracketed(part: Expression) -> str:
    return f"({part!r})" if isinstance(part, (And, Or, Comparison)) else repr(part)


def _named(name: str) -> str:
    plain = name.isidentifier() and not keyword.iskeyword(name) and name.isascii()
    return name if plain and name != "field" else f"field({name!r})"


def _literal(value: Value) -> str:
    if isinstance(value, float) and value in (np.inf, -np.inf):
        return "1e999" if value > 0 else "-1e999"  # a literal, which float("inf") is not
    return repr(value)


def _value(name: str, value: Any) -> Value:
    """Return a value as Python's own int, float, str or bool."""
    if isinstance(value, np.generic):
        value = value.item()
    if not isinstance(value, (int, float, str)):
        kind = type(value).__name__
        hint = ": use .is_missing()" if value is None else ""
        raise TypeError(f"`{name}` must be a number, a string or a bool, got {kind}{hint}")
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"`{name}` must not be NaN: use .is_missing()")
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    raise AssertionError


def _values(name: str, values: Any) -> tuple[Value, ...]:
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"`{name}` must be a list of values, got {type(values).__name__}")
    return tuple(_value(f"{name}[{i}]", value) for i, value in enumerate(values))


def _tags(name: str, tags: Any) -> tuple[str, ...]:
    found = _values(name, tags)
    for i, tag in enumerate(found):
        if not isinstance(tag, str):
            raise TypeError(f"`{name}[{i}]` must be a string, got {type(tag).__name__}")
    return tuple(map(str, found))


class Field(_NoTruth):
    """An attribute by its name, to be compared with values.

    Compare with ``==``, ``!=``, ``<``, ``<=``, ``>`` and ``>=``, or call a method. `field` makes
    one.

    Parameters
    ----------
    name : str
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"`name` must be a string, got {type(name).__name__}")
        self._name = str(name)

    @property
    def name(self) -> str:
        """The name of the attribute."""
        return self._name

    def __repr__(self) -> str:
        return f"field({self._name!r})"

    def __hash__(self) -> int:
        return hash((Field, self._name))

    def _compared(self, operator: str, value: Any) -> Expression:
        return Comparison(self._name, operator, _value("value", value))

    def __eq__(self, value: object) -> Expression:  # type: ignore[override]
        return self._compared("==", value)

    def __ne__(self, value: object) -> Expression:  # type: ignore[override]
        return self._compared("!=", value)

    def __lt__(self, value: Value) -> Expression:
        return self._compared("<", value)

    def __le__(self, value: Value) -> Expression:
        return self._compared("<=", value)

    def __gt__(self, value: Value) -> Expression:
        return self._compared(">", value)

    def __ge__(self, value: Value) -> Expression:
        return self._compared(">=", value)

    def between(self, low: Value, high: Value) -> Expression:
        """Return the condition that the value is within `low` and `high`, both included."""
        return Between(self._name, _value("low", low), _value("high", high))

    def isin(self, values: Iterable[Value]) -> Expression:
        """Return the condition that the value is one of `values`."""
        return IsIn(self._name, _values("values", values))

    def is_missing(self) -> Expression:
        """Return the condition that there is no value; of tags, that there is none."""
        return IsMissing(self._name)

    def contains(self, tag: str) -> Expression:
        """Return the condition that `tag` is among the tags."""
        if not isinstance(tag, str):
            raise TypeError(f"`tag` must be a string, got {type(tag).__name__}")
        return Tagged(self._name, "contains", (str(tag),))

    def contains_any(self, tags: Iterable[str]) -> Expression:
        """Return the condition that at least one of `tags` is there; of no tags, never."""
        return Tagged(self._name, "contains_any", _tags("tags", tags))

    def contains_all(self, tags: Iterable[str]) -> Expression:
        """Return the condition that all of `tags` are there; of no tags, always."""
        return Tagged(self._name, "contains_all", _tags("tags", tags))


def field(name: str) -> Field:
    """Return an attribute by its name, to make conditions of.

    Parameters
    ----------
    name : str
        As in the columns of `Attributes`.

    Returns
    -------
    Field
        Compare it with ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``, or call `between`, `isin`,
        `is_missing`, `contains`, `contains_any` or `contains_all`. The result combines with ``&``,
        ``|`` and ``~``, does not change, and prints as what `parse_filter` reads.

    Examples
    --------
    >>> field("year").between(2000, 2010) & ~(field("language") == "en")
    year.between(2000, 2010) & ~(language == 'en')
    """
    return Field(name)
