"""The command line: one module per command, each with HELP, `configure` and `run`.

Results go to standard output, everything else to standard error. The exit status is 0 if all went
well, 1 if the data or the machine did not allow it (one line says why), 2 for wrong usage, 130
after Ctrl-C and 141 where the reader of a pipe went away, as for other programs in a pipe.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from .. import __version__
from .._vector_keys import UnknownKeyError

__all__ = ["main"]

# The modules of the commands; one is imported only when it is used, or when help is asked for.
COMMANDS = {
    "train": "train",
    "corpus": "corpus",
    "encode": "encode",
    "search": "search",
    "neighbors": "neighbors",
    "senses": "senses",
    "analogies": "analogies",
    "plot": "plot",
    "convert": "convert",
    "eval": "evaluate",
    "eval words": "evaluate_words",
    "eval senses": "evaluate_senses",
    "certify": "certification",
    "info": "inspection",
    "verify": "verification",
    "demo": "demonstration",
}

# "eval words ..." is a command of its own; "eval retrieval ..." is "eval ...". A model in a file
# that is called so has to be named otherwise: ./words
FORMS = {"words": ["eval words"], "senses": ["eval senses"], "retrieval": ["eval"]}

LONGEST_MESSAGE = 1000
EXPECTED = (ValueError, TypeError, OSError, MemoryError, RuntimeError, ImportError, UnknownKeyError)
INTERRUPTED = 128 + signal.SIGINT
PIPE_CLOSED = 128 + signal.SIGPIPE


def build_parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; only a command that `argv` names gets its options, for they cost time."""
    parser = argparse.ArgumentParser(
        prog="bitsense",
        description="Learn short binary codes, words and their senses from text; search them.",
        epilog="'bitsense COMMAND --help' explains a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bitsense {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(f".{module_name}", __name__)
        command = commands.add_parser(
            name, help=module.HELP, description=module.HELP, allow_abbrev=False
        )
        command.set_defaults(run=module.run, parser=command)
        if name in argv:
            module.configure(command)
    return parser


def with_form(argv: Sequence[str]) -> list[str]:
    """Return the arguments with the two words of a form of `eval` as one command."""
    if len(argv) > 1 and argv[0] == "eval" and argv[1] in FORMS:
        return [*FORMS[argv[1]], *argv[2:]]
    return list(argv)


def explain(error: BaseException) -> str:
    """Return one line that says what went wrong."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{os.fsdecode(error.filename)}: {error.strerror}"
    elif isinstance(error, MemoryError):
        text = f"out of memory {error}".strip()
    else:
        text = str(error) or type(error).__name__
    line = " ".join(text.split()).encode("utf-8", "backslashreplace").decode()
    return line if len(line) <= LONGEST_MESSAGE else line[:LONGEST_MESSAGE] + "..."


def drop_output() -> None:
    """Keep Python from complaining at its end about what can no longer be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status.

    With BITSENSE_DEBUG set in the environment, an error shows where it came from.
    """
    argv = with_form(sys.argv[1:] if argv is None else argv)
    try:
        arguments = build_parser(argv).parse_args(argv)
        status = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        drop_output()
        return PIPE_CLOSED
    except EXPECTED as error:
        if os.environ.get("BITSENSE_DEBUG"):
            raise
        print(f"bitsense: error: {explain(error)}", file=sys.stderr)
        return 1
    return int(status)
