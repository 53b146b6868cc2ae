"""The benchmark of ingestion: a row for every contestant, ratios, counts that are checked."""

from __future__ import annotations

import json
import lzma

import pytest


@pytest.fixture
def ingestion(module):
    return module("ingestion")


def test_every_contestant_has_a_row(ingestion, monkeypatch, tmp_path):
    packed = tmp_path / "text.txt.xz"
    packed.write_bytes(lzma.compress(b"a red wine and a fast red car\n" * 500))
    monkeypatch.setattr(ingestion, "measured_step", lambda *_: (None, {"peak_mb": 1.0}))
    monkeypatch.setattr(ingestion, "find_spec", lambda _: None)
    rows_file = tmp_path / "rows.json"
    monkeypatch.setattr("sys.argv", ["ingestion.py", "--data", str(packed), "--quick", "--json",
                                     str(rows_file)])  # fmt: skip
    ingestion.main()
    rows = {row["name"]: row for row in json.loads(rows_file.read_text())}
    assert list(rows) == [*(n for n in ingestion.STEPS if "gensim" not in n), "read memory"]
    assert rows["build_corpus"]["same_counts"] is True
    assert {rows[name]["words"] for name in ("build_corpus", "encode_corpus", "load")} == {6}
    assert {rows[name]["tokens"] for name in ("build_corpus", "encode_corpus", "load")} == {4000}
    assert all(row["mb_per_cpu_s"] > 0 for row in rows.values())


def test_counts_that_are_not_those_of_plain_python_are_seen(ingestion, tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("red wine\nred\n")
    assert ingestion.same_counts(path, 1000)
    path.write_text("Red wine-bar\n")  # which plain Python does not fold and cut
    assert not ingestion.same_counts(path, 1000)


def test_a_row_has_the_medians_of_its_rounds(ingestion):
    runs = [(2.0, 4.0, (7, 9)), (1.0, 9.0, (7, 9)), (3.0, 5.0, (7, 9))]
    row = ingestion.row_of("build_corpus", runs, 10_000_000)
    assert (row["cpu_s"], row["wall_s"], row["mb_per_cpu_s"], row["rounds"]) == (2.0, 5.0, 5.0, 3)
    assert (row["words"], row["tokens"]) == (7, 9)
