"""Fusion of rankings with dictionaries, one query at a time."""

from __future__ import annotations

import math


def parts(scores, method, constant, larger):
    """What each place of one ranking of one query gets."""
    if method == "rrf":
        return [1 / (constant + rank) for rank in range(1, len(scores) + 1)]
    signed = [float(score) if larger else -float(score) for score in scores]
    least, most = min(signed, default=0), max(signed, default=0)
    return [(s - least) / (most - least) if most > least else 1.0 for s in signed]


def fuse_one(rankings, method, weights, constant, larger):
    """All items of a query as (id, score), best first; rankings are lists of (ids, scores)."""
    gathered: dict = {}
    for (ids, scores), weight, direction in zip(rankings, weights, larger, strict=True):
        for name, part in zip(ids, parts(scores, method, constant, direction), strict=True):
            gathered.setdefault(name, []).append(weight * part)
    sums = {name: math.fsum(some) for name, some in gathered.items()}
    return sorted(sums.items(), key=lambda pair: (-pair[1], pair[0]))
