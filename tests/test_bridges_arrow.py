"""Arrow: the C data interface by a twin of its own, pyarrow, Polars, DuckDB, Parquet files."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest
from arrow_consumer import (
    Schema,
    buffer_of,
    metadata_of,
    next_of,
    release,
    schema_of,
    stream_of,
    structure,
    take_child,
)
from bridging import clustered_codes, needed, random_codes, run_recipe, same

from bitsense import HammingIndex, SenseVectors, _core, bridges, hamming_distances

VECTORS = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)
NAMES = ["", "größe", "c"]
STATM = Path("/proc/self/statm")


class Watched(np.ndarray):
    """An array that a weak reference can watch."""


def watched(values: np.ndarray) -> tuple[np.ndarray, weakref.ref]:
    array = Watched(values.shape, values.dtype)  # owns its memory
    array[...] = values
    return array, weakref.ref(array)


# The C data interface, with no package but ctypes


def test_the_structures_are_as_specified():
    codes = random_codes(3, 20, ids=NAMES)
    stream = stream_of(bridges.arrow_table(codes, VECTORS))
    schema, array = schema_of(stream), next_of(stream)
    assert (schema.format, schema.n_children, array.n_children) == (b"+s", 3, 3)
    fields = [schema.children[i].contents for i in range(3)]
    assert [(f.name, f.format, f.flags) for f in fields] == [
        (b"id", b"U", 2), (b"code", b"w:3", 2), (b"vector", b"+w:4", 2),
    ]  # fmt: skip
    item = fields[2].children[0].contents
    assert (item.name, item.format) == (b"item", b"f")
    assert [metadata_of(f) for f in fields] == [
        {}, {"bitsense.bits": "20", "bitsense.bit_order": "msb"}, {},
    ]  # fmt: skip
    names, packed, lists = (array.children[i].contents for i in range(3))
    items = lists.children[0].contents
    for part, length, buffers in (
        (array, 3, 1), (names, 3, 3), (packed, 3, 2), (lists, 3, 1), (items, 12, 2),
    ):  # fmt: skip
        assert (part.length, part.null_count, part.offset) == (length, 0, 0)
        assert part.n_buffers == buffers
        assert part.buffers[0] is None
        assert not part.dictionary
    assert buffer_of(names, 1, 32) == np.array([0, 0, 7, 8]).tobytes()
    assert buffer_of(names, 2, 8) == "größec".encode()
    assert buffer_of(packed, 1, 9) == codes.data.tobytes()
    assert buffer_of(items, 1, 48) == VECTORS.tobytes()
    assert next_of(stream) is None
    assert next_of(stream) is None
    assert stream.get_last_error(stream) is None
    for thing in (array, schema, stream):
        release(thing)


def test_senses_are_vectors_with_keys():
    senses = SenseVectors(["bank", "c"], [0, 2, 3], VECTORS, priors=[0.5, 0.5, 1.0])
    stream = stream_of(bridges.arrow_table(vectors=senses))
    array = next_of(stream)
    assert buffer_of(array.children[0].contents, 2, 15) == b"bank#1bank#2c#1"
    release(array)
    release(stream)


def test_nothing_is_copied():
    codes, ids = random_codes(3, 20), np.array([5, -1, 2**62])
    stream = stream_of(bridges.arrow_table(codes, VECTORS, ids=ids))
    array = next_of(stream)
    assert array.children[1].contents.buffers[1] == codes.data.ctypes.data
    assert array.children[2].contents.children[0].contents.buffers[1] == VECTORS.ctypes.data
    assert buffer_of(array.children[0].contents, 1, 24) == ids.tobytes()
    release(array)
    release(stream)


def test_what_is_not_aligned_is_copied():
    odd = np.frombuffer(b"x" + VECTORS.tobytes(), np.float32, offset=1).reshape(3, 4)
    assert not odd.flags.aligned
    stream = stream_of(bridges.arrow_table(vectors=odd))
    array = next_of(stream)
    items = array.children[0].contents.children[0].contents
    assert items.buffers[1] % 4 == 0
    assert buffer_of(items, 1, 48) == VECTORS.tobytes()
    release(array)
    release(stream)


def test_memory_outlives_the_objects_and_no_longer():
    data, gone = watched(np.arange(6, dtype=np.uint8).reshape(3, 2))
    stream = stream_of(bridges.arrow_table(data))
    del data
    array = next_of(stream)
    release(stream)
    gc.collect()
    assert gone() is not None
    packed = take_child(array, 0)
    release(array)
    assert buffer_of(packed, 1, 6) == bytes(range(6))
    assert gone() is not None
    release(packed)
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("use", ["nothing", "capsule", "stream", "schema", "both", "thread"])
def test_nothing_leaks_however_it_is_used(use):
    data, gone = watched(np.zeros((4, 2), np.uint8))
    vectors, too = watched(np.zeros((4, 2), np.float32))
    table = bridges.arrow_table(data, vectors, ids=["a", "b", "c", "d"])
    del data, vectors
    if use == "capsule":
        table.__arrow_c_stream__(), table.__arrow_c_schema__()
    elif use != "nothing":
        stream = stream_of(table)
        if use in ("schema", "both", "thread"):
            release(schema_of(stream))
        array = next_of(stream) if use in ("both", "thread") else None
        del table
        release(stream)
        if use == "both":
            release(array)
        elif use == "thread":
            thread = threading.Thread(target=release, args=(array,))
            thread.start()
            thread.join()
    table = None
    gc.collect()
    assert (gone(), too()) == (None, None)


@pytest.mark.skipif(
    not STATM.exists() or "libasan" in os.environ.get("LD_PRELOAD", ""),
    reason="needs a memory that is given back at once",
)
def test_many_exports_hold_no_memory():
    def resident() -> int:
        return int(STATM.read_text().split()[1]) * 4096

    codes = random_codes(2000, 256, ids=[f"name {i}" for i in range(2000)])

    def export() -> None:
        stream = stream_of(bridges.arrow_table(codes, np.zeros((2000, 8), np.float32)))
        for thing in (schema_of(stream), next_of(stream), stream):
            release(thing)

    for _ in range(50):
        export()
    before = resident()
    for _ in range(300):
        export()  # a leak of the vectors alone would be 19 MB
    assert resident() - before < 8e6


def test_the_schema_comes_alone():
    capsule = bridges.arrow_table(random_codes(1, 12)).__arrow_c_schema__()
    schema = structure(capsule, Schema, b"arrow_schema")
    assert metadata_of(schema.children[0].contents)["bitsense.bits"] == "12"


def test_a_table_may_outlive_the_interpreter():
    program = """
