"""Files of text: every kind gives the same, and what is wrong is named by file and line."""

from __future__ import annotations

import gzip
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bitsense import _core
from bitsense.errors import FormatError
from bitsense.text import (
    TextFiles,
    Tokenizer,
    build_corpus,
)


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def test_files_of_every_kind_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bitsense._text_files._BLOCK", 5)
    texts = ["Red wine", "", "ein Glas Rotwein, süß", "漢字"]
    plain = "\n".join(texts).encode()
    records = "\n\n".join(json.dumps({"id": i, "text": t}) for i, t in enumerate(texts)).encode()
    files = [
        write(tmp_path, "a.txt", plain),
        write(tmp_path, "b.txt.gz", b"\xef\xbb\xbf" + plain + b"\n"),
        write(tmp_path, "crlf.txt", plain.replace(b"\n", b"\r\n")),
    ]
    expected, corpus = build_corpus(texts, tokenizer=Tokenizer(), min_count=1)
    jsonl = [write(tmp_path, name, records) for name in ("c.jsonl", "d.jsonl.gz")]
    sources: list[Any] = [*files, str(files[0]), *(TextFiles(path, field="text") for path in jsonl)]
    for source in sources:
        vocabulary, same = build_corpus(source, tokenizer=Tokenizer(), min_count=1)
        assert vocabulary == expected
        assert same.ids.tolist() == corpus.ids.tolist()
        assert same.offsets.tolist() == corpus.offsets.tolist()
    for source in [TextFiles(files), *sources[4:]]:
        assert list(source)[:4] == list(source)[:4] == texts
    _, twice = build_corpus(files[:2], tokenizer=Tokenizer(), min_count=1)
    assert twice.n_documents == 8
    _, split = build_corpus(files[2], tokenizer=str.split, min_count=1)
    assert split.totals.tolist() == [2, 0, 4, 1]


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_only_one_byte_order_mark_is_skipped(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, name, b"\xef\xbb\xbf" * 2 + b"red wine")
    assert list(TextFiles(path)) == ["\ufeffred wine"]


INVALID = [
    (b"\xff", "no character starts with this byte"),
    (b"\x80", "no character starts with this byte"),
    (b"\xc0\xaf", "no character starts with this byte"),
    (b"\xf5\x80\x80\x80", "no character starts with this byte"),
    (b"\xc3", "the character is cut short"),
    (b"\xc3(", "the character is cut short"),
    (b"\xe2\x82", "the character is cut short"),
    (b"\xe2\x82.", "the character is cut short"),
    (b"\xe0\x80\xaf", "the character is encoded overlong"),
    (b"\xf0\x80\x80\xaf", "the character is encoded overlong"),
    (b"\xed\xa0\x80", "the character is a surrogate"),
    (b"\xf4\x90\x80\x80", "the character is above U+10FFFF"),
]


@pytest.mark.parametrize(("bad", "reason"), INVALID)
@pytest.mark.parametrize("threads", [1, 3])
def test_invalid_utf8_names_file_line_and_byte(
    bad: bytes, reason: str, threads: int, tmp_path: Path
) -> None:
    lines = [b"some words"] * 60_000 + [b"caf\xc3\xa9 " + bad] + [b"\xff"] * 9
    path = write(tmp_path, "bad.txt", b"\n".join(lines))
    message = f"{path} line 60001 must be UTF-8, got byte 0x{bad[0]:02x} at offset 6: {reason}"
    with pytest.raises(ValueError, match=whole(message)):
        build_corpus(path, tokenizer=Tokenizer(), min_count=1, threads=threads)


