"""Tables of pyarrow and Parquet files: there and back, and what is refused."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from bridging import needed, random_codes, run_recipe, same

from bitsense import Codes, FormatError, WordVectors, bridges

VECTORS = np.random.default_rng(5).normal(size=(3, 4)).astype(np.float32)
NAMES = ["", "größe", "c"]


@pytest.fixture
def arrow():
    return needed("pyarrow", "pyarrow.parquet")[0]


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
            same(bridges.from_arrow(table[2:]), codes[2:], vectors[2:], codes.ids[2:])
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
