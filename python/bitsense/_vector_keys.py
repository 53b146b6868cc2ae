"""The keys of vectors: their checks, and an error that says which known keys are near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["UnknownKeyError", "check_keys"]

_NEAR = (
    100_000  # the first keys, usually the most frequent ones, among which near ones are looked for
)
_MOST_COMPARED = 4000


def check_keys(name: str, keys: Iterable[str]) -> list[str]:
    """Return keys as a list of distinct strings that are not empty and can be written as UTF-8."""
    if isinstance(keys, str):
        raise TypeError(f"`{name}` must be a sequence of strings, got one string")
    checked = list(keys)
    for key in checked:
        if not isinstance(key, str):
            raise TypeError(f"`{name}` must be strings, got {key!r}")
    if "" in checked:
        raise ValueError(f"`{name}` must not be empty, number {checked.index('')} is")
    try:
        "".join(checked).encode()
    except UnicodeEncodeError:
        bad = next(key for key in checked if not _is_unicode(key))
        raise ValueError(f"`{name}` must be valid Unicode, got {bad!r}") from None
    if len(set(checked)) != len(checked):
        seen: set[str] = set()
        twice = next(key for key in checked if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"`{name}` must be distinct, got {twice!r} twice")
    return checked


def _is_unicode(key: str) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


class UnknownKeyError(KeyError):
    """A key that is not there. The near ones are looked for only when the message is read."""

    def __init__(self, key: Any, index: Mapping[str, int], hint: str = "") -> None:
        super().__init__(key)
        self._index = index
        self._hint = hint

    def __str__(self) -> str:
        key = self.args[0]
        text = f"{key!r} is not among the {len(self._index):,} keys"
        if self._hint:
            return f"{text}; {self._hint}"
        near = near_keys(key, self._index) if isinstance(key, str) else []
        return f"{text}; near ones: {', '.join(map(repr, near))}" if near else text

    def __reduce__(self) -> tuple[Any, ...]:
        return KeyError, (str(self),)


def near_keys(key: str, index: Mapping[str, int], most: int = 3) -> list[str]:
    """Return known keys that are spelled like `key`."""
    near = [
        each for each in dict.fromkeys((key.lower(), key.title(), key.upper())) if each in index
    ]
    first = key[:1].lower()
    alike: list[str] = []
    for each, row in index.items():
        if row >= _NEAR or len(alike) >= _MOST_COMPARED:
            break
        if each[:1].lower() == first and abs(len(each) - len(key)) <= 2:
            alike.append(each)
    for each in difflib.get_close_matches(key, alike, most):
        if each not in near:
            near.append(each)
    return near[:most]
