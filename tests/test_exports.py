"""Files for the TensorBoard projector and for Embedding Atlas."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from bitsense.exports import export_atlas, export_projector
from bitsense.vectors import SenseVectors, WordVectors


@pytest.fixture
def senses() -> SenseVectors:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(6, 4)).astype(np.float32)
    return SenseVectors(
        ["bank", "größe", "c#"], [0, 2, 3, 6], vectors,
        priors=[0.75, 0.25, 1.0, 0.5, 0.3, 0.2], counts=[100, 7, 10],
    )  # fmt: skip


@pytest.fixture
def words() -> WordVectors:
    return WordVectors(["a", "b", "c"], [[1.0, 0.0], [0.1, 1e-30], [-3.0, 0.5]])


def read(path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


# The projector


def test_projector_files_hold_senses(senses, tmp_path):
    folder = tmp_path / "new" / "folder"
    export_projector(senses, folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "metadata.tsv", "projector_config.pbtxt", "vectors.tsv",
    ]  # fmt: skip
    got = np.array(read(folder / "vectors.tsv"), dtype=np.float32)
    assert np.array_equal(got, senses.vectors)
    assert read(folder / "metadata.tsv") == [
        ["key", "word", "sense", "prior", "count"],
        ["bank#1", "bank", "1", "0.75", "75"],
        ["bank#2", "bank", "2", "0.25", "25"],
        ["größe#1", "größe", "1", "1", "7"],
        ["c##1", "c#", "1", "0.5", "5"],
        ["c##2", "c#", "2", "0.3", "3"],
        ["c##3", "c#", "3", "0.2", "2"],
    ]


def test_projector_files_hold_words_and_can_be_shorter(words, tmp_path):
    class Model:
        wv = words

    export_projector(Model(), tmp_path, limit=2)
    assert np.array_equal(
        np.array(read(tmp_path / "vectors.tsv"), dtype=np.float32), words.vectors[:2]
    )
    assert read(tmp_path / "metadata.tsv")[1:] == [
        ["a", "a", "1", "1", ""],
        ["b", "b", "1", "1", ""],
    ]


@pytest.mark.parametrize("key", ["a\tb", "a\nb", "a\rb", "\u2028"])
def test_a_key_that_breaks_lines_is_refused_by_name(tmp_path, key):
    vectors = WordVectors(["fine", key], np.eye(2))
    with pytest.raises(ValueError, match="holds a tab or a line break") as caught:
        export_projector(vectors, tmp_path / "out")
    assert repr(key) in str(caught.value)
    assert not (tmp_path / "out").exists()
    export_projector(vectors, tmp_path / "out", limit=1)


def test_a_failing_export_leaves_old_files_alone(words, tmp_path, monkeypatch):
    export_projector(words, tmp_path)
    old = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fail(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        export_projector(WordVectors(["x"], [[1.0]]), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == old


# Embedding Atlas


@pytest.fixture
def parquet():
    return pytest.importorskip("pyarrow.parquet")


def test_atlas_has_places_neighbours_and_senses(senses, parquet, tmp_path):
    path = tmp_path / "senses.parquet"
    export_atlas(senses, path, neighbors=3, include_vectors=True)
    table = parquet.read_table(path)
    assert table.column_names == [
        "key", "word", "sense", "prior", "count", "x", "y", "neighbors", "vector",
    ]  # fmt: skip
    types = {field.name: str(field.type).replace("element", "item") for field in table.schema}
    assert types["neighbors"] == "struct<ids: list<item: int64>, distances: list<item: float>>"
    assert types["count"] == "int64"
    rows = table.to_pylist()
    assert [row["key"] for row in rows] == senses.index_to_key
    assert [row["count"] for row in rows] == [75, 25, 7, 5, 3, 2]
    assert np.array_equal(np.array([row["vector"] for row in rows], np.float32), senses.vectors)
    units = senses.vectors / np.linalg.norm(senses.vectors, axis=1, keepdims=True)
    for number, row in enumerate(rows):
        ids, distances = row["neighbors"]["ids"], row["neighbors"]["distances"]
        want = 1 - units @ units[number]
        want[number] = np.inf
        assert ids == np.argsort(want)[:3].tolist()
        assert np.allclose(distances, want[ids], atol=1e-6)


def test_atlas_with_a_limit_names_only_rows_that_are_there(senses, parquet, tmp_path):
    export_atlas(senses, tmp_path / "a.parquet", limit=3)
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert [sorted(row["neighbors"]["ids"]) for row in rows] == [[1, 2], [0, 2], [0, 1]]
    assert "vector" not in rows[0]


def test_atlas_knows_no_counts_of_plain_words(words, parquet, tmp_path):
    export_atlas(words, tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column("count").to_pylist() == [None] * 3
    assert table.column("sense").to_pylist() == [1] * 3
    export_atlas(words, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_pyarrow_is_named_where_it_is_missing(words, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = r"^this needs pyarrow, which is not installed: pip install 'bitsense\[parquet\]'$"
    with pytest.raises(ImportError, match=message):
        export_atlas(words, tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


def test_wrong_arguments(words, parquet, tmp_path):
    with pytest.raises(ValueError, match=r"^`limit` must be at least 1, got 0$"):
        export_projector(words, tmp_path, limit=0)
    with pytest.raises(ValueError, match=r"^`neighbors` must be at least 1, got 0$"):
        export_atlas(words, tmp_path / "a", neighbors=0)
    with pytest.raises(ValueError, match=r"^`vectors` must have at least 2 rows, got 1$"):
        export_atlas(words, tmp_path / "a", limit=1)
    with pytest.raises(
        TypeError, match=r"^`model` must be vectors or have them as `wv`, got list$"
    ):
        export_projector([1], tmp_path)
    assert list(tmp_path.iterdir()) == []
