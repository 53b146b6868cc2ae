"""`bitsense senses`: what a word can mean."""

from __future__ import annotations

import argparse
from typing import Any

from .common import add_field, add_json, check_field, json_line, local_paths
from .vectors import add_words, each_word, open_model, report_unknown

HELP = "Show the senses of words: how probable, their neighbours, and examples from a corpus."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "model", metavar="MODEL", help="a model of 'bitsense train --model senses', or its vectors"
    )
    add_words(parser)
    parser.add_argument("-k", type=int, default=10, help="neighbours per sense; default: 10")
    parser.add_argument(
        "--examples",
        metavar="CORPUS",
        help="show contexts from this text, in which a sense is likely",
    )
    parser.add_argument(
        "--n-examples", type=int, default=3, metavar="N", help="contexts per sense; default: 3"
    )
    add_field(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write a line per sense and an indented one per example; 1 if a word is unknown."""
    from .._vector_keys import UnknownKeyError
    from ..text import TextFiles

    check_field(arguments, [arguments.examples or ""])
    model = open_model(arguments.model)
    vectors = getattr(model, "wv", model)
    if not hasattr(vectors, "senses"):
        raise ValueError(f"{arguments.model} must hold vectors of senses, got {vectors!r}")
    options: dict[str, Any] = {"k": arguments.k}
    status = 0
    with local_paths([arguments.examples] if arguments.examples else []) as paths:
        if paths:
            options["documents"] = TextFiles(paths, field=arguments.field)
            options["examples"] = arguments.n_examples
            options["tokenizer"] = getattr(model, "tokenizer_", None)
        for word in each_word(arguments.word):
            try:
                found = vectors.senses(word, **options)
            except UnknownKeyError as error:
                report_unknown(error)
                status = 1
                continue
            for sense in found:
                write(word, sense, arguments.json)
    return status


def write(word: str, sense: Any, as_json: bool) -> None:
    """Write one sense."""
    if as_json:
        record = {
            "word": word,
            "key": sense.key,
            "prior": round(sense.prior, 6),
            "neighbors": [
                {"key": key, "similarity": round(value, 6)} for key, value in sense.neighbors
            ],
        }
        if sense.examples is not None:
            record["examples"] = sense.examples
        print(json_line(record))
        return
    print(sense.key, f"{sense.prior:.3f}", " ".join(key for key, _ in sense.neighbors), sep="\t")
    for example in sense.examples or []:
        print(f"    {example}")
