"""PostgreSQL: binary COPY there and back, and distances, in a real server with pgvector."""

from __future__ import annotations

import inspect
import itertools
import os
import struct

import numpy as np
import pytest
from bridging import REQUIRED, clustered_codes, needed, random_codes, run_recipe
from hypothesis import given
from hypothesis import strategies as st
from postgres_server import running_server

from bitsense import (
    Codes,
    FormatError,
    HammingIndex,
    WordVectors,
    bridges,
    hamming_distances,
    pack_signs,
)

HEADER = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0"
END = b"\xff\xff"


def field(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def twin(ids, codes=None, vectors=None, real="f") -> bytes:
    """The stream, written value after value as PostgreSQL's manual says."""
    rows = []
    for row, name in enumerate(ids):
        fields = [struct.pack(">q", name) if isinstance(name, int) else name.encode()]
        if codes is not None:
            bits = codes.to_pgvector()[row]
            digits = bits + "0" * (-len(bits) % 8)
            data = int(digits, 2).to_bytes(len(digits) // 8, "big")
            fields.append(struct.pack(">i", len(bits)) + data)
        if vectors is not None:
            values = [float(value) for value in vectors[row]]
            fields.append(struct.pack(f">hh{len(values)}{real}", len(values), 0, *values))
        rows.append(struct.pack(">h", len(fields)) + b"".join(map(field, fields)))
    return HEADER + b"".join(rows) + END


def stream(*arguments, **options) -> bytes:
    return b"".join(bridges.pgvector_copy(*arguments, **options))


# The bytes, without a server


@given(
    st.one_of(
        st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=6),
        st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                 unique=True, min_size=1, max_size=6),
    ),
    st.integers(1, 40), st.sampled_from(["vector", "halfvec"]), st.integers(1, 4),
)  # fmt: skip
def test_the_stream_is_that_of_the_manual_and_leads_back(ids, bits, kind, rows):
    rng = np.random.default_rng(bits)
    codes = Codes(pack_signs(rng.normal(size=(len(ids), bits))), bits, ids)
    vectors = rng.normal(size=(len(ids), 3)).astype(np.float16).astype(np.float32)
    real = {"vector": "f", "halfvec": "e"}[kind]
    both = stream(codes, vectors, kind=kind, rows=rows)
    assert both == twin(ids, codes, vectors, real)
    assert stream(codes, rows=rows) == twin(ids, codes)
    assert stream(vectors=vectors, ids=ids, kind=kind, rows=rows) == twin(ids, None, vectors, real)
    first = "text" if ids and isinstance(ids[0], str) else "bigint"
    back = bridges.read_pgvector_copy([both], (first, "bit", kind), bits=bits, dim=3)
    assert back.codes == codes
    assert np.array_equal(back.vectors, vectors)
    assert np.array_equal(back.ids, codes.ids)
    alone = bridges.read_pgvector_copy([stream(codes.data, bits=bits)], bits=bits)
    assert alone.ids.tolist() == list(range(len(ids)))


@given(st.lists(st.integers(0, 130), max_size=12))
def test_a_stream_may_be_cut_anywhere(cuts):
    whole = stream(random_codes(3, 20, ids=["a", "ü" * 9, ""]))
    places = [0, *sorted(cuts), len(whole)]
    blocks = [memoryview(whole)[a:b] for a, b in itertools.pairwise(places)]
    back = bridges.read_pgvector_copy(blocks, ("text", "bit")).codes
    assert back == random_codes(3, 20, ids=["a", "ü" * 9, ""])


def test_every_cut_stream_is_refused():
    whole = stream(random_codes(2, 12))
    for end in range(len(whole)):
        with pytest.raises(FormatError):
            bridges.read_pgvector_copy([whole[:end]])
    with pytest.raises(FormatError, match=r"^corrupt: something follows the end mark$"):
        bridges.read_pgvector_copy([whole, b"", b"\0"])


def test_the_rows_are_made_as_they_are_asked_for():
    blocks = bridges.pgvector_copy(random_codes(1000, 64), rows=10)
    assert inspect.isgenerator(blocks)
    lengths = [len(block) for block in blocks]
    assert lengths == [19, *[10 * (2 + 12 + 4 + 4 + 8)] * 100, 2]


