"""`bitsense encode`: text to codes or vectors."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .common import (
    Encoder,
    add_field,
    add_quiet,
    add_threads,
    batches,
    check_field,
    json_line,
    json_values,
    local_paths,
    say,
)

HELP = "Turn text into codes or, with --real or another model, into vectors."
FORMATS = ("bitsense", "jsonl", "hex", "npy")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", help="a model that 'bitsense train' made")
    parser.add_argument(
        "input", nargs="+", metavar="INPUT", help="text or JSON Lines, gzip or not; - is stdin"
    )
    parser.add_argument(
        "--output", "-o", default="-", metavar="FILE", help="default: -, standard output"
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="bitsense: a file that 'bitsense search' reads; jsonl: an object a line; hex: a code "
        "a line; npy: a NumPy array. Default: by the name of the output, else jsonl",
    )
    parser.add_argument(
        "--real",
        action="store_true",
        help="real vectors: those of a real-binary model, or else those whose signs are the codes",
    )
    parser.add_argument(
        "--id-field", metavar="NAME", help="this field of each JSON object is its id"
    )
    add_field(parser)
    add_threads(parser)
    add_quiet(parser)


def default_format(output: str) -> str:
    """Return the format that a file name asks for."""
    suffix = Path(output).suffix.removeprefix(".").lower()
    return suffix if suffix in FORMATS else "jsonl"


def run(arguments: argparse.Namespace) -> int:
    """Encode all documents."""
    from ..text import TextFiles

    kind = arguments.format or default_format(arguments.output)
    if arguments.id_field and not arguments.field:
        arguments.parser.error("--id-field needs --field")
    check_field(arguments, arguments.input)
    model = Encoder(arguments.model, arguments.threads)
    real = arguments.real or model.bits is None
    if real and kind in ("bitsense", "hex"):
        arguments.parser.error(f"real vectors have no format {kind}; use npy or jsonl")
    encode = model.vectors if real else model.codes
    with local_paths(arguments.input) as paths:
        ids = None
        if arguments.id_field:
            ids = [value for (value,) in json_values(paths, arguments.id_field)]
        parts = map(encode, batches(TextFiles(paths, field=arguments.field)))
        if kind in ("bitsense", "npy"):
            rows = write_whole(arguments.output, kind, np.concatenate(list(parts)), model.bits, ids)
        else:
            rows = write_lines(arguments.output, kind, parts, model.bits, ids)
    say(arguments, f"{rows:,} documents encoded")
    return 0


def write_whole(output: str, kind: str, array: Any, bits: int | None, ids: Any) -> int:
    """Write one array as a file; return its rows."""
    if kind == "npy":
        buffer = io.BytesIO()
        np.save(buffer, array)
        data = buffer.getvalue()
    else:
        from .._codes_file import codes_bytes, save_codes
        from ..codes import Codes

        codes = Codes(array, bits, ids)
        if output != "-":
            save_codes(codes, output)
            return len(array)
        data = codes_bytes(codes)
    if output == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(output).write_bytes(data)
    return len(array)


def write_lines(
    output: str, kind: str, parts: Iterator[Any], bits: int | None, ids: list[Any] | None
) -> int:
    """Write a line per row as the rows come; return how many."""
    file = sys.stdout if output == "-" else Path(output).open("w", encoding="utf-8")  # noqa: SIM115
    count = 0
    try:
        for part in parts:
            for row in part:
                file.write(line_of(row, kind, bits, count if ids is None else ids[count]) + "\n")
                count += 1
    finally:
        if output != "-":
            file.close()
    return count


def line_of(row: Any, kind: str, bits: int | None, identifier: Any) -> str:
    """Return one code or vector as a line."""
    if kind == "hex":
        return str(row.tobytes().hex())
    if row.dtype == np.uint8:
        return json_line({"id": identifier, "bits": bits, "code": row.tobytes().hex()})
    # The shortest digits that give the same float32 again.
    return json_line({"id": identifier, "vector": [float(str(value)) for value in row]})
