"""The file format again, from docs/formats.md and in plain Python: the slow twin of cpp/io/."""

from __future__ import annotations

import re

POLYNOMIAL = 0xC96C5795D7870F42
PRELUDE = (
    "bitsense file, format 0001, little-endian, size {size:016d}, header {header:08d}, "
    "sections {sections:08d}, crc64/xz {crc:016x}\n"
)
PATTERN = re.compile(
    rb"bitsense file, format 0001, little-endian, size ([0-9]{16}), header ([0-9]{8}), "
    rb"sections ([0-9]{8}), crc64/xz ([0-9a-f]{16})\n"
)


def _table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (POLYNOMIAL if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = _table()


def crc64(data: bytes) -> int:
    """CRC-64/XZ, a byte at a time."""
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFFFFFFFFFF


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 64)


def dump(header: bytes, sections: list[bytes]) -> bytes:
    """The bytes of a file; the header comes without its newline."""
    table = b"".join(
        len(section).to_bytes(8, "little") + crc64(section).to_bytes(8, "little")
        for section in sections
    )
    body = b"".join(padded(section) for section in sections)

    def metadata(size: int, crc: int) -> bytes:
        first = PRELUDE.format(size=size, header=len(header) + 1, sections=len(sections), crc=crc)
        return padded(padded(first.encode() + header + b"\n") + table)

    size = len(metadata(0, 0)) + len(body)
    covered = metadata(size, 0)
    return metadata(size, crc64(covered[:111] + covered[128:])) + body


def parse(data: bytes) -> tuple[bytes, list[bytes]]:
    """The header and the sections of a file; AssertionError if anything is wrong."""
    match = PATTERN.match(data)
    assert match
    size, header_bytes, count = (int(match[i]) for i in (1, 2, 3))
    assert size == len(data)
    assert header_bytes >= 1
    header = data[128 : 128 + header_bytes - 1]
    table_at = (128 + header_bytes + 63) // 64 * 64
    offset = (table_at + 16 * count + 63) // 64 * 64
    assert offset <= size
    sections = []
    for i in range(count):
        entry = table_at + 16 * i
        length = int.from_bytes(data[entry : entry + 8], "little")
        assert offset + length <= size
        sections.append(data[offset : offset + length])
        offset = (offset + length + 63) // 64 * 64
    assert b"\n" not in header
    assert dump(header, sections) == data
    return header, sections
