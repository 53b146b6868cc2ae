"""The slow twins of the graph of neighbours: records, distances, walks that compare everything."""

from __future__ import annotations

import numpy as np

NO_ROW = 0xFFFFFFFF


def records(vectors):
    """Return (bytes, scales, squared norms) of float32 rows."""
    largest = np.abs(vectors).max(axis=1)
    scales = (largest / np.float32(127)).astype(np.float32)
    with np.errstate(all="ignore"):  # a scale may be 0, or have no inverse
        inverse = np.where(scales > 0, np.float32(1) / scales, np.float32(0)).astype(np.float32)
        values = np.rint(np.clip(vectors * inverse[:, None], -127, 127)).astype(np.int8)
    return values, scales, (vectors.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)


def reached(neighbors, entries):
    """Return which rows a walk from the entries can come to."""
    seen = np.zeros(len(neighbors), np.bool_)
    front = np.unique(entries)
    while len(front):
        seen[front] = True
        near = np.unique(neighbors[front])
        near = near[near != NO_ROW]
        front = near[~seen[near]]
    return seen


def kept(distances, between, alpha, degree):
    """Return which candidates become neighbours; they are in order of `distances`."""
    chosen: list[int] = []
    for i, distance in enumerate(distances):
        if len(chosen) == degree:
            break
        if all(np.float32(alpha) * between[j, i] >= distance for j in chosen):
            chosen.append(i)
    return chosen


def recall(found, nearest):
    """Return the part of the k nearest that was found; equal distances are as good."""
    return float((found <= nearest[:, found.shape[1] - 1 :][:, :1]).mean())
