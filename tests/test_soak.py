"""The soak of benchmarks/soak.py: two seconds of it, and whether it would see what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bitsense import HammingIndex, _core, _item_store


@pytest.fixture
def soak(module, monkeypatch):
    targets = module("soak_targets")
    for machinery in ("_index_base", "_hamming_index", "_cosine_index", "_merge", "_row_pairs",
                      "_principal_axes"):  # fmt: skip
        for name in ("_MOST_BEHIND", "_TABLES_FROM", "_APPROXIMATE_FROM", "_JOIN_ROWS",
                     "_LEAST_ROWS", "_LEAST_SKETCHED", "FEW_ROWS"):  # fmt: skip
            inside = getattr(targets, machinery)
            if hasattr(inside, name):  # so that they are put back
                monkeypatch.setattr(inside, name, getattr(inside, name))
    return module("soak")


def test_two_seconds_of_every_index_have_no_wrong_answer(soak, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.argv", ["soak.py", "--minutes", "0.033", "--items", "350", "--seed",
                                     "7", "--json", str(tmp_path / "rows.json")])  # fmt: skip
    soak.main()
    everything, *rows = json.loads((tmp_path / "rows.json").read_text())
    assert [row["name"] for row in rows] == [spec.name for spec in soak.SPECS]
    assert everything["operations"] > 0
    assert everything["threads"] == 8
    assert "every answer was right, and nothing was lost" in capsys.readouterr().out


@pytest.fixture
def target(soak, tmp_path):
    def make(name, items=120):
        spec = next(spec for spec in soak.SPECS if spec.name == name)
        return soak.Target(spec, 1, items, tmp_path)

    return make


def provoke(soak, target, times=60):
    """Change and ask in turn; return what was wrong."""
    rng = np.random.default_rng(3)

    def work():
        for _ in range(times):
            target.change(rng)
            target.ask(rng, None)
        target.check_nothing_lost()

    with pytest.raises((soak.WrongAnswerError, KeyError)) as caught:
        work()
    return str(caught.value)


def test_a_search_that_finds_what_is_dead_is_seen(soak, target, monkeypatch):
    flat = target("codes flat")
    whole = _item_store.Snapshot.bitmap
    monkeypatch.setattr(
        _item_store.Snapshot,
        "bitmap",
        lambda self, *a: whole(_item_store.replace(self, alive=None), *a),
    )
    provoke(soak, flat)


def test_a_distance_that_is_not_right_is_seen(soak, target, monkeypatch):
    flat, real = target("l2 flat"), _core.real_search

    def wrong(*arguments, **options):
        rows, distances = real(*arguments, **options)
        return rows, distances * np.float32(1.001)

    monkeypatch.setattr(_core, "real_search", wrong)
    assert "it may be at" in provoke(soak, flat)


def test_a_nearer_item_that_is_missing_is_seen(soak, target, monkeypatch):
    flat, search = target("codes flat str"), HammingIndex.search

    def later(self, queries, k, **options):
        ids, distances = search(self, queries, k + 1, **options)
        return ids[:, -k:], distances[:, -k:]

    monkeypatch.setattr(HammingIndex, "search", later)
    assert "nearer items are missing" in provoke(soak, flat)


def test_an_item_that_is_lost_is_seen(soak, target, monkeypatch):
    flat, update = target("codes multi"), HammingIndex.update

    def forgetful(self, ids, codes, attributes=None):
        update(self, ids, codes, attributes)
        self.remove(ids[:1])

    monkeypatch.setattr(HammingIndex, "update", forgetful)
    provoke(soak, flat)