@given(data=st.binary(max_size=40))
@settings(max_examples=300)
def test_bytes_are_accepted_exactly_when_python_decodes_them(data: bytes) -> None:
    builder = _core.CorpusBuilder(Tokenizer()._core, 1)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        offset = error.start - (data.rfind(b"\n", 0, error.start) + 1)
        with pytest.raises(ValueError, match=rf"^x line {line} .* at offset {offset}: "):
            builder.add_lines(data, "x", 1)
        return
    builder.add_lines(data, "x", 1)
    documents = text.split("\n") if text else []
    if text.endswith("\n"):
        documents.pop()
    assert builder.counts()[0] == len(documents)
    assert builder.counts()[1] == sum(len(Tokenizer()(document)) for document in documents)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "must be JSON, got an error: Expecting property name"),
        (b"[1]", "must be a JSON object, got list"),
        (b'{"a": 1, "b": 2}', "must be an object with the field 'text', got 'a', 'b'"),
        (b'{"text": 3}', "must be an object with a string in 'text', got int"),
        (b'{"text": "a\xff"}', "must be UTF-8, got byte 0xff at offset 11: invalid start byte"),
        (b'{"text": "\\ud800"}', "must be valid Unicode, got a lone surrogate at character 0"),
        (b"[" * 100_000, "must be JSON, got one nested too deeply"),
    ],
)
def test_bad_json_lines_name_file_and_line(line: bytes, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, "bad.jsonl.gz", b'{"text": "fine"}\n\n' + line + b"\n")
    with pytest.raises(ValueError, match="^" + re.escape(f"{path} line 3 {message}")):
        build_corpus(TextFiles(path, field="text"), tokenizer=Tokenizer(), min_count=1)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    whole_file = write(tmp_path, "a.gz", b"some words\n" * 1000)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(whole_file.read_bytes()[:-9])
    with pytest.raises(FormatError, match=whole(f"{cut} is cut short: the gzip data end early")):
        build_corpus(cut, tokenizer=Tokenizer(), min_count=1)
    flipped = bytearray(whole_file.read_bytes())
    flipped[-6] ^= 1
    cut.write_bytes(flipped)
    with pytest.raises(FormatError, match=re.escape(f"{cut} is corrupt: CRC check failed")):
        build_corpus(cut, tokenizer=Tokenizer(), min_count=1)
    packed = write(tmp_path, "a.xz", b"\xfd7zXZ\x00...")
    with pytest.raises(FormatError, match=whole(f"{packed} must be plain text or gzip, got xz")):
        build_corpus(packed, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(ValueError, match=whole("`paths` must name at least one file, got none")):
        TextFiles([])
    with pytest.raises(TypeError, match=whole("`field` must be a string or None, got 3")):
        TextFiles("a", field=3)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match="nowhere"):
        build_corpus(tmp_path / "nowhere", tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(IsADirectoryError):
        build_corpus(tmp_path, tokenizer=Tokenizer(), min_count=1)
    jsonl = tmp_path / "a.jsonl"
    message = (
        f"`field` must name the field that holds the text of {jsonl}, got None; for example "
        f"TextFiles({str(jsonl)!r}, field='text')"
    )
    with pytest.raises(ValueError, match=whole(message)):
        build_corpus(jsonl, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(
        TypeError, match=whole("`documents`[1] must be a path like `documents`[0], got str")
    ):
        build_corpus([packed, "a"], tokenizer=Tokenizer(), min_count=1)


LINES = st.lists(st.text("aé\r 漢", max_size=12), max_size=30)


@given(lines=LINES, ends=st.booleans(), block=st.integers(1, 60), threads=st.integers(1, 3))
@settings(max_examples=100)
def test_files_are_read_in_blocks_of_any_size(
    lines: list[str], ends: bool, block: int, threads: int
) -> None:
    data = "\n".join(lines).encode() + b"\n" * (ends and len(lines) > 0)
    whole_builder = _core.CorpusBuilder(Tokenizer()._core, 1)
    whole_builder.add_lines(data, "x", 1)
    builder = _core.CorpusBuilder(Tokenizer()._core, threads)
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(data)
        file.seek(0)
        reader = _core.LineReader(file.fileno(), "x", block)
        while builder.add_file(reader, 3 * block, "x", 1):
            pass
    assert builder.counts() == whole_builder.counts()
    one, two = builder.rank(1, 1, 2**32 - 1), whole_builder.rank(1, 1, 2**32 - 1)
    assert [one.word(i) for i in range(len(one))] == [two.word(i) for i in range(len(two))]
    for mine, its in zip(builder.drain(), whole_builder.drain(), strict=True):
        assert mine.tolist() == its.tolist()


def test_a_file_that_cannot_be_read_on_gives_an_error(tmp_path: Path) -> None:
    builder = _core.CorpusBuilder(Tokenizer()._core, 2)
    with (tmp_path / "x").open("wb") as file:
        reader = _core.LineReader(file.fileno(), str(tmp_path / "x"), 10)
        with pytest.raises(OSError, match="Bad file descriptor") as error:
            builder.add_file(reader, 10, "x", 1)
        assert error.value.filename == str(tmp_path / "x")
    with pytest.raises(ValueError, match=whole("`block_bytes` must be at least 1, got 0")):
        _core.LineReader(0, "x", 0)
