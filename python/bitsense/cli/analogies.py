"""`bitsense analogies`: a is to b as c is to which word?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from .common import add_json, json_line
from .vectors import FILE_HELP, open_vectors, report_unknown, standard_lines

HELP = "Answer analogies: A is to B as C is to which word?"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument(
        "word",
        nargs="*",
        metavar="WORD",
        help="A B C; without them, or with -, three words a line of stdin",
    )
    parser.add_argument("-k", type=int, default=5, help="answers; default: 5")
    parser.add_argument(
        "--method", choices=("3cosadd", "3cosmul"), default="3cosadd", help="default: 3cosadd"
    )
    parser.add_argument(
        "--restrict", type=int, metavar="N", help="only the first N rows of FILE can be answers"
    )
    add_json(parser)


def questions(arguments: argparse.Namespace) -> Iterator[list[str]]:
    """Yield three words at a time."""
    if arguments.word and arguments.word != ["-"]:
        if len(arguments.word) != 3:
            arguments.parser.error(f"an analogy takes 3 words, got {len(arguments.word)}")
        yield arguments.word
        return
    for line in standard_lines():
        words = line.split()
        if len(words) != 3:
            raise ValueError(f"each line must hold 3 words, got {line!r}")
        yield words


def run(arguments: argparse.Namespace) -> int:
    """Write the three words, rank, answer and score, or an object a question."""
    from .._vector_keys import UnknownKeyError

    if arguments.word not in ([], ["-"]):
        list(questions(arguments))  # wrong usage is found before a large file is read
    vectors = open_vectors(arguments.file)
    status = 0
    for words in questions(arguments):
        try:
            found = vectors.analogy(
                *words, k=arguments.k, method=arguments.method, restrict_to=arguments.restrict
            )
        except UnknownKeyError as error:
            report_unknown(error)
            status = 1
            continue
        if arguments.json:
            results = [{"key": key, "score": round(score, 6)} for key, score in found]
            print(json_line({"query": words, "results": results}))
            continue
        for rank, (key, score) in enumerate(found, 1):
            print(*words, rank, key, f"{score:.4f}", sep="\t")
    return status