def test_ids_are_those_of_the_codes_or_the_keys():
    words = WordVectors(["a", "b"], [[1.0], [2.0]])
    codes = random_codes(2, 8)
    assert stream(vectors=words) == twin(["a", "b"], None, words.vectors)
    assert stream(codes, words) == twin(["a", "b"], codes, words.vectors)
    assert stream(codes, words, ids=[4, 5]) == twin([4, 5], codes, words.vectors)
    named = Codes(codes.data, 8, ["a", "b"])
    assert stream(named, words) == twin(["a", "b"], codes, words.vectors)
    with pytest.raises(ValueError) as caught:
        stream(Codes(codes.data, 8, ["b", "a"]), words)
    assert str(caught.value) == (
        "`ids` must be given where the codes have other ids than the vectors keys"
    )


def test_columns_can_come_alone_and_in_any_order():
    whole = HEADER + struct.pack(">h", 1) + field(struct.pack(">i", 12) + b"\xab\xc0") + END
    back = bridges.read_pgvector_copy([whole], "bit")
    assert (back.codes.to_hex(), back.codes.bits, back.vectors, back.ids) == (
        ["abc0"],
        12,
        None,
        None,
    )
    assert bridges.read_pgvector_copy([HEADER + END], ["bigint"]).ids.tolist() == []
    swapped = (HEADER + struct.pack(">h", 2) + field(struct.pack(">hhf", 1, 0, 2.5))
               + field(struct.pack(">q", -3)) + END)  # fmt: skip
    back = bridges.read_pgvector_copy([swapped], ("vector", "bigint"))
    assert (back.vectors.tolist(), back.ids.tolist()) == ([[2.5]], [-3])


ONE = struct.pack(">h", 2) + field(struct.pack(">q", 7))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (struct.pack(">h", 1), "row 0 must have 2 columns, got 1"),
        (struct.pack(">h", -2), "row 0 must have 2 columns, got -2"),
        (ONE + struct.pack(">i", -1), "row 0 must have a value of type bit, got NULL"),
        (ONE + struct.pack(">i", -9), "row 0 must have a value of type bit, got length -9"),
        (ONE + field(b""), "row 0 must have a bit string, got 0 bytes that are none"),
        (
            ONE + field(struct.pack(">i", 9) + b"a"),
            "row 0 must have a bit string, got 5 bytes that are none",
        ),
        (ONE + field(bytes(4)), "row 0 must have a bit string, got 4 bytes that are none"),
        (
            ONE + field(struct.pack(">i", 8) + b"a") + ONE + field(struct.pack(">i", 7) + b"b"),
            "row 1 must have 8 bits in a code, got 7",
        ),
        (
            struct.pack(">h", 2) + field(b"\0\0\0\1"),
            "row 0 must have a bigint of 8 bytes, got 4: a query can cast, id::bigint",
        ),
        ((ONE + field(struct.pack(">i", 8) + b"a")) * 2, "`ids` must be distinct, got 7 twice"),
        (
            ONE + field(struct.pack(">i", 7) + b"\1"),
            "`data` must have zero padding bits after bit 7",
        ),
        (b"", "the stream must have a row where `bits` is not given, got none"),
    ],
)  # fmt: skip
def test_wrong_rows_are_refused(rows, message):
    with pytest.raises(FormatError) as caught:
        bridges.read_pgvector_copy([HEADER + rows + END])
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (struct.pack(">hhf", 1, 1, 0.0), "row 0 must have a vector, got 8 bytes that are none"),
        (struct.pack(">hhf", 2, 0, 0.0), "row 0 must have a vector, got 8 bytes that are none"),
        (b"", "row 0 must have a vector, got 0 bytes that are none"),
        (struct.pack(">hhf", 1, 0, np.nan), "`vectors` must be finite in float32, row 0 is not"),
        (struct.pack(">hhff", 2, 0, 1, 1), "row 0 must have 1 values in a vector, got 2"),
    ],
)
def test_wrong_vectors_are_refused(data, message):
    with pytest.raises(FormatError) as caught:
        bridges.read_pgvector_copy([HEADER + b"\0\1" + field(data) + END], "vector", dim=1)
    assert str(caught.value) == message


