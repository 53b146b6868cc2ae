"""The slow twin of cpp/search/clusters.hpp and code_lists.hpp."""

from __future__ import annotations

import numpy as np

from . import codes as codes_twin


def centers(codes, bits, count, sample, iterations):
    """Return the centers of k-means over evenly spaced codes."""
    n = min(max(sample, count), len(codes))
    points = codes[np.arange(n) * len(codes) // n]
    made = points[np.arange(count) * n // count].copy()
    ones = np.unpackbits(points, axis=1)[:, :bits].astype(np.int64)
    for _ in range(iterations):
        nearest = codes_twin.hamming(points, made).argmin(axis=1)
        for c in range(count):
            own = ones[nearest == c]
            if len(own):
                made[c] = np.packbits(2 * own.sum(axis=0) > len(own))
    return made


def laid(codes, middles, starts, rows):
    """Return the planes and radii of lists."""
    tiles = len(rows) // 64 + len(middles)
    planes = np.zeros((tiles, codes.shape[1], 64), np.uint8)
    radii = np.zeros(tiles, np.uint16)
    for i, middle in enumerate(middles):
        own = codes[rows[starts[i] : starts[i + 1]]]
        for t in range(-(-len(own) // 64)):
            tile = own[64 * t : 64 * t + 64]
            planes[starts[i] // 64 + i + t, :, : len(tile)] = tile.T
            radii[starts[i] // 64 + i + t] = codes_twin.hamming(middle[None], tile[:1])[0, 0]
    return planes, radii


def spread(codes, middles):
    """Return how many centers are how much farther from some codes than the nearest."""
    n = min(512, len(codes))
    apart = codes_twin.hamming(codes[np.arange(n) * len(codes) // n], middles)
    beyond = apart - apart.min(axis=1, keepdims=True)
    return np.bincount(beyond.ravel(), minlength=8 * codes.shape[1] + 1).cumsum()


def margin(spread, probes, count):
    """Return how much farther than its nearest the centers of a query's lists may be."""
    if probes >= count:
        return len(spread) - 1
    return int(np.argmax(spread >= probes / count * spread[-1]))


def wanted_tiles(starts, radii, apart, limit):
    """Return in how many tiles a code may be nearer than a limit."""
    count = 0
    for i, far in enumerate(apart):
        first, tiles = starts[i] // 64 + i, -(-(int(starts[i + 1]) - int(starts[i])) // 64)
        count += int((radii[first : first + tiles].astype(np.int64) > far - limit).sum())
    return count


def search(middles, starts, rows, codes, queries, k, probes, mask, ranks):
    """Return ranks and distances of the k nearest in the lists of each query."""
    apart, lists = codes_twin.hamming(queries, middles), len(middles)
    spreads = spread(codes, middles)
    found, near = [], []
    for query, far in zip(queries, apart, strict=True):
        count = min(probes, lists)
        while True:
            chosen = np.flatnonzero(far <= far.min() + margin(spreads, count, lists))
            places = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in chosen])
            if mask is not None:
                places = places[mask[rows[places]]]
            if len(places) >= k or count == lists:
                break
            count = min(2 * count, lists)
        distances = codes_twin.hamming(query[None], codes[rows[places]])[0]
        best = np.lexsort((ranks[rows[places]], distances))[:k]
        found.append(ranks[rows[places[best]]])
        near.append(distances[best])
    return np.array(found), np.array(near)
