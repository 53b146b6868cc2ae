"""The indexes of a soak, and what its threads do with them."""

from __future__ import annotations

import pickle
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from soak_checks import check_pairs, check_range, check_search, require
from soak_ledger import Ledger, View, distances, stored, tolerance

from bitsense import (
    CosineIndex,
    HammingIndex,
    _cosine_index,
    _hamming_index,
    _index_base,
    _inverted_lists,
    _merge,
    _principal_axes,
    _row_pairs,
    field,
    files,
    load,
    pack_signs,
)

__all__ = ["SPECS", "Spec", "Target", "shorten_days"]

Array = np.ndarray[Any, Any]
_CLUSTERS = 24
_RECALL, _ENOUGH = 0.8, 500  # answers, before the recall counts


class Spec(NamedTuple):
    """What a target is."""

    name: str
    ids: str
    """Of which type: "auto" for numbers that the index gives, "int" or "str"."""
    width: int
    """Bits or dimensions."""
    kind: str
    metric: str = "hamming"
    dtype: str = "float32"


SPECS = (
    Spec("codes flat", "auto", 64, "flat"),
    Spec("codes flat str", "str", 100, "flat"),
    Spec("codes multi", "int", 64, "multi"),
    Spec("codes multi auto", "auto", 96, "multi"),
    Spec("codes auto", "str", 72, "auto"),
    Spec("codes graph", "int", 128, "graph"),
    Spec("codes ivf", "str", 88, "ivf"),
    Spec("cosine flat", "auto", 20, "flat", "cosine", "int8"),
    Spec("l2 flat", "str", 97, "flat", "l2", "float16"),
    Spec("ip flat", "int", 90, "flat", "ip"),
    Spec("cosine graph", "str", 32, "graph", "cosine"),
    Spec("cosine graph axes", "int", 100, "graph", "cosine"),
    Spec("ip graph", "auto", 24, "graph", "ip"),
    Spec("l2 graph", "auto", 24, "graph", "l2", "int8"),
    Spec("cosine quantized", "int", 32, "quantized", "cosine", "float16"),
    Spec("l2 quantized", "auto", 31, "quantized", "l2"),
)


def shorten_days() -> None:
    """Let structures be built of hundreds of items, so that minutes see what days would."""
    _index_base._MOST_BEHIND = 200
    _hamming_index._TABLES_FROM = _hamming_index._APPROXIMATE_FROM = 300
    _hamming_index._LISTS_FROM = 300
    _inverted_lists._MANY_CODES = 300
    _row_pairs._JOIN_ROWS = 256
    _cosine_index._LEAST_ROWS = 300
    _cosine_index._LEAST_SKETCHED = _principal_axes._LEAST_ROWS = 300
    _merge.FEW_ROWS = 50


