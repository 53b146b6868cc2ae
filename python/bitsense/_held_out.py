"""A share of a source of documents that a training does not see, chosen by place and seed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ._edited_copies import HELD_OUT, draws

__all__ = ["HeldOut"]

_BLOCK = 4096


class HeldOut:
    """Those of some documents that are held out; `others` are the rest.

    Document i is held out where a hash of the seed and i, as a fraction of 2^64, is below the
    share. So it does not depend on how many there are, and a larger share holds out more of the
    same.

    Parameters
    ----------
    documents : iterable
        It is iterated over anew each time.
    share : float
        In (0, 1).
    seed : int
    """

    def __init__(self, documents: Iterable[Any], share: float, seed: int) -> None:
        self._documents = documents
        self._bound = int(share * 2**64)
        self._seed = seed

    def __iter__(self) -> Iterator[Any]:
        return self._part(True)

    def others(self) -> Iterator[Any]:
        """Iterate over the documents that are not held out."""
        return self._part(False)

    def _part(self, wanted: bool) -> Iterator[Any]:
        chosen: list[bool] = []
        for place, document in enumerate(self._documents):
            if place % _BLOCK == 0:
                words = draws(self._seed, HELD_OUT, _BLOCK, place).tolist()
                chosen = [word < self._bound for word in words]
            if chosen[place % _BLOCK] == wanted:
                yield document
