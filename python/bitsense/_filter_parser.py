"""Conditions from a string. Python's parser reads it, and a list says which nodes may be there:
nothing is ever evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import reduce
from typing import Any

from ._expressions import Expression, Field, Not

__all__ = ["parse_filter"]

_MOST_CHARACTERS = 1_000_000
_COMPARE: dict[type[ast.cmpop], Callable[[Field, Any], Any]] = {
    ast.Eq: lambda name, value: name == value,
    ast.NotEq: lambda name, value: name != value,
    ast.Lt: lambda name, value: name < value,
    ast.LtE: lambda name, value: name <= value,
    ast.Gt: lambda name, value: name > value,
    ast.GtE: lambda name, value: name >= value,
    ast.In: lambda name, value: name.isin(value),
    ast.NotIn: lambda name, value: ~name.isin(value),
}
_MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.Eq,
    ast.NotEq: ast.NotEq,
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
_METHODS = {
    "between": 2,
    "isin": 1,
    "is_missing": 0,
    "contains": 1,
    "contains_any": 1,
    "contains_all": 1,
}


def parse_filter(text: str) -> Expression:
    """Return the condition that a string describes.

    Parameters
    ----------
    text : str
        Names of attributes stand for themselves (``year``), or as ``field("my name")``. They are
        compared as in Python: ``year >= 2000``, ``2000 <= year < 2010``, ``language in ["en",
        "de"]``, or by the methods of `field`. ``&``, ``|``, ``~`` and ``and``, ``or``, ``not`` mean
        the same, but ``&`` and ``|`` bind more tightly than a comparison, which then needs
        parentheses. Values are numbers, strings, True and False. Nothing is ever executed.

    Returns
    -------
    Expression

    Raises
    ------
    TypeError
        If `text` is no string.
    ValueError
        If it is anything else than such a condition; the sentence names the part.

    Examples
    --------
    >>> parse_filter("year.between(2000, 2010) and tag in ['a', 'b']")
    year.between(2000, 2010) & tag.isin(['a', 'b'])
    """
    if not isinstance(text, str):
        raise TypeError(f"`text` must be a string, got {type(text).__name__}")
    if len(text) > _MOST_CHARACTERS:
        raise ValueError(f"`text` must have at most {_MOST_CHARACTERS:,} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _Reader(text.strip()).condition(tree.body)
    except SyntaxError as error:
        raise ValueError(f"`text` must be a condition, got {text!r}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ValueError("`text` must be a condition that is nested less deeply") from None


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def _refuse(self, node: ast.AST, why: str) -> ValueError:
        part = ast.get_source_segment(self._text, node) or type(node).__name__
        return ValueError(f"`text` {why}, got {part!r}")

    def condition(self, node: ast.expr) -> Expression:
        if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
            return self._joined(node)
        if isinstance(node, ast.BoolOp):
            parts = map(self.condition, node.values)
            if isinstance(node.op, ast.And):
                return reduce(lambda left, right: left & right, parts)
            return reduce(lambda left, right: left | right, parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
            return Not(self.condition(node.operand))
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.Call):
            return self._called(node)
        raise self._refuse(node, "must be made of comparisons and methods of attributes")

    def _joined(self, node: ast.BinOp) -> Expression:
        """A chain of one operator leans to the left, and may be long."""
        chain: list[ast.expr] = []
        here: ast.expr = node
        while isinstance(here, ast.BinOp) and isinstance(here.op, type(node.op)):
            chain.append(here.right)
            here = here.left
        parts = [self.condition(part) for part in (here, *reversed(chain))]
        if isinstance(node.op, ast.BitAnd):
            return reduce(lambda left, right: left & right, parts)
        return reduce(lambda left, right: left | right, parts)

    def _compared(self, node: ast.Compare) -> Expression:
        """One comparison, or a chain of them such as 2000 <= year < 2010."""
        sides = [node.left, *node.comparators]
        parts = [
            self._pair(node, left, operator, right)
            for left, operator, right in zip(sides, node.ops, sides[1:], strict=False)
        ]
        return reduce(lambda left, right: left & right, parts)

    def _pair(
        self, node: ast.Compare, left: ast.expr, operator: ast.cmpop, right: ast.expr
    ) -> Expression:
        kind = type(operator)
        name = self._field(left)
        if name is None:
            name, right = self._field(right), left
            if name is None or kind not in _MIRRORED:
                hint = _hint(node)
                raise self._refuse(node, f"must compare an attribute with a value{hint}")
            kind = _MIRRORED[kind]
        elif kind not in _COMPARE:
            raise self._refuse(node, "must compare by == != < <= > >= in, not in")
        listed = kind in (ast.In, ast.NotIn)
        return self._made(node, _COMPARE[kind], name, self._argument(right, listed, node))

    def _called(self, node: ast.Call) -> Expression:
        target = node.func
        name = self._field(target.value) if isinstance(target, ast.Attribute) else None
        if name is None or not isinstance(target, ast.Attribute) or target.attr not in _METHODS:
            methods = ", ".join(_METHODS)
            raise self._refuse(node, f"may call only the methods {methods} of an attribute")
        wanted = _METHODS[target.attr]
        if node.keywords or len(node.args) != wanted:
            raise self._refuse(node, f"must give {target.attr} {wanted} arguments without names")
        listed = target.attr in ("isin", "contains_any", "contains_all")
        arguments = [self._argument(argument, listed, node) for argument in node.args]
        return self._made(node, getattr(Field, target.attr), name, *arguments)

    def _made(self, node: ast.expr, make: Callable[..., Any], *arguments: Any) -> Expression:
        try:
            made: Expression = make(*arguments)
        except (TypeError, ValueError) as error:
            raise self._refuse(node, f"has a wrong value: {error}") from None
        return made

    def _field(self, node: ast.expr) -> Field | None:
        if isinstance(node, ast.Name):
            return Field(node.id)
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            return None
        if node.func.id != "field" or node.keywords or len(node.args) != 1:
            return None
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return Field(name.value)
        return None

    def _argument(self, node: ast.expr, listed: bool, whole: ast.expr) -> Any:
        if not listed:
            return self._value(node, whole)
        if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            raise self._refuse(node, "must have a list of values in brackets here")
        return [self._value(item, whole) for item in node.elts]

    def _value(self, node: ast.expr, whole: ast.expr) -> Any:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            number = self._value(node.operand, whole)
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                return -number if isinstance(node.op, ast.USub) else number
        elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float, str)):
            return node.value
        if isinstance(node, ast.BinOp):
            raise self._refuse(whole, f"must compare an attribute with a value{_HINT}")
        raise self._refuse(node, "must compare with a number, a string, True or False")


_HINT = ", and & and | need each comparison in parentheses"


def _hint(node: ast.Compare) -> str:
    sides = (node.left, *node.comparators)
    return _HINT if any(isinstance(side, ast.BinOp) for side in sides) else ""