class Target:
    """An index, its ledger, and what a thread may do with them."""

    def __init__(self, spec: Spec, seed: int, items: int, folder: Path) -> None:
        self.spec = spec
        self.real = spec.metric != "hamming"
        self.exact = spec.kind not in ("graph", "ivf", "quantized")
        self.items = items
        self.path = folder / spec.name.replace(" ", "_")
        self.ledger = Ledger(spec.metric, spec.width, spec.ids == "str")
        self.changes = threading.RLock()  # held by whoever changes the index
        self.counts: Counter[str] = Counter()
        self.counting = threading.Lock()
        self.next = 0
        rng = np.random.default_rng(seed)
        self.centers = rng.standard_normal((_CLUSTERS, spec.width))
        options = {"kind": spec.kind, "threads": 2}
        self.index: Any = (
            CosineIndex(dim=spec.width, metric=spec.metric, dtype=spec.dtype, **options)
            if self.real
            else HammingIndex(bits=spec.width, **options)
        )
        self.add(rng, items)

    def count(self, name: str, amount: int = 1) -> None:
        with self.counting:
            self.counts[name] += amount

    def recall(self) -> float:
        """Return which share of all answers so far were among the nearest."""
        return self.counts["nearest"] / max(self.counts["answers"], 1)

    # Items

    def made(self, rng: Any, count: int) -> tuple[Array, Array]:
        """Return items for the index, near some centres, and their rows for the ledger."""
        chosen = self.centers[rng.integers(0, _CLUSTERS, count)]
        spread = 0.35 if self.real else 0.5
        near = (chosen + spread * rng.standard_normal(chosen.shape)).astype(np.float32)
        return near, near if self.real else np.where(near > 0, 1.0, -1.0)

    def given(self, items: Array) -> Array:
        return items if self.real else pack_signs(items)

    def kept(self, rows: Array) -> Array:
        """Return the rows of items as the index stores them."""
        return stored(rows, self.spec.dtype) if self.real else rows

    def attributes(self, years: Array) -> dict[str, Any]:
        return {
            "year": years,
            "word": [f"w{each}" for each in years.tolist()],
            "tags": [[f"t{each % 5}", f"u{each % 3}"] for each in years.tolist()],
            "odd": years % 2 == 1,
        }

    def new_years(self, rng: Any, count: int) -> Array:
        years: Array = rng.integers(0, 20 + self.ledger.clock % 3000, count)
        return years

    # Changes

    def add(self, rng: Any, count: int | None = None) -> None:
        """Add items."""
        count = int(rng.integers(0, 40)) if count is None else count
        items, rows = self.made(rng, count)
        with self.changes:
            numbers = np.arange(self.next, self.next + count)
            if self.spec.ids != "auto":
                numbers = numbers * 7919 % 1_000_003
            ids: Any = [f"n{each}" for each in numbers.tolist()]
            ids = ids if self.spec.ids == "str" else numbers
            self.next += count
            years = self.new_years(rng, count)
            self.ledger.begin_change(None, ids, self.kept(rows), years)
            given = None if self.spec.ids == "auto" else ids
            added = self.index.add(self.given(items), given, self.attributes(years))
            self.ledger.end_change()
            require(added.tolist() == list(ids), f"added {added.tolist()} for {list(ids)}")
        self.count("added", count)

    def remove(self, rng: Any) -> None:
        """Remove some items, at times most of them or all."""
        with self.changes:
            living = self.ledger.living()
            count = int(rng.integers(0, 60))
            chance = rng.random()
            if chance < 0.03:
                count = len(living.ids) * (10 if chance < 0.01 else 7) // 10
            dead = rng.permutation(len(living.ids))[:count]
            dead.sort()
            self.ledger.begin_change(dead, [], np.empty((0, self.spec.width)), [])
            removed = self.index.remove(living.ids[dead].tolist())
            self.ledger.end_change()
            require(removed == len(dead), f"removed {removed} of {len(dead)}")
            refill = 2 * len(living.ids) < self.items
        self.count("removed", removed)
        if refill:
            self.add(rng, self.items // 2)

    def update(self, rng: Any) -> None:
        """Replace some items, half of the time their attributes too."""
        with self.changes:
            living = self.ledger.living()
            chosen = rng.permutation(len(living.ids))[: int(rng.integers(0, 40))]
            chosen.sort()
            items, rows = self.made(rng, len(chosen))
            anew = rng.random() < 0.5
            years = self.new_years(rng, len(chosen)) if anew else living.years[chosen]
            self.ledger.begin_change(chosen, living.ids[chosen], self.kept(rows), years)
            attributes = self.attributes(years) if anew else None
            self.index.update(living.ids[chosen].tolist(), self.given(items), attributes)
            self.ledger.end_change()
        self.count("updated", len(chosen))

    def change(self, rng: Any) -> None:
        """Add, remove or replace, such that the number of items stays about the same."""
        if rng.random() < 0.3:
            self.update(rng)
        else:
            full = len(self.index) > self.items * rng.uniform(0.7, 1.3)
            (self.remove if full else self.add)(rng)

    # Searches

    def filters(
        self, rng: Any, still: View | None
    ) -> tuple[dict[str, Any], Callable[[View], Array]]:
        """Return filters, and which versions pass them; a mask only where the items stay."""
        year = int(rng.integers(0, 60))
        wheres: list[tuple[Any, Callable[[Array], Array]]] = [
            (f"year >= {year}", lambda years: years >= year),
            (f"not word == 'w{year}'", lambda years: years != year),
            (field("word").isin([f"w{year}", "w1"]), lambda years: (years == year) | (years == 1)),
            (field("tags").contains(f"t{year % 5}"), lambda years: years % 5 == year % 5),
            (f"odd == True or year < {year}", lambda years: (years % 2 == 1) | (years < year)),
        ]
        options: dict[str, Any] = {}
        tests: list[Callable[[View], Array]] = []
        if rng.random() < 0.4:
            where, passes = wheres[rng.integers(0, len(wheres))]
            options["where"] = where
            tests.append(lambda view: passes(view.years))
        if rng.random() < 0.2:
            everything = self.index.ids
            listed = everything[rng.random(len(everything)) < rng.random()]
            options["ids"] = listed if rng.random() < 0.5 else listed.tolist()
            tests.append(lambda view: np.isin(view.ids, listed.astype(view.ids.dtype)))
        if still is not None and rng.random() < 0.4:
            mask = rng.random(len(still.ids)) < rng.random()
            options["mask"] = mask
            tests.append(lambda view: mask)

        def passing(view: View) -> Array:
            chosen = np.ones(len(view.ids), np.bool_)
            for test in tests:
                chosen &= test(view)
            return chosen

        return options, passing

    def asked(self, rng: Any, many: int) -> tuple[Array, Array]:
        """Return queries for the index, and their rows."""
        items, rows = self.made(rng, many)
        return self.given(items), rows.astype(np.float64)

    def ask(self, rng: Any, still: View | None, index: Any = None) -> None:
        """Search in one of the three ways; `still` are the items where they stay."""
        chance = rng.random()
        if not self.real and chance < 0.06:
            self.join(rng, still, index)
        elif chance < 0.3:
            self.range_search(rng, still, index)
        else:
            self.search(rng, still, index)
        self.count("checks still" if still is not None else "checks while changing")

    def search(self, rng: Any, still: View | None, index: Any = None) -> None:
        """Search and check the answer."""
        queries, rows = self.asked(rng, int(rng.integers(1, 5)))
        options, passing = self.filters(rng, still)
        k = int(rng.choice([1, 3, 10, 50, 2000], p=[0.2, 0.25, 0.3, 0.2, 0.05]))
        if self.spec.kind == "quantized":  # few enough not to measure all
            options["shortlist"] = max(2 * k, 40)
        elif self.spec.kind == "graph" and rng.random() < 0.5:
            options["ef"] = max(k, 40)
        first = self.ledger.begin()
        answer = (index or self.index).search(
            queries, k, threads=int(rng.integers(1, 3)), **options
        )
        view = self.seen(first, still)
        view = view.chosen(passing(view))
        hits, wanted = check_search(view, self.spec.metric, rows, k, answer, self.exact)
        with self.counting:
            self.counts["searches"] += 1
            self.counts["answers"] += wanted
            self.counts["nearest"] += hits
            if self.counts["answers"] > _ENOUGH:
                recall = self.recall()
                require(recall >= _RECALL, f"recall is {recall:.3f}")

    def seen(self, first: int, still: View | None) -> View:
        """Return what a search that has ended may have seen."""
        view = self.ledger.end(first)
        require(still is None or np.array_equal(view.ids, still.ids), "the items did not stay")
        return view

    def radius(self, rng: Any) -> float:
        """Return a radius within which a query finds about what is in its cluster, or nothing."""
        if not self.real:
            return int(rng.choice([0, self.spec.width // 8, self.spec.width // 4]))
        scale = self.spec.width if self.spec.metric == "l2" else 1
        return float(rng.choice([0.0, 0.1, 0.2]) * scale)

    def range_search(self, rng: Any, still: View | None, index: Any = None) -> None:
        """Search within a radius and check the answer."""
        queries, rows = self.asked(rng, int(rng.integers(1, 5)))
        options, passing = self.filters(rng, still)
        radius, threads = self.radius(rng), int(rng.integers(1, 3))
        first = self.ledger.begin()
        answer = (index or self.index).range_search(queries, radius, threads=threads, **options)
        view = self.seen(first, still)
        view = view.chosen(passing(view))
        found = check_range(view, self.spec.metric, rows, radius, answer)
        self.count("range searches")
        self.count("within", found)

    def join(self, rng: Any, still: View | None, index: Any = None) -> None:
        """Find all pairs and check them."""
        radius = self.spec.width // 8
        year = int(rng.integers(0, 60))
        where = f"year < {year}" if rng.random() < 0.5 else None
        first = self.ledger.begin()
        blocks = list((index or self.index).self_join(radius, where=where, threads=2))
        view = self.seen(first, still)
        if where:
            view = view.chosen(view.years < year)
        pairs = [
            pair
            for block in blocks
            for pair in zip(*(each.tolist() for each in block), strict=True)
        ]
        found = check_pairs(view, radius, pairs, still is not None)
        self.count("self joins")
        self.count("pairs", found)

    def ask_still(self, rng: Any) -> None:
        """Search while nobody changes the index, which must have just the items of the ledger."""
        with self.changes:
            living = self.ledger.living()
            self.check_items(self.index, living)
            self.ask(rng, living)

    # Files

    def check_items(self, index: Any, living: View) -> None:
        """Check that an index has just the items that it should, in their order."""
        require(len(index) == len(living.ids), f"{len(index)} items, not {len(living.ids)}")
        require(index.ids.tolist() == living.ids.tolist(), "other ids, or in another order")
        if self.real:
            same = np.allclose(index.vectors, living.rows, rtol=1e-6, atol=1e-7)
        else:
            same = np.array_equal(index.codes.data, pack_signs(living.rows))
        require(same, "other vectors or codes")
        if len(living.ids):
            require(living.ids[-1].item() in index, f"no {living.ids[-1]!r} in it")

    def keep(self, rng: Any) -> None:
        """Save or append, load, and compare; at times go on with what was loaded."""
        with self.changes:
            if not self.path.exists() or rng.random() < 0.2:
                self.index.save(self.path)
                self.count("saves")
            else:
                self.index.append(self.path)
                self.count("appends")
            files.verify(self.path)
            if rng.random() < 0.7:
                loaded = load(self.path)
                self.count("loads")
            else:
                loaded = pickle.loads(pickle.dumps(self.index))
                self.count("pickles")
            living = self.ledger.living()
            self.check_items(loaded, living)
            self.ask(rng, living, loaded)
            if loaded._saved is not None and rng.random() < 0.3:
                self.index = loaded
                self.count("swaps")

    # The end

    def check_nothing_lost(self) -> None:
        """Check that the index and its file have every item, and that each is found by itself."""
        living = self.ledger.living()
        self.index.save(self.path)
        for index in (self.index, load(self.path)):
            self.check_items(index, living)
            self._check_found(index, living)
        self.count("items at the end", len(living.ids))

    def _check_found(self, index: Any, living: View) -> None:
        found = 0
        for start in range(0, len(living.ids), 100):
            rows, ids = living.rows[start : start + 100], living.ids[start : start + 100]
            queries = rows.astype(np.float32) if self.real else pack_signs(rows)
            near = tolerance(self.spec.metric, rows, living.rows)
            own = np.diag(distances(self.spec.metric, rows, rows))
            radius = float(own.max()) + near if self.real else 0
            offsets, within, _ = index.range_search(queries, radius)
            for i, each in enumerate(ids.tolist()):
                require(each in within[offsets[i] : offsets[i + 1]], f"{each!r} is lost")
            nearest = index.search(queries, 1)[1][:, 0]
            found += int((nearest <= own + 2 * near).sum())
        least = 1.0 if self.exact else 0.95
        require(found >= least * len(living.ids), f"{found} of {len(living.ids)} found first")
