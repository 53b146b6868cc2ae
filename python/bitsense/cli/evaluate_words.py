"""`bitsense eval words`: similarity of words and analogies."""

from __future__ import annotations

import argparse
import math
from typing import Any

from .common import add_json, json_line
from .vectors import FILE_HELP, open_vectors

HELP = "Measure vectors of words: their similarities beside those that people gave, and analogies."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument(
        "--similarity", nargs="+", default=[], metavar="PATH", help="word<TAB>word<TAB>score a line"
    )
    parser.add_argument(
        "--analogies", nargs="+", default=[], metavar="PATH", help="questions-words, as Google's"
    )
    parser.add_argument(
        "--method", choices=("3cosadd", "3cosmul"), default="3cosadd", help="default: 3cosadd"
    )
    parser.add_argument(
        "--unknown",
        choices=("skip", "wrong"),
        default="skip",
        help="what a question with an unknown word counts as; default: skip",
    )
    parser.add_argument(
        "--restrict", type=int, metavar="N", help="only the first N rows of FILE can be answers"
    )
    add_json(parser)


def finite(value: Any) -> Any:
    """Return what JSON can hold: None for NaN, and dictionaries of such."""
    if isinstance(value, dict):
        return {name: finite(each) for name, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def run(arguments: argparse.Namespace) -> int:
    """Write a line, or an object, per file."""
    from .. import evaluate

    if not arguments.similarity and not arguments.analogies:
        arguments.parser.error("--similarity or --analogies must name a file")
    # All files are read first: a mistake in one shows at once.
    pairs = [(path, evaluate.read_similarity(path)) for path in arguments.similarity]
    questions = [(path, evaluate.read_analogies(path)) for path in arguments.analogies]
    vectors = open_vectors(arguments.file)
    for path, some in pairs:
        report = evaluate.evaluate_similarity(vectors, some).as_dict()
        if arguments.json:
            print(json_line(finite({"task": "similarity", "data": path, **report})))
            continue
        print(
            f"{path}: Spearman {report['spearman']:.4f}, "
            f"{report['n_pairs']:,} pairs, coverage {report['coverage']:.3f}"
        )
    for path, sections in questions:
        result = evaluate.evaluate_analogies(
            vectors,
            sections,
            method=arguments.method,
            unknown=arguments.unknown,
            restrict_to=arguments.restrict,
        )
        if arguments.json:
            print(json_line(finite({"task": "analogies", "data": path, **result.as_dict()})))
            continue
        print(
            f"{path}: accuracy {result.accuracy:.4f}, MRR {result.mrr:.4f}, "
            f"{result.n_questions:,} questions, coverage {result.coverage:.3f}"
        )
    return 0
