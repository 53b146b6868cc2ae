"""Conditions evaluated row by row, with Python's own comparisons."""

from __future__ import annotations

import math
import operator

from bitsense._expressions import And, Between, Comparison, IsIn, IsMissing, Not, Or, Tagged

COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_missing(value) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def holds(expression, row: dict) -> bool:
    """Whether a condition holds for one item, given as a dictionary of its attributes."""
    if isinstance(expression, And):
        return all(holds(part, row) for part in expression.parts)
    if isinstance(expression, Or):
        return any(holds(part, row) for part in expression.parts)
    if isinstance(expression, Not):
        return not holds(expression.part, row)
    value = row[expression.name]
    if isinstance(expression, Tagged):
        tags = set(value or ())
        wanted = set(expression.tags)
        return wanted <= tags if expression.method != "contains_any" else bool(wanted & tags)
    if isinstance(expression, IsMissing):
        return not value if isinstance(value, list) else is_missing(value)
    if is_missing(value):
        return False
    if isinstance(expression, Comparison):
        return COMPARE[expression.operator](value, expression.value)
    if isinstance(expression, Between):
        return expression.low <= value <= expression.high
    assert isinstance(expression, IsIn)
    return any(value == wanted for wanted in expression.values)


def bitmap(expression, rows: list[dict]) -> list[int]:
    """The words of all rows: row i is bit i % 64 of word i // 64."""
    words = [0] * ((len(rows) + 63) // 64)
    for i, row in enumerate(rows):
        words[i // 64] |= holds(expression, row) << (i % 64)
    return words
