"""Values that a caller gives for a column: their kind, and as what they are kept.

int64 has no value -2^63, which stands for a missing one; float64 has NaN for it. A bool is int8: 0,
1, or -1 where it is missing. Strings, and lists of strings, stay Python objects here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["KINDS", "MISSING_INT", "Incoming", "incoming", "kind_of"]

KINDS = ("int64", "float64", "str", "bool", "tags")
MISSING_INT = -(2**63)
_EXACT = 2**53  # whole numbers up to here are exact in float64
Incoming = npt.NDArray[Any] | list[Any]
_LISTS = (list, tuple, set, frozenset, np.ndarray)


def _plain(name: str, values: Any) -> npt.NDArray[Any] | list[Any]:
    """Return numbers and bools as an array, anything else as a list of Python objects."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f"`{name}` must be a column of values, got {type(values).__name__}")
    if isinstance(values, (list, tuple)):
        return list(values)
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"`{name}` must have 1 dimension, got {array.ndim}")
    if array.dtype.kind not in "biufUO":
        raise TypeError(
            f"`{name}` must hold numbers, strings, bools or lists of strings, got dtype "
            f"{array.dtype}"
        )
    return array if array.dtype.kind in "biuf" else array.tolist()


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ == "NAType":  # pandas.NA has no truth value
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def _class_of(value_type: type) -> str:
    if issubclass(value_type, (bool, np.bool_)):
        return "bool"
    if issubclass(value_type, (int, np.integer)):
        return "int64"
    if issubclass(value_type, (float, np.floating)):
        return "float64"
    if issubclass(value_type, str):
        return "str"
    return "tags" if issubclass(value_type, _LISTS) else value_type.__name__


def _present(values: list[Any]) -> list[Any]:
    """The values with None for each missing one."""
    if set(map(type, values)) <= {str, bool, int, list, tuple, type(None)}:
        return values
    return [None if _is_missing(value) else value for value in values]


def _kinds(values: list[Any]) -> set[str]:
    return {_class_of(each) for each in set(map(type, values)) - {type(None)}}


def kind_of(name: str, values: Any) -> str:
    """Return the kind of a new column.

    Raises
    ------
    TypeError, ValueError
        If the values are of no kind, of several, or all missing.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return "str"
    plain = _plain(name, values)
    if isinstance(plain, np.ndarray):
        return {"b": "bool", "f": "float64"}.get(plain.dtype.kind, "int64")
    kinds = _kinds(_present(plain))
    if not kinds:
        raise ValueError(
            f"`{name}` must have a value that is not missing, or its kind be given in `kinds`"
        )
    if kinds == {"int64", "float64"}:
        return "float64"
    if len(kinds) > 1 or not kinds <= set(KINDS):
        raise TypeError(
            f"`{name}` must hold numbers, strings, bools or lists of strings, and one kind of "
            f"them, got {' and '.join(sorted(kinds))}"
        )
    return kinds.pop()


def incoming(name: str, kind: str, values: Any) -> Incoming:
    """Return values of a column of a kind, as it keeps them.

    Raises
    ------
    TypeError
        If values are of another kind.
    ValueError
        If a number does not fit.
    """
    plain = _plain(name, values)
    if isinstance(plain, list):
        plain = _present(plain)
        kinds = _kinds(plain)
    else:
        kinds = {{"b": "bool", "f": "float64"}.get(plain.dtype.kind, "int64")}
    others = kinds - (_NUMBERS if kind in _NUMBERS else {kind})
    if others and len(plain):
        raise TypeError(
            f"`{name}` must hold values of kind {kind}, got {' and '.join(sorted(others))}"
        )
    try:
        return _MAKERS[kind](name, plain, "float64" in kinds)
    except OverflowError:
        raise ValueError(f"`{name}` must hold numbers that {kind} can hold") from None
    except UnicodeEncodeError:
        raise ValueError(
            f"`{name}` must hold valid Unicode, got half of a surrogate pair"
        ) from None


def _integers(name: str, plain: Incoming, floats: bool) -> npt.NDArray[np.int64]:
    """Floats are taken where they are whole, as pandas makes them of integers with missing ones."""
    if floats:
        given = _floats(name, plain, floats)
        missing = np.isnan(given)
        whole = np.where(missing, 0.0, given)
        bad = (whole != np.floor(whole)) | (np.abs(whole) > _EXACT)
        if bad.any():
            raise TypeError(f"`{name}` must hold values of kind int64, got {whole[bad][0]}")
        made = whole.astype(np.int64)
    elif isinstance(plain, np.ndarray):
        if plain.dtype.kind == "u" and plain.size and int(plain.max()) >= 2**63:
            raise OverflowError
        missing = np.zeros(len(plain), np.bool_)
        made = plain.astype(np.int64)
    else:
        missing = np.array([value is None for value in plain], np.bool_)
        made = np.array([0 if value is None else value for value in plain], np.int64)
    if (made == MISSING_INT).any():
        raise ValueError(f"`{name}` must hold integers above -2**63, which stands for none")
    made[missing] = MISSING_INT
    return made


def _floats(name: str, plain: Incoming, floats: bool) -> npt.NDArray[np.float64]:
    if isinstance(plain, np.ndarray):
        return plain.astype(np.float64)
    return np.array([np.nan if value is None else float(value) for value in plain], np.float64)


def _bools(name: str, plain: Incoming, floats: bool) -> npt.NDArray[np.int8]:
    if isinstance(plain, np.ndarray):
        return plain.astype(np.int8)
    return np.array([-1 if value is None else bool(value) for value in plain], np.int8)


def _strings(name: str, plain: Incoming, floats: bool) -> list[str | None]:
    distinct = set(plain)
    distinct.discard(None)
    _require_unicode(distinct)
    if set(map(type, distinct)) <= {str}:
        return list(plain)
    return [None if value is None else str(value) for value in plain]


def _tags(name: str, plain: Incoming, floats: bool) -> list[list[str]]:
    """A missing list is an empty one; a tag may be there twice."""
    rows = [[] if tags is None else tags if type(tags) is list else list(tags) for tags in plain]
    kinds = set(map(type, itertools.chain.from_iterable(rows)))
    if not all(issubclass(kind, str) for kind in kinds):
        for i, row in enumerate(rows):
            for tag in row:
                if not isinstance(tag, str):
                    got = type(tag).__name__
                    raise TypeError(f"`{name}`[{i}] must be a list of strings, got one with {got}")
    if not kinds <= {str}:
        rows = [list(map(str, row)) for row in rows]
    _require_unicode(set(itertools.chain.from_iterable(rows)))
    return rows


def _require_unicode(strings: set[Any]) -> None:
    for string in strings:
        string.encode("utf-8")


_NUMBERS = {"int64", "float64"}
_MAKERS: dict[str, Callable[[str, Incoming, bool], Incoming]] = {
    "int64": _integers,
    "float64": _floats,
    "bool": _bools,
    "str": _strings,
    "tags": _tags,
}
