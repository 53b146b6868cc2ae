"""A slow index: a dictionary of items, and every distance computed for every question."""

from __future__ import annotations

from typing import Any

import numpy as np


def hamming(a: np.ndarray, b: np.ndarray) -> float:
    return int(np.unpackbits(a ^ b).sum())


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(np.float32(max(0.0, 1 - a @ b / lengths))) if lengths > 0 else 1.0


def inner(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.float32(-(a.astype(np.float64) @ b)))


def squared(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.float32(((a.astype(np.float64) - b) ** 2).sum()))


class SlowIndex:
    """Items by id; `distance` of a query and an item."""

    def __init__(self, distance: Any) -> None:
        self.distance = distance
        self.items: dict[Any, np.ndarray] = {}
        self.years: dict[Any, int] = {}

    def add(self, ids: list[Any], items: np.ndarray, years: list[int]) -> None:
        for each, item, year in zip(ids, items, years, strict=True):
            self.items[each] = item
            self.years[each] = year

    def remove(self, ids: list[Any]) -> None:
        for each in ids:
            del self.items[each], self.years[each]

    def ranked(self, query: np.ndarray, passes: Any = None) -> list[tuple[float, Any]]:
        """Return (distance, id) of all items that pass, in order."""
        return sorted(
            (self.distance(query, item), each)
            for each, item in self.items.items()
            if passes is None or passes(each)
        )