import sys, numpy as np, bitsense
sys.path.insert(0, sys.argv[1])
from arrow_consumer import next_of, stream_of
stream = stream_of(bitsense.bridges.arrow_table(np.zeros((2, 2), np.uint8)))
array = next_of(stream)
kept = [stream, array, bitsense.bridges.arrow_table(np.zeros((2, 2), np.uint8))]
sys.kept = [kept, kept[2].__arrow_c_stream__()]
print("ends")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ends\n"), done.stderr


def test_a_table_says_what_it_is():
    table = bridges.arrow_table(random_codes(5, 9))
    assert (len(table), repr(table)) == (5, "<ArrowTable: 5 rows>")
    assert len(bridges.arrow_table(vectors=VECTORS)) == 3


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bridges.arrow_table(), ValueError,
         "`codes` or `vectors` must be given, got neither"),
        (lambda: bridges.arrow_table(random_codes(2, 8), ids=[1]), ValueError,
         "`ids` must have 2 items, got 1"),
        (lambda: bridges.arrow_table(random_codes(1, 8), ids=["\ud800"]), ValueError,
         "`ids` must be text that UTF-8 can hold, got '\\ud800'"),
        (lambda: bridges.from_arrow([1]), TypeError,
         "`table` must have the method __arrow_c_stream__, got list"),
        (lambda: _core.arrow_texts("a", np.array([0, 5]), np.zeros(4, np.uint8)), ValueError,
         "`ends` must end in `bytes`"),
        (lambda: _core.arrow_texts("a", np.array([1, 2]), np.zeros(4, np.uint8)), ValueError,
         "`ends` must start with 0"),
        (lambda: _core.arrow_texts("a", np.array([0, 3, 2]), np.zeros(4, np.uint8)), ValueError,
         "`ends` must not fall"),
        (lambda: _core.arrow_table([]), ValueError, "`columns` must not be empty"),
        (lambda: _core.arrow_table([_core.arrow_numbers("a", np.arange(i)) for i in (1, 2)]),
         ValueError, "`columns` must be equally long"),
    ],
)  # fmt: skip
def test_wrong_arguments(call, error, message):
    if "from_arrow" in call.__code__.co_names:
        needed("pyarrow")
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "call",
    [
        lambda path: bridges.write_parquet(path, random_codes(1, 8)),
        lambda path: bridges.read_parquet(path),
        lambda path: bridges.from_arrow(bridges.arrow_table(random_codes(1, 8))),
    ],
)
def test_pyarrow_is_named_where_it_is_missing(call, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    message = r"^this needs pyarrow, which is not installed: pip install 'bitsense\[parquet\]'$"
    with pytest.raises(ImportError, match=message):
        call(tmp_path / "a.parquet")
    assert list(tmp_path.iterdir()) == []


# Polars


@pytest.fixture
def arrow():
    return needed("pyarrow")


@pytest.mark.parametrize("make", [random_codes, clustered_codes])
@pytest.mark.parametrize("bits", [64, 128, 100])
def test_polars_measures_our_distances(make, bits):
    polars = needed("polars")
    codes = make(500, bits)
    words = polars.DataFrame(codes.to_uint64(), schema=[f"w{i}" for i in range(-(-bits // 64))])
    for row in range(3):
        asked = codes[row].to_uint64()[0]
        distance = sum(
            (polars.col(f"w{i}") ^ polars.lit(word, polars.UInt64)).bitwise_count_ones()
            for i, word in enumerate(asked)
        )
        got = words.select(distance.alias("d"))["d"].to_numpy()
        assert np.array_equal(got, hamming_distances(codes[row], codes)[0])


def test_polars_frames_lead_there_and_back(arrow):
    polars = needed("polars")
    codes = random_codes(200, 100, ids=[f"ü{i}" for i in range(200)])
    vectors = np.random.default_rng(2).normal(size=(200, 7)).astype(np.float32)
    frame = polars.DataFrame(bridges.arrow_table(codes, vectors))
    assert frame.schema == {
        "id": polars.String, "code": polars.Binary, "vector": polars.Array(polars.Float32, 7),
    }  # fmt: skip
    assert frame["code"].to_list() == [row.tobytes() for row in codes.data]
    assert np.array_equal(frame["vector"].to_numpy(), vectors)
    same(bridges.from_arrow(frame, bits=100), codes, vectors, codes.ids)


def test_the_recipe_for_polars_runs(arrow):
    needed("polars")
    names = run_recipe("Polars")
    assert names["found"]["distance"].to_list() == names["same"][0].tolist()
    same(names["back"], names["codes"], names["vectors"], names["codes"].ids)


# DuckDB


@pytest.fixture
def duck():
    connection = needed("duckdb").connect()
    yield connection
    connection.close()


@pytest.mark.parametrize("make", [random_codes, clustered_codes])
@pytest.mark.parametrize("bits", [8, 64, 100, 256])
def test_duckdb_measures_our_distances(duck, make, bits):
    codes = make(500, bits, ids=np.arange(500) * 2)
    duck.register("t", bridges.arrow_table(codes))
    asked = (
        "SELECT id, bit_count(xor(code::BIT, $1::BLOB::BIT)) AS d FROM t ORDER BY d, id LIMIT 40"
    )
    for row in range(3):
        got = duck.execute(asked, [codes.data[row].tobytes()]).fetchall()
        ids, distances = HammingIndex(codes).search(codes[row], k=40)
        assert got == list(zip(ids[0].tolist(), distances[0].tolist(), strict=True))


def test_duckdb_measures_cosines_and_leads_back(duck, arrow):
    vectors = np.random.default_rng(2).normal(size=(300, 16)).astype(np.float32)
    codes = random_codes(300, 24)
    duck.register("t", bridges.arrow_table(codes, vectors, ids=range(300)))
    asked = "SELECT array_cosine_distance(vector, $1::FLOAT[16]) FROM t ORDER BY id"
    got = np.ravel(duck.execute(asked, [vectors[0].tolist()]).fetchall())
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    assert np.allclose(got, 1 - units @ units[0], atol=1e-6)
    back = bridges.from_arrow(duck.sql("SELECT * FROM t ORDER BY id"), bits=24)
    assert np.array_equal(back.codes.data, codes.data)
    assert np.array_equal(back.vectors, vectors)


def test_the_recipe_for_duckdb_runs():
    needed("duckdb")
    names = run_recipe("DuckDB")
    assert [distance for _, distance in names["found"]] == names["same"][0].tolist()
    assert names["near"][0][0] == 1005