def test_wrong_headers_and_texts_are_refused():
    extended = HEADER[:11] + struct.pack(">Ii", 5, 3) + b"abc" + END
    assert bridges.read_pgvector_copy([extended], "bigint").ids.tolist() == []
    for header, message in (
        (b"PGCOPY\n\xff\n\0" + bytes(9), "is no stream of COPY (FORMAT BINARY)"),
        (HEADER[:11] + struct.pack(">Ii", 1 << 16, 0),
         "must have no flags that are not known, got 0x00010000"),
        (HEADER[:11] + struct.pack(">Ii", 0, -1),
         "corrupt: the extension of the header has length -1"),
    ):  # fmt: skip
        with pytest.raises(FormatError) as caught:
            bridges.read_pgvector_copy([header + END], "bigint")
        assert str(caught.value) == message
    with pytest.raises(FormatError) as caught:
        bridges.read_pgvector_copy([HEADER + b"\0\1" + field(b"\xff") + END], "text")
    assert str(caught.value) == (
        "row 0 must have text in UTF-8, got other bytes; is it the client_encoding?"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stream(), "`codes` or `vectors` must be given, got neither"),
        (lambda: stream(vectors=[[1.0]], bits=3), "`bits` must come with `codes`, got it without"),
        (
            lambda: stream(random_codes(2, 8), [[1.0]]),
            "`vectors` must have 2 rows as `codes` has, got 1",
        ),
        (lambda: stream(random_codes(2, 8), rows=0), "`rows` must be at least 1, got 0"),
        (
            lambda: stream(vectors=[[1.0]], kind="sparsevec"),
            "`kind` must be one of 'vector', 'halfvec', got 'sparsevec'",
        ),
        (
            lambda: stream(vectors=np.zeros((1, 16001))),
            "`vectors` must have 1 to 16000 columns, got 16001",
        ),
        (lambda: stream(vectors=np.zeros((1, 0))), "`vectors` must have at least 1 column, got 0"),
        (
            lambda: stream(vectors=[[1.0], [-65520.0]], kind="halfvec"),
            "`vectors` must be finite in half precision, row 1 is not",
        ),
        (
            lambda: stream(random_codes(1, 8), ids=["a\0"]),
            "`ids` must hold no NUL character, got 'a\\x00'",
        ),
        (
            lambda: stream(random_codes(1, 8), ids=["\ud800"]),
            "`ids` must be text that UTF-8 can hold, got '\\ud800'",
        ),
        (
            lambda: bridges.read_pgvector_copy([], ("bit", "bit")),
            (
                "`types` must be at most one each of ids ('bigint', 'text'), codes ('bit') and "
                "vectors ('vector', 'halfvec'), got ('bit', 'bit')"
            ),
        ),
    ],
)
def test_wrong_arguments(call, message):
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == message


def test_the_largest_half_is_taken():
    data = stream(vectors=[[65519.0, -65519.0]], kind="halfvec")
    assert bridges.read_pgvector_copy([data], ("bigint", "halfvec")).vectors.tolist() == [
        [65504.0, -65504.0]
    ]


# The server


@pytest.fixture(scope="module")
def address():
    needed("psycopg")
    try:
        with running_server() as started:
            yield started
    except ImportError as missing:
        if REQUIRED:
            raise
        pytest.skip(str(missing))


@pytest.fixture
def database(address):
    """A connection whose changes are undone."""
    connection = needed("psycopg").connect(address)
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    yield connection
    connection.rollback()
    connection.close()


def copy_in(database, kinds: str, *arguments, **options) -> None:
    database.execute(f"CREATE TABLE t ({kinds})")
    with database.cursor().copy("COPY t FROM STDIN (FORMAT BINARY)") as copy:
        for block in bridges.pgvector_copy(*arguments, **options):
            copy.write(block)


def copy_out(database, types, what="t", **options):
    with database.cursor().copy(f"COPY {what} TO STDOUT (FORMAT BINARY)") as copy:
        return bridges.read_pgvector_copy(copy, types, **options)


@pytest.mark.parametrize("make", [random_codes, clustered_codes])
@pytest.mark.parametrize("bits", [256, 100])
def test_the_server_measures_our_distances(database, make, bits):
    codes = make(2500, bits)
    copy_in(database, f"id bigint PRIMARY KEY, code bit({bits})", codes)
    texts = database.execute("SELECT code::text FROM t ORDER BY id").fetchall()
    assert [text for (text,) in texts] == codes.to_pgvector()
    every = hamming_distances(codes[:3], codes)
    for row, text in enumerate(codes[:3].to_pgvector()):
        asked = (
            f"SELECT code <~> %s::bit({bits}), bit_count(code # %s::bit({bits})) FROM t ORDER BY id"
        )
        got = np.array(database.execute(asked, (text, text)).fetchall())
        assert np.array_equal(got, np.stack([every[row]] * 2, axis=1))
        nearest = f"SELECT id, code <~> %s::bit({bits}) FROM t ORDER BY 2, 1 LIMIT 50"
        ids, distances = HammingIndex(codes).search(codes[row], k=50)
        assert database.execute(nearest, (text,)).fetchall() == list(
            zip(ids[0].tolist(), distances[0].tolist(), strict=True)
        )
    back = copy_out(database, ("bigint", "bit"), "(SELECT * FROM t ORDER BY id)")
    assert back.codes == Codes(codes.data, bits, np.arange(len(codes)))


