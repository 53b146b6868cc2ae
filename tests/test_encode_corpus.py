"""Making the file of an encoded corpus: what it holds, and that nothing is half-written."""

from __future__ import annotations

import gzip
import os
import pickle
import resource
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encoded import assert_same, texts

import bitsense
from bitsense import _build
from bitsense.text import EncodedCorpus, TextFiles, Tokenizer, build_corpus, encode_corpus


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A corpus that is there before."""
    path = tmp_path / "c.bitsense"
    encode_corpus(texts(), path, tokenizer=Tokenizer(), min_count=2)
    return path


def when_read(monkeypatch: pytest.MonkeyPatch, call: Callable[[], None]) -> None:
    """Let `encode_corpus` call something between reading the documents and finishing the file."""

    def read_words(*arguments: Any) -> Any:
        made = _build.read_words(*arguments)
        call()
        return made

    monkeypatch.setattr("bitsense._encoded_corpus.read_words", read_words)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("ngrams", [1, 2])
def test_a_file_holds_what_build_corpus_makes(
    threads: int, ngrams: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bitsense._text_files._BLOCK", 1000)
    options: dict[str, Any] = {"tokenizer": Tokenizer(ngrams=ngrams), "min_count": 2}
    options |= {"min_count_ngrams": 3, "max_vocabulary": 150}
    plain, packed = tmp_path / "a.txt", tmp_path / "a.txt.gz"
    plain.write_text("\n".join(texts()))
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    written = []
    for i, source in enumerate((texts(), iter(texts()), plain, packed)):
        path = tmp_path / f"{i}.bitsense"
        found = encode_corpus(source, path, threads=threads, **options)
        assert_same(found, texts(), **options)
        assert_same(EncodedCorpus.load(path), texts(), **options)
        assert_same(bitsense.load(path), texts(), **options)
        written.append(path.read_bytes())
    assert len(set(written)) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".bitsense"] * 4 + [".gz", ".txt"]
    held = EncodedCorpus(*build_corpus(texts(), **options), **options)
    held.save(tmp_path / "again.bitsense")
    assert (tmp_path / "again.bitsense").read_bytes() == written[0]
    assert pickle.loads(pickle.dumps(held)).vocabulary == held.vocabulary


def test_an_old_file_stays_where_the_making_of_a_new_one_fails(path: Path) -> None:
    before = path.read_bytes()

    def broken() -> Any:
        yield "a b"
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        encode_corpus(broken(), path, tokenizer=Tokenizer(), min_count=1)
    with pytest.raises(ValueError, match="removed all"):
        encode_corpus(["a b"], path, tokenizer=Tokenizer(), min_count=9)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    for target, error in (
        (path.parent / "no" / "c", FileNotFoundError),
        (path.parent, IsADirectoryError),
        (path / "c", OSError),
    ):
        with pytest.raises(error):
            encode_corpus(iter(["a"]), target, tokenizer=Tokenizer(), min_count=1)


@pytest.mark.parametrize("part", ["ids", "rest"])
def test_a_full_disk_leaves_the_old_file(
    part: str, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    texts = ["a " * (1 << 18)]
    encode_corpus(texts, path.parent / "c", tokenizer=Tokenizer(), min_count=1)
    most = (path.parent / "c").stat().st_size - 1 if part == "rest" else 1 << 19
    read: list[bool] = []
    when_read(monkeypatch, lambda: read.append(True))
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            encode_corpus(texts, path, tokenizer=Tokenizer(), min_count=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert len(read) == (part == "rest")
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} == {path.name, "c"}


def test_ctrl_c_while_the_file_is_finished_leaves_the_old_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.read_bytes()
    stop = threading.Timer(0.01, lambda: os.kill(os.getpid(), signal.SIGINT))
    when_read(monkeypatch, stop.start)
    many = ("some words and more of them " * 2000 for _ in range(1500))  # 18,000,000 words
    with pytest.raises(KeyboardInterrupt):
        encode_corpus(many, path, tokenizer=Tokenizer(), min_count=1, threads=2)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_path_means_what_it_meant_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other").mkdir()
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 1}
    encode_corpus(["x"] * 9, "other/c", **options)

    def wandering() -> Any:
        yield "a b"
        os.chdir("other")

    assert encode_corpus(wandering(), "c", **options).n_documents == 1
    assert EncodedCorpus.load(tmp_path / "c").n_documents == 1
    assert EncodedCorpus.load("c").n_documents == 9
    before = Path("c").read_bytes()
    for path, error in (("c/", NotADirectoryError), ("no/../c", FileNotFoundError)):
        with pytest.raises(error):
            encode_corpus(iter(["a"]), path, **options)
    with pytest.raises(ValueError, match="must not contain a null character"):
        encode_corpus(["a"], "c\0", **options)
    assert Path("c").read_bytes() == before


def test_a_link_stays_and_its_file_is_replaced(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path.name)
    encode_corpus(["a b"], link, tokenizer=Tokenizer(), min_count=1)
    assert link.is_symlink()
    assert EncodedCorpus.load(path).n_documents == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_memory_does_not_hold_the_ids(threads: int, tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    line = " ".join(f"w{i:03}" for i in range(1000)).encode() + b"\n"
    with path.open("wb") as file:
        for _ in range(100):
            file.write(line * 200)  # 100 MB of text, 20,000,000 tokens, 80 MB of ids
    code = """
        import resource, sys
        from pathlib import Path
        from bitsense.text import Tokenizer, encode_corpus
        # What is private to a process and can be written: not the pages of mapped files.
        held = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1])
        threads = int(sys.argv[3])
        limit = held * 1024 + 70_000_000 + (threads - 1) * 18_000_000  # stack and more of each
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        corpus = encode_corpus(
            Path(sys.argv[1]), sys.argv[2], tokenizer=Tokenizer(), min_count=1, threads=threads
        )
        print(corpus.n_tokens)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), path, tmp_path / "c", str(threads)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (found.stderr, found.stdout) == ("", "20000000\n")


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    def endless() -> Any:
        threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        while True:
            yield "some words " * 1000

    with pytest.raises(KeyboardInterrupt):
        encode_corpus(endless(), tmp_path / "c", tokenizer=Tokenizer(), min_count=1)
    assert list(tmp_path.iterdir()) == []


def test_files_and_their_iterators_give_one_corpus(tmp_path: Path) -> None:
    plain = tmp_path / "a.txt"
    plain.write_text("\n".join(texts()) + "\n")
    options: dict[str, Any] = {"tokenizer": Tokenizer(), "min_count": 2}
    found = encode_corpus(TextFiles([plain, plain]), tmp_path / "c", **options)
    assert_same(found, texts() * 2, **options)
