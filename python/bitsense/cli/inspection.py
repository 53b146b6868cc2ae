"""`bitsense info`: what a file says about itself."""

from __future__ import annotations

import argparse

from .common import add_json, json_line

HELP = "Say what a file holds, without reading all of it."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the summary of a file."""
    from .. import files
    from ..certificates import Certificate
    from ..errors import FormatError

    summary = files.info(arguments.file)
    if arguments.json:
        print(json_line(summary))
        return 0
    header, certificate = dict(summary["header"]), None
    if summary["kind"] == "model" and "certificate" in header:
        try:
            certificate = Certificate.from_dict(header.pop("certificate"))
        except FormatError as error:
            raise FormatError(f"{arguments.file}: {error}") from None
    print(f"{'kind':12} {summary['kind']}")
    print(f"{'written by':12} {summary['writer']}, format {summary['format']}")
    print(f"{'bytes':12} {summary['bytes']:,}")
    for name, value in header.items():
        print(f"{name:12} {json_line(value)}")
    for array in summary["arrays"]:
        shape = " x ".join(f"{length:,}" for length in array["shape"]) or "one"
        print(f"{'array':12} {array['name']}: {array['dtype']}, {shape}")
    if certificate is not None:
        print(f"\n{certificate}")
    return 0