def test_the_server_quantizes_as_pack_signs_does(database):
    vectors = np.random.default_rng(0).normal(size=(500, 99)).astype(np.float32)
    vectors[:, 5], vectors[:, 6], vectors[:, 7] = 0.0, -0.0, 1e-40
    copy_in(database, "id bigint, embedding vector(99)", vectors=vectors)
    query = "(SELECT id, binary_quantize(embedding)::bit(99) FROM t ORDER BY id)"
    back = copy_out(database, ("bigint", "bit"), query)
    assert np.array_equal(back.codes.data, pack_signs(vectors))


def test_an_index_is_built_used_and_right(database):
    codes = clustered_codes(2000, 128)
    copy_in(database, "id bigint, code bit(128)", codes)
    database.execute("CREATE INDEX ON t USING hnsw (code bit_hamming_ops)")
    database.execute("SET LOCAL hnsw.ef_search = 200")
    database.execute("SET LOCAL enable_seqscan = off")
    asked = "SELECT id, code <~> %s::bit(128) FROM t ORDER BY code <~> %s::bit(128) LIMIT 10"
    every = hamming_distances(codes[:20], codes)
    found = 0
    for row, text in enumerate(codes[:20].to_pgvector()):
        plan = database.execute(f"EXPLAIN {asked}", (text, text)).fetchall()
        assert any("Index Scan" in line for (line,) in plan)
        ids, distances = np.array(database.execute(asked, (text, text)).fetchall(), int).T
        assert np.array_equal(every[row, ids], distances)
        found += (distances <= np.sort(every[row])[9]).sum()
    assert found / 200 > 0.9


@pytest.mark.parametrize("kind", ["vector", "halfvec"])
def test_codes_and_vectors_with_text_ids_go_there_and_back(database, kind):
    rng = np.random.default_rng(1)
    ids = ["", "größe", "a\tb\n\\N", *(f"id {i}" for i in range(297))]
    vectors = rng.normal(size=(300, 20)).astype(np.float32)
    codes = random_codes(300, 13, ids=ids)
    copy_in(database, f"id text PRIMARY KEY, code bit(13), embedding {kind}(20)",
            codes, vectors, kind=kind, rows=7)  # fmt: skip
    back = copy_out(database, ("text", "bit", kind))
    assert back.codes == codes
    exact = vectors if kind == "vector" else vectors.astype(np.float16).astype(np.float32)
    assert np.array_equal(back.vectors, exact)
    asked = f"SELECT embedding <=> %s::{kind} FROM t"
    got = np.ravel(database.execute(asked, (str(vectors[0].tolist()),)).fetchall())
    units = exact / np.linalg.norm(exact, axis=1, keepdims=True)
    assert np.allclose(got, 1 - units @ units[0], atol=1e-3 if kind == "halfvec" else 1e-6)


def test_what_the_server_holds_otherwise_is_refused(database):
    database.execute("CREATE TABLE t (id bigint, code bit(8))")
    with pytest.raises(FormatError, match="where `bits` is not given, got none"):
        copy_out(database, ("bigint", "bit"))
    assert len(copy_out(database, ("bigint", "bit"), bits=8).codes) == 0
    database.execute("INSERT INTO t VALUES (1, NULL)")
    with pytest.raises(FormatError, match="row 0 must have a value of type bit, got NULL"):
        copy_out(database, ("bigint", "bit"))
    with pytest.raises(FormatError, match="got 4: a query can cast"):
        copy_out(database, ("bigint", "bit"), "(SELECT 1::integer, B'1')")


def test_the_recipe_runs(address, monkeypatch):
    monkeypatch.setitem(os.environ, "DATABASE_URL", address)
    names = run_recipe("PostgreSQL and pgvector")
    assert [distance for _, distance in names["found"]] == names["same"][0].tolist()
    assert names["back"].codes == names["codes"]
    assert np.allclose(names["back"].vectors, names["vectors"], atol=2e-3)
    assert len(names["approximate"]) == 10
