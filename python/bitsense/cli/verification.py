"""`bitsense verify`: check every byte of files."""

from __future__ import annotations

import argparse
import sys

from .common import add_json, add_quiet, json_line

HELP = "Check every byte of files, and all that loading them would check."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", nargs="+", metavar="FILE")
    add_json(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check all files; the status is 1 if one of them is wrong."""
    from .. import files
    from . import explain

    status = 0
    for name in arguments.file:
        try:
            summary = files.verify(name)
        except (OSError, ValueError) as error:
            status = 1
            if arguments.json:
                print(json_line({"file": name, "ok": False, "error": explain(error)}))
            else:
                print(f"bitsense: error: {explain(error)}", file=sys.stderr)
            continue
        if arguments.json:
            print(json_line({"file": name, "ok": True, **summary}))
        elif not arguments.quiet:
            print(f"{name}: {summary['kind']}, {summary['bytes']:,} bytes, all right")
    return status
