"""The code contract: packing, the container, the converters, the golden codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import codes as twin

from bitsense.codes import Codes, pack_bits, pack_signs, unpack_bits

GOLDEN = json.loads((Path(__file__).parent / "data" / "codes_golden.json").read_text())
golden = pytest.mark.parametrize("code", GOLDEN["codes"], ids=lambda code: f"{code['bits']} bits")

bit_matrices = st.tuples(st.integers(0, 9), st.integers(1, 140)).flatmap(
    lambda shape: hnp.arrays(np.bool_, shape)
)


def sample(n=5, bits=100, ids=None):
    values = np.random.default_rng(bits).random((n, bits)) < 0.5
    return Codes(np.packbits(values, axis=1), bits, ids)


def test_the_golden_file_is_what_its_generator_writes():
    assert json.loads(json.dumps(twin.golden())) == GOLDEN


def test_the_golden_codes_include_odd_lengths_and_both_zeros():
    assert {1, 7, 9, 33, 100, 255} <= {code["bits"] for code in GOLDEN["codes"]}
    values = GOLDEN["codes"][-1]["values"]
    assert {str(v) for v in values} >= {"0.0", "-0.0", "1e-300"}


@golden
def test_signs_pack_to_the_golden_bytes(code):
    assert pack_signs([code["values"]]).tolist() == [code["bytes"]]


@golden
def test_every_form_is_golden(code):
    codes = Codes(np.array([code["bytes"]], np.uint8), code["bits"])
    assert codes.to_bool().tolist() == [[c == "1" for c in code["text"]]]
    assert codes.to_hex() == [code["hex"]]
    assert codes.to_little_endian().tolist() == [code["little_endian"]]
    assert codes.to_signed_bytes().tolist() == [code["signed_bytes"]]
    assert codes.to_offset_bytes().tolist() == [code["offset_bytes"]]
    assert codes.to_uint64().tolist() == [[int(word, 16) for word in code["uint64"]]]
    assert codes.to_pgvector() == [code["text"]]


@golden
def test_every_form_leads_back(code):
    bits = code["bits"]
    codes = Codes(np.array([code["bytes"]], np.uint8), bits)
    assert Codes.from_bool([[c == "1" for c in code["text"]]]) == codes
    assert Codes.from_hex([code["hex"]], bits) == codes
    assert Codes.from_little_endian(np.array([code["little_endian"]], np.uint8), bits) == codes
    assert Codes.from_signed_bytes(np.array([code["signed_bytes"]], np.int8), bits) == codes
    assert Codes.from_offset_bytes(np.array([code["offset_bytes"]], np.int8), bits) == codes
    words = np.array([[int(word, 16) for word in code["uint64"]]], np.uint64)
    assert Codes.from_uint64(words, bits) == codes
    assert Codes.from_pgvector([code["text"]]) == codes


@given(bit_matrices)
def test_round_trips(values):
    codes = Codes.from_bool(values)
    bits = codes.bits
    assert np.array_equal(unpack_bits(pack_bits(values), bits), values)
    assert Codes.from_hex(codes.to_hex(), bits) == codes
    assert Codes.from_little_endian(codes.to_little_endian(), bits) == codes
    assert Codes.from_signed_bytes(codes.to_signed_bytes(), bits) == codes
    assert Codes.from_offset_bytes(codes.to_offset_bytes(), bits) == codes
    assert Codes.from_uint64(codes.to_uint64(), bits) == codes
    if len(codes):
        assert Codes.from_pgvector(codes.to_pgvector()) == codes


@given(bit_matrices)
def test_every_converter_keeps_hamming_distances(values):
    codes = Codes.from_bool(values)
    expected = twin.hamming(codes.data, codes.data)
    for form in (codes.to_little_endian(), codes.to_signed_bytes(), codes.to_offset_bytes()):
        raw = form.view(np.uint8)
        assert np.array_equal(twin.hamming(raw, raw), expected)
    words = codes.to_uint64().view(np.uint8)
    assert np.array_equal(twin.hamming(words, words), expected)


def test_signs_are_taken_in_the_precision_of_the_values():
    assert pack_signs(np.array([[1e-300, -1e-300, 0.0, -0.0]])).tolist() == [[0b1000_0000]]
    assert pack_signs(np.array([[np.inf, -np.inf]])).tolist() == [[0b1000_0000]]
    assert pack_signs(np.array([[2, -1, 0]], np.int64)).tolist() == [[0b1000_0000]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: pack_signs([[1.0], [np.nan]]), ValueError, "`vectors` must not be NaN, row 1 is"),
        (lambda: pack_signs([1.0]), ValueError, "`vectors` must have 2 dimensions, got 1"),
        (
            lambda: pack_signs([["a"]]),
            TypeError,
            "`vectors` must be a matrix of real numbers, got dtype <U1",
        ),
        (lambda: pack_bits([[0, 2]]), ValueError, "`values` must be 0 or 1, got 2"),
        (
            lambda: pack_bits([[0.5]]),
            TypeError,
            "`values` must be bool, or integers 0 and 1, got dtype float64",
        ),
        (
            lambda: Codes(np.zeros((2, 2))),
            TypeError,
            "`data` must be packed codes of dtype uint8, got dtype float64",
        ),
        (
            lambda: Codes(np.zeros((2, 2), np.uint8), 20),
            ValueError,
            "`data` must have 3 bytes per row for 20 bits, got 2",
        ),
        (
            lambda: Codes(np.array([[1]], np.uint8), 7),
            ValueError,
            "`data` must have zero padding bits after bit 7",
        ),
        (lambda: Codes(np.zeros(3, np.uint8)), ValueError, "`data` must have 2 dimensions, got 1"),
        (
            lambda: Codes(np.zeros((2, 1), np.uint8), ids=["a"]),
            ValueError,
            "`ids` must have 2 items, got 1",
        ),
        (
            lambda: Codes(np.zeros((2, 1), np.uint8), ids=["a", "a"]),
            ValueError,
            "`ids` must be distinct, got 'a' twice",
        ),
        (
            lambda: Codes(np.zeros((2, 1), np.uint8), ids=["a", 1]),
            TypeError,
            "`ids` must be all int or all str, got int, str",
        ),
        (
            lambda: Codes(np.zeros((1, 1), np.uint8), ids=[2**63]),
            ValueError,
            "`ids` must fit 64 bits with sign",
        ),
        (
            lambda: Codes.from_hex(["0g"], 8),
            ValueError,
            "`digits` must be hexadecimal, got '0g'",
        ),
        (
            lambda: Codes.from_hex(["00"], 9),
            ValueError,
            "`digits` must have 4 digits each, got '00'",
        ),
        (
            lambda: Codes.from_little_endian(np.array([[0x80]], np.uint8), 7),
            ValueError,
            "`data` must have zero padding bits after bit 7",
        ),
        (
            lambda: Codes.from_signed_bytes(np.zeros((1, 1), np.uint8), 8),
            TypeError,
            "`data` must have dtype int8, got dtype uint8",
        ),
        (
            lambda: Codes.from_uint64(np.zeros((1, 2), np.uint64), 64),
            ValueError,
            "`words` must have 1 columns for 64 bits, got 2",
        ),
        (
            lambda: Codes.from_uint64(np.ones((1, 1), np.uint64), 8),
            ValueError,
            "`words` must have zero padding bits after bit 8",
        ),
        (
            lambda: Codes.from_pgvector(["01", "011"]),
            ValueError,
            "`texts` must be 2 digits 0 or 1 each, got '011'",
        ),
        (
            lambda: Codes.from_pgvector("0101"),
            TypeError,
            "`texts` must be a sequence of strings, got '0101'",
        ),
    ],
)
def test_wrong_input_is_refused_by_name(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_codes_do_not_copy_and_cannot_be_written():
    data = np.zeros((3, 2), np.uint8)
    codes = Codes(data)
    assert np.shares_memory(codes.data, data)
    with pytest.raises(ValueError, match="read-only"):
        codes.data[0, 0] = 1
    data[0, 0] = 1  # the caller's array stays writable


def test_rows_keep_their_bits_and_ids():
    codes = sample(5, 33, ids=["a", "b", "c", "d", "e"])
    for rows in (slice(1, 4), [1, 2, 3], np.array([False, True, True, True, False])):
        part = codes[rows]
        assert part.bits == 33
        assert np.array_equal(part.data, codes.data[1:4])
        assert part.ids.tolist() == ["b", "c", "d"]
    assert codes[-1].ids.tolist() == ["e"]
    assert len(codes[[]]) == 0
    with pytest.raises(IndexError):
        codes[5]
    with pytest.raises(TypeError):
        codes[0, 1]


def test_equality_looks_at_bits_data_and_ids():
    codes = sample()
    assert codes == sample()
    assert codes != sample(ids=range(5))
    assert codes != codes[:4]
    assert Codes(np.zeros((1, 1), np.uint8), 7) != Codes(np.zeros((1, 1), np.uint8), 8)
    assert codes != "codes"


def test_codes_are_arrays_to_numpy():
    codes = sample()
    assert np.shares_memory(np.asarray(codes), codes.data)
    assert np.array(codes, dtype=np.int64).dtype == np.int64
    assert not np.shares_memory(np.array(codes), codes.data)


def test_repr_says_what_it_is():
    assert repr(sample()) == "<Codes: 5 of 100 bits>"
    assert repr(sample(ids=range(5))) == "<Codes: 5 of 100 bits, with ids>"


def test_integer_ids_become_int64():
    assert sample(ids=range(5)).ids.dtype == np.int64
    assert sample(ids=np.arange(5, dtype=np.int32)).ids.tolist() == [0, 1, 2, 3, 4]
    assert Codes(np.zeros((0, 1), np.uint8), ids=[]).ids.dtype == np.int64
