"""`bitsense search`: the nearest codes to queries."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np

from .common import (
    Encoder,
    add_field,
    add_json,
    add_threads,
    batches,
    check_field,
    json_line,
    local_paths,
)

HELP = "Find the codes nearest to each query by Hamming distance."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("codes", metavar="CODES", help="codes that 'bitsense encode' made")
    parser.add_argument("--model", required=True, help="the model that made them")
    queries = parser.add_mutually_exclusive_group(required=True)
    queries.add_argument("--query", action="append", metavar="TEXT", help="may be repeated")
    queries.add_argument("--queries", metavar="FILE", help="text or JSON Lines; - is stdin")
    parser.add_argument("-k", type=int, default=10, help="results per query; default: 10")
    add_field(parser)
    add_json(parser)
    add_threads(parser)


def query_batches(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield the queries in lists."""
    from ..text import TextFiles

    if arguments.query:
        yield arguments.query
        return
    with local_paths([arguments.queries]) as paths:
        yield from batches(TextFiles(paths, field=arguments.field))


def run(arguments: argparse.Namespace) -> int:
    """Search; write query number, rank, id and distance, or one JSON object per query."""
    from .._codes_file import load_codes
    from ..search import HammingIndex

    check_field(arguments, [arguments.queries or ""])
    index = HammingIndex(load_codes(arguments.codes))
    model = Encoder(arguments.model, arguments.threads)
    if model.require_bits() != index.bits:
        raise ValueError(
            f"the codes of {arguments.codes} have {index.bits} bits, "
            f"but {arguments.model} makes codes of {model.bits}"
        )
    number = 0
    for queries in query_batches(arguments):
        ids, distances = index.search(model.codes(queries), arguments.k, threads=arguments.threads)
        for text, *found in zip(queries, np.asarray(ids).tolist(), distances.tolist(), strict=True):
            write_answer(number, text, list(zip(*found, strict=True)), arguments.json)
            number += 1
    return 0


def write_answer(number: int, text: str, found: list[tuple[Any, int]], as_json: bool) -> None:
    """Write what one query found."""
    if as_json:
        results = [{"id": identifier, "distance": distance} for identifier, distance in found]
        print(json_line({"query": text, "results": results}))
        return
    for rank, (identifier, distance) in enumerate(found, 1):
        print(number, rank, " ".join(str(identifier).split()), distance, sep="\t")
