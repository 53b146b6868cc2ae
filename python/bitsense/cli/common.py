"""What the commands share: reading documents, asking models, writing tables."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "Encoder",
    "add_field",
    "add_json",
    "add_quiet",
    "add_threads",
    "batches",
    "check_field",
    "json_line",
    "json_values",
    "local_paths",
    "say",
]

STANDARD_INPUT = "standard input"
BATCH = 8192  # documents that are encoded at once; the results do not depend on it


def add_field(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which field of JSON Lines is the text."""
    parser.add_argument(
        "--field",
        metavar="NAME",
        help="the input is JSON Lines and this field of each object is the text; "
        "otherwise each line is a document",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Add --quiet."""
    parser.add_argument("--quiet", action="store_true", help="no progress and no remarks")


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add --threads."""
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads; default: every available processor"
    )


def say(arguments: argparse.Namespace, text: str) -> None:
    """Write a remark to standard error, unless --quiet."""
    if not arguments.quiet:
        print(text, file=sys.stderr)


def json_line(value: Any) -> str:
    """Return a value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


@contextlib.contextmanager
def local_paths(names: Iterable[str]) -> Iterator[list[Path]]:
    """Yield paths, with what standard input holds in a temporary file in place of ``-``.

    Models and commands read their input more than once, and gzip must be able to seek.
    """
    with contextlib.ExitStack() as stack:
        paths = []
        copied = ""
        for name in names:
            if name == "-":
                if copied:
                    raise ValueError("standard input (-) can be read only once")
                file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="bitsense-"))
                shutil.copyfileobj(sys.stdin.buffer, file)
                file.flush()
                copied = file.name
            paths.append(Path(copied if name == "-" else name))
        try:
            yield paths
        except ValueError as error:
            if not copied or copied not in str(error):
                raise
            raise type(error)(str(error).replace(copied, STANDARD_INPUT)) from None


def check_field(arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Stop with a usage error if a file is JSON Lines by its name and --field is not given."""
    for name in names:
        plain = name.lower().removesuffix(".gz")
        if arguments.field is None and plain.endswith((".jsonl", ".ndjson")):
            arguments.parser.error(f"--field must name the field that holds the text of {name}")


def json_values(paths: list[Path], *names: str) -> Iterator[tuple[Any, ...]]:
    """Yield some fields of each object of JSON Lines; they must be strings or integers."""
    from ..text import TextFiles

    for path, first, block in TextFiles(paths, field=names[0]).blocks():
        for number, line in enumerate(block.split(b"\n"), first):
            if line.strip():
                yield _values(line, names, f"{path} line {number}")


def _values(line: bytes, names: tuple[str, ...], where: str) -> tuple[Any, ...]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} must be JSON, got an error: {error}") from None
    if not isinstance(record, dict):
        raise ValueError(  # noqa: TRY004 - data, not an argument
            f"{where} must be a JSON object, got {type(record).__name__}"
        )
    for name in names:
        value = record.get(name)
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            got = "no such field" if name not in record else json_line(value)
            raise ValueError(  # noqa: TRY004 - data, not an argument
                f"{where} must have a string or an integer in {name!r}, got {got}"
            )
    return tuple(record[name] for name in names)


def batches(documents: Iterable[str]) -> Iterator[list[str]]:
    """Yield documents in lists; there is at least one document, or ValueError."""
    documents = iter(documents)
    some = list(itertools.islice(documents, BATCH))
    if not some:
        raise ValueError("the input must hold at least one document, got none")
    while some:
        yield some
        some = list(itertools.islice(documents, BATCH))


class Encoder:
    """A model as the commands use it: documents in, codes or vectors out."""

    def __init__(self, path: str, threads: int | None) -> None:
        from .. import load

        self.model = load(path)
        if not getattr(self.model, "_takes_text", False):
            raise ValueError(f"{path} must hold a model of texts, got {self.model!r}")
        if threads is not None:
            self.model.set_params(threads=threads)
        if hasattr(self.model, "progress"):
            self.model.set_params(progress=False)
        self.path = path
        self.bits: int | None = getattr(self.model, "bits", None)

    def require_bits(self) -> int:
        """Return the number of bits, if the model makes codes."""
        if self.bits is None:
            raise ValueError(
                f"{self.path} must hold a model that makes binary codes, "
                f"got {type(self.model).__name__}"
            )
        return self.bits

    def codes(self, documents: list[str]) -> npt.NDArray[np.uint8]:
        """Return packed codes."""
        self.require_bits()
        return np.asarray(self.model.transform(documents))

    def vectors(self, documents: list[str]) -> npt.NDArray[np.float32]:
        """Return real vectors; of a binary model those whose signs are its codes, or its own."""
        if self.bits is not None:
            own = getattr(self.model, "vectors", self.model.preactivations)
            return np.asarray(own(documents))
        return np.asarray(self.model.transform(documents))
