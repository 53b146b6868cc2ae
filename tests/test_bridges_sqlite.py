"""SQLite: a plain function, and sqlite-vec with its own order of bits."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest
from bridging import clustered_codes, needed, random_codes, run_recipe
from hypothesis import given
from hypothesis import strategies as st

from bitsense import Codes, FormatError, HammingIndex, bridges, hamming_distances, pack_signs


@pytest.fixture
def plain():
    connection = sqlite3.connect(":memory:")
    bridges.register_hamming(connection)
    yield connection
    connection.close()


@pytest.fixture
def apsw():
    return needed("apsw")


@pytest.fixture
def vec(apsw):
    """A connection of apsw with sqlite-vec."""
    connection = apsw.Connection(":memory:")
    connection.enable_load_extension(True)
    connection.load_extension(needed("sqlite_vec").loadable_path())
    yield connection
    connection.close()


def blobs(codes: Codes) -> list[bytes]:
    return [row.tobytes() for row in codes.data]


def sql_distances(connection, codes: Codes, query: bytes) -> list[int]:
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, code BLOB)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", list(enumerate(blobs(codes))))
    answer = connection.execute("SELECT hamming(code, ?) FROM t ORDER BY id", (query,))
    return [distance for (distance,) in answer]


@pytest.mark.parametrize("bits", [1, 64, 100, 1000])
def test_the_function_gives_our_distances(plain, bits):
    codes = clustered_codes(500, bits)
    got = sql_distances(plain, codes, blobs(codes)[3])
    assert got == hamming_distances(codes[3], codes)[0].tolist()


def test_the_function_works_in_apsw(apsw):
    codes = random_codes(200, 100)
    connection = apsw.Connection(":memory:")
    bridges.register_hamming(connection, "differing")
    assert connection.execute("SELECT differing(x'01', x'02')").fetchall() == [(2,)]
    bridges.register_hamming(connection)
    got = sql_distances(connection, codes, blobs(codes)[0])
    assert got == hamming_distances(codes[0], codes)[0].tolist()
    with pytest.raises(ValueError) as caught:
        connection.execute("SELECT hamming(x'01', x'0102')").fetchall()
    assert str(caught.value) == "hamming() takes BLOBs of equal length, got 1 and 2 bytes"
    with pytest.raises(TypeError) as caught:
        connection.execute("SELECT hamming(x'01', 'a')").fetchall()
    assert str(caught.value) == "hamming() takes two BLOBs, got str"
    connection.close()


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(*[st.binary(min_size=n, max_size=n)] * 2)))
def test_the_function_counts_the_bits_that_differ(pair):
    connection = sqlite3.connect(":memory:")
    bridges.register_hamming(connection)
    a, b = pair
    want = sum((x ^ y).bit_count() for x, y in zip(a, b, strict=True))
    assert connection.execute("SELECT hamming(?, ?)", pair).fetchone() == (want,)
    connection.close()


def test_null_gives_null_and_the_function_can_be_indexed(plain):
    answer = plain.execute("SELECT hamming(NULL, x'01'), hamming(x'01', NULL)").fetchone()
    assert answer == (None, None)
    plain.execute("CREATE TABLE t (code BLOB)")
    plain.execute("CREATE INDEX i ON t (hamming(code, x'00'))")  # only if it is deterministic


@pytest.mark.parametrize(
    "arguments", ["x'01', x'0102'", "1, x'01'", "x'01', 'a'", "x'01'", "1.5, 2"]
)
def test_wrong_arguments_are_errors_of_the_statement(plain, arguments):
    with pytest.raises(sqlite3.OperationalError):
        plain.execute(f"SELECT hamming({arguments})").fetchall()


def test_only_connections_take_the_function():
    with pytest.raises(TypeError) as caught:
        bridges.register_hamming(":memory:")
    assert str(caught.value) == "`connection` must be one of sqlite3 or apsw, got str"


def fill(vec, codes: Codes) -> None:
    vec.execute(
        f"CREATE VIRTUAL TABLE t USING vec0(id INTEGER PRIMARY KEY, code bit[{codes.bits}])"
    )
    vec.executemany(
        "INSERT INTO t (id, code) VALUES (?, vec_bit(?))", bridges.sqlite_vec_rows(codes)
    )


@pytest.mark.parametrize("make", [random_codes, clustered_codes])
@pytest.mark.parametrize("bits", [8, 64, 104, 256])
def test_sqlite_vec_finds_what_we_find(vec, make, bits):
    codes = make(1000, bits, ids=np.arange(1000) * 3 + 7)
    fill(vec, codes)
    distances = hamming_distances(codes, codes)
    for row, (_, asked) in enumerate(bridges.sqlite_vec_rows(codes[:5])):
        found = vec.execute(
            "SELECT id, distance FROM t WHERE code MATCH vec_bit(?) AND k = 30", (asked,)
        ).fetchall()
        ids, got = np.array(found).T
        assert np.array_equal(got, HammingIndex(codes).search(codes[row], k=30)[1][0])
        assert np.array_equal(distances[row, (ids.astype(np.int64) - 7) // 3], got)


def test_codes_come_back_from_sqlite_vec(vec):
    codes = random_codes(50, 72, ids=range(100, 150))
    fill(vec, codes)
    rows = vec.execute("SELECT id, code FROM t ORDER BY id")
    assert bridges.read_sqlite_vec(rows, 72) == codes


def test_codes_meet_what_sqlite_vec_quantizes_itself(vec):
    vectors = np.random.default_rng(0).normal(size=(20, 64)).astype(np.float32)
    vectors[:, 3] = 0.0
    vectors[:, 7] = -0.0
    codes = Codes(pack_signs(vectors), 64)
    for row, (_, blob) in enumerate(bridges.sqlite_vec_rows(codes)):
        one = "SELECT vec_to_json(vec_quantize_binary(?)), vec_to_json(vec_bit(?))"
        its, ours = vec.execute(one, (vectors[row].tobytes(), blob)).fetchone()
        assert its == ours


@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=6), st.integers(1, 12))
def test_rows_lead_back(ids, width):
    data = random_codes(len(ids), 8 * width, seed=width).data
    for names in (ids, [str(i) for i in ids]):
        codes = Codes(data, 8 * width, names)
        assert bridges.read_sqlite_vec(bridges.sqlite_vec_rows(codes), 8 * width) == codes
    little = np.packbits(np.unpackbits(data, axis=1), axis=1, bitorder="little")
    want = [(row, blob.tobytes()) for row, blob in enumerate(little)]
    assert list(bridges.sqlite_vec_rows(data)) == want


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bridges.sqlite_vec_rows(random_codes(2, 100)),
            ValueError,
            "`codes` must have a multiple of 8 bits for sqlite-vec, got 100",
        ),
        (
            lambda: bridges.sqlite_vec_rows(np.zeros((1, 1))),
            TypeError,
            "`codes` must be packed codes of dtype uint8, got dtype float64",
        ),
        (
            lambda: bridges.sqlite_vec_rows(random_codes(2, 8), ids=[1]),
            ValueError,
            "`ids` must have 2 items, got 1",
        ),
        (
            lambda: bridges.read_sqlite_vec([], 100),
            ValueError,
            "`bits` must be a multiple of 8 for sqlite-vec, got 100",
        ),
        (
            lambda: bridges.read_sqlite_vec([(1, b"ab"), (2, b"a")], 16),
            FormatError,
            "row 1 must have 2 bytes, got 1",
        ),
        (
            lambda: bridges.read_sqlite_vec([(1, None)], 16),
            FormatError,
            "row 0 must have a BLOB, got NoneType",
        ),
        (
            lambda: bridges.read_sqlite_vec([(1, b"ab"), (1, b"ab")], 16),
            FormatError,
            "`ids` must be distinct, got 1 twice",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_the_recipe_for_sqlite_runs():
    names = run_recipe("SQLite")
    assert [distance for _, distance in names["found"]] == names["same"][0].tolist()
    assert names["found"][0] == (1005, 0)


def test_the_recipe_for_sqlite_vec_runs(vec):
    names = run_recipe("sqlite-vec")
    assert [distance for _, distance in names["found"]] == names["same"][0].tolist()
    assert names["back"] == names["codes"]
    names["connection"].close()
