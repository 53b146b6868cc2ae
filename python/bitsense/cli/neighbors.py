"""`bitsense neighbors`: the words, or senses, most similar to words."""

from __future__ import annotations

import argparse

from .common import add_json, json_line
from .vectors import FILE_HELP, add_words, each_word, open_vectors, report_unknown, sense_keys

HELP = "Find the words nearest to words; of sense vectors, to each sense."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    add_words(parser)
    parser.add_argument("-k", type=int, default=10, help="answers per word; default: 10")
    parser.add_argument(
        "--restrict", type=int, metavar="N", help="only the first N rows of FILE can be answers"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write key, rank, neighbour and similarity, or an object a key; 1 if a word is unknown."""
    from .._vector_keys import UnknownKeyError

    vectors = open_vectors(arguments.file)
    status = 0
    for word in each_word(arguments.word):
        try:
            for key in sense_keys(vectors, word):
                write(
                    key,
                    vectors.most_similar(key, k=arguments.k, restrict_to=arguments.restrict),
                    arguments.json,
                )
        except UnknownKeyError as error:
            report_unknown(error)
            status = 1
    return status


def write(key: str, found: list[tuple[str, float]], as_json: bool) -> None:
    """Write the neighbours of one key."""
    if as_json:
        results = [{"key": near, "similarity": round(value, 6)} for near, value in found]
        print(json_line({"query": key, "results": results}))
        return
    for rank, (near, value) in enumerate(found, 1):
        print(key, rank, near, f"{value:.4f}", sep="\t")
