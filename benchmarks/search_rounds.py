"""How `search.py` measures: contestants that take turns, and the effort that reaches a recall.

A `System` has a name, settings of ascending effort, and what is known of it besides. A setting is
a function that makes a search; a search answers all queries of its part, one row of ids each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from common import Row, interleaved, timer

from bitsense import HammingIndex, hamming_distances

COLUMNS = (
    "part",
    "data",
    "items",
    "batch",
    "goal",
    "system",
    "effort",
    "recall",
    "qps",
    "ratio_to_faiss",
    "ratio_to_best_peer",
    "share_of_limit",
    "build_cpu_s",
    "bytes_per_item",
)
K = 10

Search = Callable[[], Any]
Efforts = Iterator[tuple[str, Callable[[], Search]]]
System = tuple[str, Callable[[], Efforts], Row]
Recall = Callable[[np.ndarray], float]  # of an answer


class Contestant(NamedTuple):
    """One system with one setting."""

    system: str
    effort: str
    search: Search
    more: Row = {}  # noqa: RUF012 - never changed


# Recall


def recall_by_id(right: np.ndarray) -> Recall:
    """Return a judge of answers: the share of the right ids that was found.

    For real vectors, which hardly ever tie, and whose distances each system rounds in its own way.
    """
    truth = [set(row.tolist()) for row in right]

    def recall(found: np.ndarray) -> float:
        hits = sum(len(ids & set(row.tolist())) for row, ids in zip(found, truth, strict=True))
        return hits / sum(map(len, truth))

    return recall


def recall_by_distance(flat: HammingIndex, codes: np.ndarray, queries: np.ndarray) -> Recall:
    """Return a judge of answers: an id is right if its distance is not above the K-th right one.

    For codes, of which many tie: a tie with the last may go to any. `flat` has the `codes` as its
    items, numbered by their rows; an id that occurs twice counts once, and -1 is none.
    """
    right = flat.search(queries, K)[1]

    def recall(found: np.ndarray) -> float:
        hits = 0
        for query, row, limit in zip(queries, found, right[:, -1], strict=True):
            ids = np.unique(row)
            near = hamming_distances(query[None], codes[ids[ids >= 0]], threads=1)
            hits += int((near <= limit).sum())
        return hits / right.size

    return recall


# Rounds


def measured(contestants: list[Contestant], rounds: int, queries: int, common: Row) -> list[Row]:
    """Return a row per contestant; each round times every one of them, once."""
    times: dict[int, list[float]] = {i: [] for i in range(len(contestants))}
    labels = [str(i) for i in range(len(contestants))]
    for _, label in interleaved(labels, rounds):
        contestant = contestants[int(label)]
        seconds, calls = 0.0, 0
        while seconds < 0.05:  # a clock tick is 10 ms on some machines
            with timer() as taken:
                contestant.search()
            seconds, calls = seconds + taken.cpu_s, calls + 1
        times[int(label)].append(seconds / calls)
    rows = []
    for i, contestant in enumerate(contestants):
        row = {
            **common,
            "system": contestant.system,
            "effort": contestant.effort,
            "qps": queries / float(np.median(times[i])),
            "rounds": rounds,
            **contestant.more,
        }
        row.update(_ratios(contestants, times, i))
        rows.append(row)
        print(
            "  " + ", ".join(f"{key} {_short(row[key])}" for key in COLUMNS if key in row),
            flush=True,
        )
    return rows


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ratios(contestants: list[Contestant], times: dict[int, list[float]], own: int) -> Row:
    """Return how much faster a contestant of ours is than the peers, round by round."""
    if not contestants[own].system.startswith("bitsense"):
        return {}
    ratios = {}
    for i, contestant in enumerate(contestants):
        if not contestant.system.startswith("bitsense"):
            ratios[i] = float(np.median(np.divide(times[i], times[own])))
    faiss = [ratio for i, ratio in ratios.items() if contestants[i].system.startswith("faiss")]
    row: Row = {}
    if faiss:
        row["ratio_to_faiss"] = min(faiss)
    if ratios:
        row["ratio_to_best_peer"] = min(ratios.values())
    return row


# Efforts


def settings(values: list[int], name: str, make: Callable[[int], Search]) -> Callable[[], Efforts]:
    """Return settings of one number, of which `make` makes a search."""

    def label(value: int) -> str:
        return f"{name}={value}" if name else ""

    return lambda: ((label(value), partial(make, value)) for value in values)


def ours(
    name: str, index: Any, queries: np.ndarray, effort: str, values: list[int], **more: Any
) -> tuple[str, Callable[[], Efforts]]:
    """Return one of our indexes as a system, less what is known of it besides."""

    def make(value: int) -> Search:
        return asking(index, queries, threads=1, **{effort: value}, **more)

    return f"bitsense {name}", settings(values, effort, make)


def our_flat(index: Any, queries: np.ndarray, **more: Any) -> System:
    """Return our flat index as a system, whose only setting is right."""
    return (
        "bitsense flat",
        lambda: iter([("", lambda: asking(index, queries, threads=1, **more))]),
        {},
    )


def asking(index: Any, queries: np.ndarray, **more: Any) -> Search:
    """Return a search of one of our indexes."""
    return lambda: index.search(queries, K, **more)[0]


def best_reaching(
    efforts: Efforts, recall: Recall, goal: float
) -> tuple[str, Search, float] | None:
    """Return the first setting, of ascending effort, whose recall reaches the goal."""
    for effort, make in efforts:
        search = make()
        reached = recall(search())
        if reached >= goal:
            return effort, search, reached
    return None


def ladder(first: int, last: int) -> list[int]:
    """Return efforts from `first` to `last`, each a fifth more than the one before."""
    steps = [first]
    while steps[-1] < last:
        steps.append(min(last, max(steps[-1] + 1, round(1.2 * steps[-1]))))
    return steps


def approximate(
    systems: list[System], recall: Recall, goals: list[float], rounds: int, common: Row
) -> list[Row]:
    """Return rows of every system at each recall that is a goal."""
    rows = []
    for goal in goals:
        contestants = []
        for system, efforts, more in systems:
            found = best_reaching(efforts(), recall, goal)
            if found is None:
                print(f"  {common['part']}: {system} does not reach {goal}")
                continue
            effort, search, reached = found
            contestants.append(Contestant(system, effort, search, {"recall": reached, **more}))
        rows += measured(contestants, rounds, common["batch"], {**common, "goal": goal})
    return rows
