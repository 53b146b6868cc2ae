"""`bitsense demo`: train on text that is on this machine already, and search it."""

from __future__ import annotations

import argparse
import sys

from .common import add_json, add_quiet, add_threads, json_line

HELP = "Train on Python's own documentation, measure, and search: a minute or less."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_threads(parser)
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    add_json(parser)
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo; with --json its words go to standard error."""
    from .. import demo

    report = demo.run(
        threads=arguments.threads,
        seed=arguments.seed,
        quiet=arguments.quiet,
        out=sys.stderr if arguments.json else None,
    )
    if arguments.json:
        print(json_line(report))
    return 0
