"""Checks of what `SenseVectors` is made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["check_offsets", "check_priors"]

Doubles = npt.NDArray[np.float64]


def check_offsets(offsets: npt.ArrayLike, words: int) -> npt.NDArray[np.int64]:
    """Return where the senses of each word begin, read-only, after checking it."""
    array = np.asarray(offsets)
    if array.dtype.kind not in "iu":
        raise TypeError(f"`offsets` must be integers, got dtype {array.dtype}")
    if array.shape != (words + 1,):
        raise ValueError(f"`offsets` must have the shape ({words + 1},), got {array.shape}")
    if array[0] != 0 or (array[1:] <= array[:-1]).any():
        raise ValueError("`offsets` must start at 0 and rise: each word has at least one sense")
    if array[-1] >= 2**62:
        raise ValueError(f"`offsets` must end at the number of vectors, got {array[-1]}")
    view: npt.NDArray[np.int64] = array.astype(np.int64, copy=False).view()
    view.flags.writeable = False
    return view


def check_priors(priors: npt.ArrayLike, offsets: Any, words: list[str]) -> Doubles:
    """Return the priors of senses, read-only, after checking that they fall and sum to 1."""
    array = np.asarray(priors)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"`priors` must be real numbers, got dtype {array.dtype}")
    if array.shape != (int(offsets[-1]),):
        raise ValueError(f"`priors` must have the shape ({offsets[-1]},), got {array.shape}")
    view: Doubles = array.astype(np.float64, copy=False).view()
    if not ((view >= 0) & (view <= 1)).all():
        raise ValueError("`priors` must be between 0 and 1")
    if words:
        totals = np.add.reduceat(view, offsets[:-1])
        wrong = np.flatnonzero(np.abs(totals - 1) > 1e-4)
        if wrong.size:
            word, total = words[wrong[0]], totals[wrong[0]]
            raise ValueError(f"`priors` must sum to 1 for each word, those of {word!r} to {total}")
    rising = np.flatnonzero(view[1:] > view[:-1]) + 1
    rising = rising[~np.isin(rising, offsets)]
    if rising.size:
        word = words[int(np.searchsorted(offsets, rising[0], side="right")) - 1]
        raise ValueError(f"`priors` must not rise within a word, those of {word!r} do")
    view.flags.writeable = False
    return view
