"""Codes as files: nothing is lost, and a file that contradicts itself is refused."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitsense import FormatError, _file_kinds, files, load
from bitsense._codes_file import codes_bytes, load_codes, save_codes
from bitsense.codes import Codes
from bitsense.search import HammingIndex

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


def random_codes(bits: int, rows: int, ids=None) -> Codes:
    values = np.random.default_rng(1).integers(0, 2, (rows, bits), dtype=np.uint8)
    return Codes(np.packbits(values, axis=1), bits, ids)


@given(
    st.integers(1, 70),
    st.none()
    | st.lists(TEXT, unique=True, min_size=1, max_size=9)
    | st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, max_size=9),
)
def test_codes_round_trip(bits, ids):
    codes = random_codes(bits, 4 if ids is None else len(ids), ids)
    loaded = files.load_bytes(codes_bytes(codes))
    assert loaded == codes
    assert loaded.bits == bits
    assert (loaded.ids is None) == (codes.ids is None)
    assert codes.ids is None or loaded.ids.dtype == codes.ids.dtype


def test_loaded_codes_are_a_view_of_the_file(tmp_path):
    path = tmp_path / "codes.bitsense"
    codes = random_codes(256, 1000)
    save_codes(codes, path)
    loaded = load_codes(path)
    assert loaded == codes
    assert not loaded.data.flags.owndata
    assert not loaded.data.flags.writeable
    assert loaded.data.ctypes.data % 64 == 0
    assert path.read_bytes() == codes_bytes(codes)


def test_codes_and_index_save_load_and_pickle(tmp_path):
    path = tmp_path / "codes.bitsense"
    codes = random_codes(20, 50, [f"d{i}" for i in range(50)])
    index = HammingIndex(codes)
    codes.save(path)
    assert path.read_bytes() == codes_bytes(codes)
    assert HammingIndex.load(path).codes == codes
    index.save(path)
    codes.save(path)
    assert Codes.load(path) == load(path) == codes
    for copied in (pickle.loads(pickle.dumps(codes)), copy.deepcopy(codes)):
        assert copied == codes
        assert not copied.data.flags.writeable
    want = index.search(codes, k=3)
    for other in (HammingIndex.load(path), pickle.loads(pickle.dumps(index))):
        for got, expected in zip(other.search(codes, k=3), want, strict=True):
            assert np.array_equal(got, expected)


def test_another_kind_is_refused(tmp_path, monkeypatch):
    monkeypatch.setitem(_file_kinds._loaders, "thing", lambda header, arrays: 7)
    files.write_file(tmp_path / "x", "thing", {}, {})
    with pytest.raises(FormatError) as error:
        load_codes(tmp_path / "x")
    assert str(error.value) == f"{tmp_path / 'x'}: holds a int, not Codes"


CODES = np.array([[0xA5, 0x10]], np.uint8)


@pytest.mark.parametrize(
    ("header", "arrays", "message"),
    [
        ({"ids": "none"}, {"codes": CODES}, "corrupt: 'bits' is missing from the header"),
        ({"bits": 0, "ids": "none"}, {"codes": CODES},
         "corrupt: 'bits' must be at least 1, got 0"),
        ({"bits": 17, "ids": "none"}, {"codes": CODES},
         "corrupt: array 'codes' must have the shape (any, 3), got (1, 2)"),
        ({"bits": 9, "ids": "none"}, {"codes": CODES},
         "corrupt: `data` must have zero padding bits after bit 9"),
        ({"bits": 12, "ids": "all"}, {"codes": CODES},
         "corrupt: 'ids' must be none, int or str, got 'all'"),
        ({"bits": 12, "ids": "int"}, {"codes": CODES, "ids": np.array([1, 2])},
         "corrupt: array 'ids' must have the shape (1), got (2)"),
        ({"bits": 12, "ids": "str"}, {"codes": CODES, **files.pack_strings("ids", ["a", "b"])},
         "corrupt: `ids` must have 1 items, got 2"),
        ({"bits": 12, "ids": "int"},
         {"codes": np.repeat(CODES, 2, axis=0), "ids": np.array([1, 1])},
         "corrupt: `ids` must be distinct, got 1 twice"),
    ],
)  # fmt: skip
def test_a_contradiction_is_refused(header, arrays, message):
    with pytest.raises(FormatError) as error:
        files.load_bytes(files.write_bytes("codes", header, arrays))
    assert str(error.value) == message
