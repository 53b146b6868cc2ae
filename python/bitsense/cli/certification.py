"""`bitsense certify`: measure what the codes of a model are worth, and keep it in its file."""

from __future__ import annotations

import argparse
from typing import Any

from .common import (
    Encoder,
    add_field,
    add_json,
    add_quiet,
    add_threads,
    check_field,
    json_line,
    local_paths,
    say,
)

HELP = "Measure what a model's codes are worth on text that it was not trained on; keep the result."


def lengths(text: str) -> list[int]:
    """Return numbers of bits written as ``32,64``."""
    try:
        return [int(each) for each in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be integers like 32,64, got {text!r}") from None


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", help="a model of documents of 'bitsense train'")
    parser.add_argument(
        "input", nargs="+", metavar="INPUT", help="text or JSON Lines, gzip or not; - is stdin"
    )
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="the model with the result; default: MODEL itself"
    )
    options: dict[str, tuple[Any, str]] = {
        "--bits": (lengths, "lengths of codes to compare with; default: 32,64,128,256,512"),
        "-k": (int, "nearest neighbours; default: 10"),
        "--edit": (float, "share of its words that a near-duplicate has changed; default: 0.05"),
        "--found": (float, "share of near-duplicates that a radius has to find; default: 0.95"),
        "--pairs": (int, "pairs of documents that are drawn; default: 1000000"),
        "--seed": (int, "default: 0"),
    }
    for flag, (kind, text) in options.items():
        parser.add_argument(flag, type=kind, metavar="VALUE", default=argparse.SUPPRESS, help=text)
    add_field(parser)
    add_json(parser)
    add_threads(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and save."""
    from ..text import TextFiles

    check_field(arguments, arguments.input)
    model = Encoder(arguments.model, arguments.threads).model
    if not hasattr(model, "certificate"):
        raise ValueError(
            f"{arguments.model} must hold a model of documents, got {type(model).__name__}"
        )
    names = ("bits", "k", "edit", "found", "pairs", "seed")
    options = {name: getattr(arguments, name) for name in names if name in arguments}
    with local_paths(arguments.input) as paths:
        certificate = model.certificate(TextFiles(paths, field=arguments.field), **options)
    print(json_line(certificate.as_dict()) if arguments.json else certificate)
    output = arguments.output or arguments.model
    model.save(output, documents=hasattr(model, "document_vectors_"))
    say(arguments, f"{output}: the model with its certificate")
    return 0
