"""Arrow: the C data interface by a twin of its own, pyarrow, Polars, DuckDB, Parquet files."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys
import threading
import weakref

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
from bridging import clustered_codes, needed, random_codes, run_recipe

from bitsense import (
    Codes,
    FormatError,
    HammingIndex,
    WordVectors,
    _core,
    bridges,
    hamming_distances,
)

VECTORS = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)
NAMES = ["", "größe", "c"]


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


def test_nothing_is_copied():
    codes, ids = random_codes(3, 20), np.array([5, -1, 2**62])
    stream = stream_of(bridges.arrow_table(codes, VECTORS, ids=ids))
    array = next_of(stream)
    assert array.children[1].contents.buffers[1] == codes.data.ctypes.data
    assert array.children[2].contents.children[0].contents.buffers[1] == VECTORS.ctypes.data
    assert buffer_of(array.children[0].contents, 1, 24) == ids.tobytes()
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


def test_many_exports_hold_no_memory():
    def resident() -> int:
        with open("/proc/self/statm") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * 4096

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
import atexit
kept = [stream, array, bitsense.bridges.arrow_table(np.zeros((2, 2), np.uint8))]
sys.kept = [kept, kept[2].__arrow_c_stream__()]
print("ends")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, sys.path[0]], capture_output=True, text=True, check=False
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


# pyarrow and Parquet files


@pytest.fixture
def arrow():
    return needed("pyarrow", "pyarrow.parquet")[0]


def same(back, codes, vectors, ids) -> None:
    assert back.codes == codes
    for got, want in ((back.vectors, vectors), (back.ids, ids)):
        assert (got is None) == (want is None)
        assert got is None or np.array_equal(got, want)


SETS = pytest.mark.parametrize(
    ("codes", "vectors", "ids"),
    [
        (random_codes(3, 20), None, None),
        (random_codes(3, 20, ids=NAMES), VECTORS, NAMES),
        (random_codes(3, 64, ids=[3, -1, 2**62]), None, [3, -1, 2**62]),
        (None, VECTORS, None),
        (None, WordVectors(NAMES[1:], VECTORS[1:]), NAMES[1:]),
        (Codes(np.empty((0, 2), np.uint8), 12), np.empty((0, 3), np.float32), None),
        (Codes(np.empty((0, 2), np.uint8), 12, []), None, []),
    ],
)


@SETS
def test_tables_lead_there_and_back(arrow, codes, vectors, ids):
    table = arrow.table(bridges.arrow_table(codes, vectors))
    table.validate(full=True)
    matrix = getattr(vectors, "vectors", vectors)
    same(bridges.from_arrow(table), codes, matrix, ids)
    same(bridges.from_arrow(bridges.arrow_table(codes, vectors)), codes, matrix, ids)


@SETS
def test_parquet_files_lead_there_and_back(arrow, codes, vectors, ids, tmp_path):
    path = tmp_path / "a.parquet"
    bridges.write_parquet(path, codes, vectors)
    same(bridges.read_parquet(path), codes, getattr(vectors, "vectors", vectors), ids)
    schema = arrow.parquet.read_schema(path)
    if codes is not None:
        assert schema.field("code").type == arrow.binary(codes.data.shape[1])
        assert schema.field("code").metadata[b"bitsense.bits"] == str(codes.bits).encode()
        assert schema.field("code").metadata[b"bitsense.bit_order"] == b"msb"
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_a_failing_write_leaves_the_old_file(arrow, tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    bridges.write_parquet(path, random_codes(3, 8))
    old = path.read_bytes()

    def fail(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        bridges.write_parquet(path, random_codes(4, 8))
    assert path.read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_other_types_and_chunks_are_read(arrow):
    codes = random_codes(5, 16, ids=[7, 8, 9, 10, 11])
    vectors = np.arange(10, dtype=np.float32).reshape(5, 2)
    raw = [row.tobytes() for row in codes.data]
    for binary in (arrow.binary(), arrow.large_binary(), arrow.binary_view(), arrow.binary(2)):
        for reals in (arrow.list_(arrow.float64()), arrow.large_list(arrow.float32()),
                      arrow.list_(arrow.float16(), 2)):  # fmt: skip
            columns = {
                "label": arrow.array(list("abcde")),
                "vector": arrow.array(vectors.tolist(), reals),
                "code": arrow.array(raw, binary),
                "id": arrow.array(codes.ids.tolist(), arrow.uint16()),
            }
            table = arrow.table(columns)
            same(bridges.from_arrow(table), codes, vectors, codes.ids)
            parts = arrow.concat_tables([table[:2], table[2:3], table[3:]])
            same(bridges.from_arrow(parts), codes, vectors, codes.ids)
    table = arrow.table({"code": raw, "id": arrow.array(list("abcde"), arrow.string_view())})
    assert bridges.from_arrow(table, bits=16).ids.tolist() == list("abcde")


def test_a_number_of_bits_can_be_given_where_none_is_told(arrow):
    codes = random_codes(4, 13)
    table = arrow.table({"code": [row.tobytes() for row in codes.data]})
    assert bridges.from_arrow(table).codes.bits == 16
    assert bridges.from_arrow(table, bits=13).codes == codes
    told = arrow.table(bridges.arrow_table(codes))
    with pytest.raises(FormatError, match=r"^column `code` must have 12 bits, got 13$"):
        bridges.from_arrow(told, bits=12)


def test_what_is_no_code_is_refused(arrow):
    def field(kind, **metadata):
        names = {f"bitsense.{name}": value for name, value in metadata.items()}
        return arrow.field("code", kind, metadata=names)

    raw = arrow.array([b"a", b"b"])
    lsb = arrow.table([raw], schema=arrow.schema([field(arrow.binary(), bit_order="lsb")]))
    some = arrow.table([raw], schema=arrow.schema([field(arrow.binary(), bits="some")]))
    wide = arrow.table([raw], schema=arrow.schema([field(arrow.binary(), bits="9")]))
    padded = arrow.table([raw], schema=arrow.schema([field(arrow.binary(), bits="4")]))
    lists = arrow.array([[1.0], [1.0, 2.0]])
    for table, message in (
        ({"a": [1]}, "must have a column `code` or `vector`, got ['a']"),
        ({"id": [1]}, "must have a column `code` or `vector`, got ['id']"),
        ({"code": ["a"]}, "column `code` must be binary, got string"),
        ({"code": [b"a", None]}, "column `code` must have no nulls, got 1"),
        ({"code": [b"a", b"bc"]}, "column `code` must have values of one length, got [1, 2]"),
        ({"code": [b""]}, "column `code` must have values of one length, got [0]"),
        (lsb, "column `code` must have the bit order 'msb', got 'lsb'"),
        (some, "column `code` must have a number as bitsense.bits, got b'some'"),
        (wide, "column `code` must have values of one length, got [1]"),
        (padded, "`data` must have zero padding bits after bit 4"),
        ({"vector": [1.0]}, "column `vector` must be lists of floats, got double"),
        ({"vector": [[1]]}, "column `vector` must be lists of floats, got list<item: int64>"),
        ({"vector": lists}, "column `vector` must have lists of one length, got [1, 2]"),
        ({"vector": [[1.0, None]]}, "column `vector` must have no nulls, got 1"),
        ({"vector": [[np.nan]]}, "`vectors` must be finite in float32, row 0 is not"),
        ({"code": [b"a"], "id": [1.5]}, "column `id` must be of integers or text, got double"),
        ({"code": [b"a", b"b"], "id": [1, 1]}, "`ids` must be distinct, got 1 twice"),
    ):
        made = table if isinstance(table, arrow.Table) else arrow.table(table)
        with pytest.raises(FormatError) as caught:
            bridges.from_arrow(made)
        assert str(caught.value).replace("element:", "item:") == message
    twice = arrow.table([raw, raw], names=["code", "code"])
    with pytest.raises(FormatError, match=r"^must have one column `code`, got 2$"):
        bridges.from_arrow(twice)


def test_corrupt_parquet_files_are_refused_by_name(arrow, tmp_path):
    path = tmp_path / "a.parquet"
    bridges.write_parquet(path, random_codes(50, 64), ids=[f"id {i}" for i in range(50)])
    whole = path.read_bytes()
    for data in (b"", b"PAR1", whole[:-1], whole[: len(whole) // 2], b"x" + whole):
        path.write_bytes(data)
        with pytest.raises(FormatError, match=f"^{path}: "):
            bridges.read_parquet(path)
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        with contextlib.suppress(FormatError):  # the part behind the pages has no checksum
            bridges.read_parquet(path)
    arrow.parquet.write_table(arrow.table({"a": [1]}), path)
    with pytest.raises(FormatError, match="must have a column `code` or `vector`"):
        bridges.read_parquet(path)
    with pytest.raises(FileNotFoundError):
        bridges.read_parquet(tmp_path / "b.parquet")


def test_the_recipe_for_arrow_runs(arrow, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    names = run_recipe("Arrow and Parquet")
    for back in (names["back"], names["again"]):
        same(back, names["codes"], names["vectors"], names["codes"].ids)


# Polars


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
