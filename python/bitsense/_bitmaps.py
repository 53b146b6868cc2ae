"""Which rows may be found: masks of bool, and bitmaps of 64-bit words as the engine takes them.

In a bitmap item i is bit i % 64, from the lowest, of word i // 64.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["behind", "check_mask", "pack_mask", "unpack_mask", "within"]

Words = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


def check_mask(mask: npt.ArrayLike, items: int) -> Mask:
    """Return a mask as a bool array with an element per item."""
    array = np.asarray(mask)
    if array.dtype != np.bool_:
        raise TypeError(f"`mask` must have dtype bool, got dtype {array.dtype}")
    if array.shape != (items,):
        raise ValueError(f"`mask` must have shape ({items},), got {array.shape}")
    return np.ascontiguousarray(array)


def pack_mask(mask: Mask) -> Words:
    """Return the bitmap of a mask; bits behind the last item are zero."""
    octets = np.zeros((len(mask) + 63) // 64 * 8, np.uint8)
    octets[: (len(mask) + 7) // 8] = np.packbits(mask, bitorder="little")
    words: Words = octets.view("<u8").astype(np.uint64, copy=False)
    return words


def unpack_mask(words: Words, rows: int) -> Mask:
    """Return the mask of a bitmap of so many rows."""
    octets = words.astype("<u8", copy=False).view(np.uint8)
    return np.unpackbits(octets, count=rows, bitorder="little").view(np.bool_)


def within(covered: int, bitmap: Words | None) -> Words | None:
    """Return the bitmap of the first `covered` rows."""
    if bitmap is None:
        return None
    head: Words = bitmap[: (covered + 63) // 64].copy()
    if covered % 64:
        head[-1] &= np.uint64((1 << covered % 64) - 1)
    return head


def behind(covered: int, rows: int, bitmap: Words | None) -> tuple[int, Words | None]:
    """Return a multiple of 64 and the bitmap of the rows from there on, of which those before
    `covered` do not pass."""
    first = covered // 64 * 64
    if bitmap is None:
        if first == covered:
            return first, None
        rest = np.full((rows - first + 63) // 64, ~np.uint64(0))
    else:
        rest = bitmap[first // 64 :].copy()
    rest[0] &= ~np.uint64((1 << (covered - first)) - 1)
    if rows % 64:
        rest[-1] &= np.uint64((1 << rows % 64) - 1)
    return first, rest
