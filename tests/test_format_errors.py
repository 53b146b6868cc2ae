"""Files that a slow twin of the writer made wrong: each mistake is refused by its own message."""

from __future__ import annotations

import pytest
from reference import file_format as reference

from bitsense import FormatError, _core, files, load

ARRAY = '{"name": "a", "dtype": "uint8", "shape": [3]}'


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("[]", "corrupt: the header must have the keys kind, writer, header and arrays"),
        ('{"kind": "x"}', "corrupt: the header must have the keys kind, writer, header and arrays"),
        ('{"kind": 1, "writer": "", "header": {}, "arrays": []}',
         "corrupt: `kind` of the header has the wrong type"),
        ('{"kind": "x", "writer": "", "header": [], "arrays": []}',
         "corrupt: `header` of the header has the wrong type"),
        ('{"kind": "x", "writer": "", "header": {}, "arrays": {}}',
         "corrupt: `arrays` of the header has the wrong type"),
        ('{"kind": "x", "writer": "", "header": {}, "arrays": []}',
         "corrupt: the header names 0 arrays, the file has 1"),
        ('{"kind": "x", "kind": "x", "writer": "", "header": {}, "arrays": []}',
         "corrupt: the header is not valid JSON: a key occurs twice"),
        ('{"kind": "x", "writer": "", "header": {"a": NaN}, "arrays": []}',
         "corrupt: the header is not valid JSON: NaN is not JSON"),
        ('{"kind": "x", "writer": "", "header": {"a": 1e999}, "arrays": []}',
         "corrupt: the header is not valid JSON: 1e999 is not finite"),
    ],
)  # fmt: skip
def test_a_wrong_header_is_refused(header, message):
    with pytest.raises(FormatError) as error:
        files.read_bytes(reference.dump(header.encode(), [b"123"]))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("7", "corrupt: an array must have the keys name, dtype and shape"),
        ('{"name": "a", "dtype": "uint8"}',
         "corrupt: an array must have the keys name, dtype and shape"),
        (ARRAY.replace('"a"', '""'), "corrupt: an array has the name ''"),
        (ARRAY.replace("uint8", "object"), "corrupt: array 'a' has the dtype 'object'"),
        (ARRAY.replace("uint8", "bool"), "corrupt: array 'a' has the dtype 'bool'"),
        (ARRAY.replace("[3]", "3"), "corrupt: array 'a' has the shape 3"),
        (ARRAY.replace("[3]", "[-3]"), "corrupt: array 'a' has the shape [-3]"),
        (ARRAY.replace("[3]", "[3.0]"), "corrupt: array 'a' has the shape [3.0]"),
        (ARRAY.replace("[3]", "[3, true]"), "corrupt: array 'a' has the shape [3, True]"),
        (ARRAY.replace("[3]", "[0, 4611686018427387903, 9]"),
         "corrupt: array 'a' has the shape [0, 4611686018427387903, 9]"),
        (ARRAY.replace("[3]", "[4]"),
         "corrupt: array 'a' of uint8 and shape [4] cannot fill 3 bytes"),
        (ARRAY.replace("uint8", "uint16"),
         "corrupt: array 'a' of uint16 and shape [3] cannot fill 3 bytes"),
    ],
)  # fmt: skip
def test_a_wrong_array_is_refused(description, message):
    header = f'{{"kind": "x", "writer": "", "header": {{}}, "arrays": [{description}]}}'
    with pytest.raises(FormatError) as error:
        files.read_bytes(reference.dump(header.encode(), [b"123"]))
    assert str(error.value) == message


def test_hostile_json_is_refused():
    for header in (b"[" * 100_000, b"9" * 5000, b'"\xff"', b'{"\\ud800": 1}', b"", b"\0"):
        with pytest.raises(FormatError):
            files.read_bytes(reference.dump(header, []))
    twice = f'{{"kind": "x", "writer": "", "header": {{}}, "arrays": [{ARRAY}, {ARRAY}]}}'
    with pytest.raises(FormatError, match=r"^corrupt: two arrays have the name 'a'$"):
        files.read_bytes(reference.dump(twice.encode(), [b"123", b"123"]))


def patched(data: bytes, at: int, new: bytes) -> bytes:
    """A change in the metadata of a file, under the right checksum."""
    changed = data[:at] + new + data[at + len(new) :]
    header_bytes, count = int(data[73:81]), int(data[92:100])
    end = ((128 + header_bytes + 63) // 64 * 64 + 16 * count + 63) // 64 * 64
    crc = reference.crc64(changed[:111] + changed[128:end])
    return changed[:111] + f"{crc:016x}".encode() + changed[127:]


NEWER = (
    "format version 2 is newer than version 1, the newest that this bitsense reads; "
    "please update bitsense"
)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "the file is empty"),
        (lambda data: b"PK\3\4" + data, "not a bitsense file"),
        (lambda data: data[:100], "cut short within the first line"),
        (lambda data: data[:300], "cut short: 300 of 384 bytes"),
        (lambda data: data + b"12", "corrupt: 2 bytes too many"),
        (lambda data: data.replace(b"format 0001", b"format 0002"),
         NEWER),
        (lambda data: data.replace(b"format 0001", b"format 0000"), "corrupt first line"),
        (lambda data: data.replace(b"little-endian", b"big-endian   "),
         "the numbers are big-endian; bitsense reads little-endian files only"),
        (lambda data: data.replace(b"crc64", b"crc63"), "corrupt first line"),
        (lambda data: data.replace(b"{}", b"[]"),
         "corrupt: the checksum of the header is wrong"),
        (lambda data: data.replace(b"123", b"124"),
         "corrupt: the checksum of section 0 is wrong"),
        (lambda data: data[:-1] + b"1", "corrupt: the padding is not zero"),
        (lambda data: patched(data, 129, b"\n"), "corrupt: the header is not one line"),
        (lambda data: patched(data, 130, b"x"), "corrupt: the header is not one line"),
        (lambda data: patched(data, 140, b"x"), "corrupt: the padding is not zero"),
        (lambda data: patched(data, 192 + 40, b"x"), "corrupt: the padding is not zero"),
        (lambda data: patched(data, 192, b"\xff" * 8), "corrupt: a section is too long"),
        (lambda data: patched(data, 192, b"\xc1\xff\xff\xff\xff\xff\xff\xff"),
         "corrupt: a section is too long"),
        (lambda data: patched(data, 208, b"\x41"), "corrupt: a section is too long"),
        (lambda data: patched(data, 208, b"\x00"), "corrupt: bytes after the last section"),
        (lambda data: data[:92] + b"99999999" + data[100:],
         "corrupt: the first line contradicts itself"),
        (lambda data: data[:73] + b"99999999" + data[81:],
         "corrupt: the first line contradicts itself"),
        (lambda data: data[:73] + b"00000000" + data[81:],
         "corrupt: the first line contradicts itself"),
    ],
)  # fmt: skip
def test_each_structural_mistake_has_its_message(change, message, tmp_path):
    data = reference.dump(b"{}", [b"123", b"12"])
    assert len(data) == 384
    assert _core.format_parse(data, 1).header == b"{}"
    with pytest.raises(FormatError) as error:
        _core.format_parse(change(data), 1)
    assert str(error.value) == message
    path = tmp_path / "wrong.bitsense"
    path.write_bytes(change(data))
    with pytest.raises(FormatError) as error:
        load(path)
    assert str(error.value) == f"{path}: {message}"
