"""The file format: nothing is lost, nothing wrong is accepted, the old file survives a failure."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import file_format as reference

from bitsense import FormatError, _core, files

GOLDEN = Path(__file__).parent / "data" / "format-1.bitsense"
HEADER = {"bits": 12, "name": "größe", "rates": [0.5, 1e-300, -0.0], "none": None, "deep": {"": []}}
ARRAYS = {
    "codes": np.array([[0xA5, 0x10], [0x00, 0xF0], [0xFF, 0xC0]], dtype=np.uint8),
    "signed": np.array([-128, 127], dtype=np.int8),
    "short": np.array([[65535]], dtype=np.uint16),
    "int": np.array([-(2**31), 2**31 - 1], dtype=np.int32),
    "ids": np.array([], dtype=np.uint32),
    "long": np.array(-(2**63), dtype=np.int64),
    "ends": np.array([2**64 - 1], dtype=np.uint64),
    "vectors": np.array([[1.5, -0.0, np.nan], [np.inf, 1e-45, 3.0]], dtype=np.float32),
    "weights": np.array([np.pi], dtype=np.float64),
    "empty": np.zeros((0, 5), dtype=np.float32),
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
some_arrays = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    st.sampled_from(["uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64", "float32",
                     "float64"]).flatmap(
        lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0))
    ),
    max_size=4,
)  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> bytes:
    return files.write_bytes("codes", HEADER, ARRAYS)


def assert_same_arrays(got, want):
    assert list(got) == list(want)
    for name, array in want.items():
        assert got[name].dtype == array.dtype
        assert got[name].shape == array.shape
        assert got[name].tobytes() == np.ascontiguousarray(array).tobytes()


def refused(data: bytes) -> bool:
    """Whether FormatError, and nothing else, is the answer to these bytes."""
    try:
        files.read_bytes(data)
    except FormatError:
        return True
    return False


# The checksum


def test_crc64_of_the_check_string_is_the_published_value():
    assert _core.crc64(b"123456789") == 0x995DC9BBDF1939FA
    assert _core.crc64(b"") == 0


@given(st.binary(max_size=200) | st.binary(min_size=120, max_size=700))
def test_crc64_equals_the_reference(data):
    assert _core.crc64(data) == reference.crc64(data)


def test_crc64_of_a_long_section_does_not_depend_on_the_threads():
    # Two chunks and a bit, so that the checksums of chunks are joined.
    section = np.random.default_rng(1).integers(0, 256, (1 << 23) + 12345, dtype=np.uint8)
    dumps = {threads: _core.format_dump(b"{}", [section], threads) for threads in (1, 2, 3, 7)}
    assert len(set(dumps.values())) == 1
    assert _core.format_parse(dumps[1], 1).sections[0][2] == _core.crc64(section.tobytes())


# Round trips


@given(st.text(min_size=1, max_size=9), st.dictionaries(st.text(max_size=9), json_values),
       some_arrays)  # fmt: skip
def test_what_is_written_is_read(kind, header, arrays):
    try:
        kind.encode()
        json.dumps(header, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    data = files.write_bytes(kind, header, arrays)
    got_header, got_arrays = files.read_bytes(data, kind)
    assert got_header == header
    assert json.dumps(got_header) == json.dumps(header)  # tells 1 from 1.0, and 0.0 from -0.0
    assert_same_arrays(got_arrays, arrays)


@given(st.binary(max_size=100).filter(lambda b: b"\n" not in b), st.lists(st.binary(max_size=150)))
@example(b"", [])
@example(b"x" * 63, [bytes(64), b"", b"1"])
def test_the_bytes_equal_those_of_the_reference(header, sections):
    arrays = [np.frombuffer(section, dtype=np.uint8) for section in sections]
    data = _core.format_dump(header, arrays, 1)
    assert data == reference.dump(header, sections)
    assert reference.parse(data) == (header, sections)
    reader = _core.format_parse(data, 1)
    assert reader.header == header
    assert [data[at : at + size] for at, size, _ in reader.sections] == sections


def test_a_file_and_bytes_hold_the_same(tmp_path, sample):
    path = tmp_path / "x.bitsense"
    files.write_file(path, "codes", HEADER, ARRAYS)
    assert path.read_bytes() == sample
    header, arrays = files.read_file(path, "codes")
    assert header == HEADER
    assert_same_arrays(arrays, ARRAYS)
    assert files.read_contents(path).writer == f"bitsense {_core.__version__}"


def test_the_first_two_lines_are_text(sample):
    first, second = sample.split(b"\n")[:2]
    assert first.startswith(b"bitsense file, format 0001, little-endian, size 000000")
    assert len(first) == 127
    fields = json.loads(second)
    assert list(fields) == ["kind", "writer", "header", "arrays"]
    assert "größe".encode() in second


def test_arrays_are_read_only_views_aligned_to_64_bytes(tmp_path):
    path = tmp_path / "x.bitsense"
    files.write_file(path, "codes", HEADER, ARRAYS)
    for arrays in (files.read_file(path)[1], files.read_bytes(path.read_bytes())[1]):
        for array in arrays.values():
            assert not array.flags.writeable
            assert not array.flags.owndata or array.size == 0
            if array.size:
                assert array.ctypes.data % 64 == 0
                with pytest.raises(ValueError, match=r"^cannot set WRITEABLE flag"):
                    array.flags.writeable = True


def test_strided_and_big_endian_arrays_are_stored_by_value():
    strided = np.arange(24, dtype=np.float32).reshape(4, 6)[::2, ::-3]
    swapped = np.array([1, 258], dtype=">u2")
    _, arrays = files.read_bytes(files.write_bytes("x", {}, {"a": strided, "b": swapped}))
    assert np.array_equal(arrays["a"], strided)
    assert arrays["b"].tolist() == [1, 258]
    assert arrays["b"].dtype == np.dtype("<u2")


def test_bytes_are_copied_before_they_are_checked(sample):
    data = bytearray(sample)
    _, arrays = files.read_bytes(data)
    data[:] = bytes(len(data))
    assert_same_arrays(arrays, ARRAYS)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_strings_round_trip(strings):
    assert files.unpack_strings(files.pack_strings("words", strings), "words") == strings


# Wrong files


def test_every_single_byte_change_is_refused(sample):
    for at in range(len(sample)):
        for change in (1, 0x80, 0xFF, 0x20):
            data = bytearray(sample)
            data[at] ^= change
            assert refused(data), f"byte {at} ^ {change}"


def test_every_value_of_every_byte_of_the_first_line_is_refused(sample):
    for at in range(128):
        for value in range(256):
            if value != sample[at]:
                assert refused(sample[:at] + bytes([value]) + sample[at + 1 :])


def test_every_cut_is_refused(sample):
    assert all(refused(sample[:size]) for size in range(len(sample)))


def test_every_extension_is_refused(sample):
    for more in (b"\0", b"\n", bytes(64), bytes(65), sample, sample[-64:], bytes(4096)):
        assert refused(sample + more)
        assert refused(more + sample)


def test_thousands_of_random_mutations_are_refused(sample):
    rng = random.Random(1)
    other = files.write_bytes("codes", HEADER, dict(reversed(ARRAYS.items())))
    for _ in range(6000):
        data = bytearray(sample)
        choice = rng.randrange(5)
        begin, end = sorted(rng.choices(range(len(data) + 1), k=2))
        if choice == 0:
            for _ in range(rng.randrange(1, 9)):
                data[rng.randrange(len(data))] = rng.randrange(256)
        elif choice == 1:
            data[begin:end] = b""
        elif choice == 2:
            data[begin:begin] = data[begin:end]
        elif choice == 3:
            data[begin:end] = other[begin:end]
        else:
            data[begin:end] = rng.randbytes(end - begin)
        assert bytes(data) in (sample, other) or refused(data)


@given(st.data())
def test_changes_with_the_right_checksums_are_refused_or_read_as_written(data):
    """A header that lies under a good checksum is refused by what it says."""
    header, sections = reference.parse(files.write_bytes("codes", {"a": 1}, {"b": np.eye(3)}))
    begin = data.draw(st.integers(0, len(header)))
    end = data.draw(st.integers(begin, min(len(header), begin + 8)))
    new = data.draw(st.binary(max_size=6) | st.sampled_from([b"1e999", b"NaN", b"-1", b"[", b"2"]))
    header = header[:begin] + new.replace(b"\n", b"") + header[end:]
    sections = data.draw(st.sampled_from([sections, sections * 2, [], [sections[0] + b"1"]]))
    written = reference.dump(header, sections)
    try:
        kind, writer, fields, arrays = files._contents(_core.format_parse(written, 1))[:4]
    except FormatError:
        return
    expected = json.loads(header)
    assert (kind, writer, fields) == (expected["kind"], expected["writer"], expected["header"])
    assert [array.nbytes for array in arrays.values()] == [len(section) for section in sections]


# What cannot be written


@pytest.mark.parametrize("header", [{"a": float("nan")}, {"a": b"x"}, {"a": "\ud800"},
                                    {"a": np.int32(1)}])  # fmt: skip
def test_a_header_that_is_not_json_is_not_written(header):
    with pytest.raises(ValueError, match=r"^`header` must hold only finite JSON values: "):
        files.write_bytes("x", header, {})


@pytest.mark.parametrize("header", [{"a": (1, 2)}, {1: 2}, {"a": {None: 0}}])
def test_a_header_that_json_would_change_is_not_written(header):
    with pytest.raises(ValueError, match=r"^`header` must hold only JSON values: strings as keys"):
        files.write_bytes("x", header, {})


@pytest.mark.parametrize("dtype", ["bool", "object", "float16", "complex64", "U3", "M8[s]"])
def test_other_dtypes_are_not_written(dtype):
    with pytest.raises(TypeError, match=r"^array 'a' must have one of the dtypes uint8, .*, got "):
        files.write_bytes("x", {}, {"a": np.zeros(2, dtype=dtype)})


def test_too_many_dimensions_are_not_written():
    message = "^array 'a' must have at most 8 dimensions, got 9$"
    with pytest.raises(ValueError, match=message):
        files.write_bytes("x", {}, {"a": np.zeros((1,) * 9)})


# Files of the past


def test_the_golden_file_of_format_1_is_read_for_ever():
    header, arrays = files.read_file(GOLDEN, "golden")
    assert header == HEADER
    assert_same_arrays(arrays, ARRAYS)
    assert files.verify(GOLDEN)["writer"] == "bitsense 0.1.0"
