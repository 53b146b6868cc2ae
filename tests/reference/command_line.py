"""The command line as the tests run it: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys

import pytest

from bitsense.cli import main

RUN = [sys.executable, "-m", "bitsense"]


def bitsense(*arguments: object, stdin: str | bytes = b"", status: int = 0):
    """Run a command in this process, which saves its start; return its two outputs as text."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    err = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        try:
            got = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse leaves so: help, version and wrong usage
            got = stop.code or 0
    text = out.buffer.getvalue().decode()
    assert got == status, (text, err.getvalue())
    return text, err.getvalue()


def spawn(*arguments: object, stdin: bytes = b"", status: int = 0) -> tuple[bytes, bytes]:
    """Run a command in a process of its own, as a user does."""
    command = [*RUN, *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=60)
    assert done.returncode == status, done
    assert b"Traceback" not in done.stderr
    return done.stdout, done.stderr


def error_of(*arguments: object, stdin: str | bytes = b"", status: int = 1) -> str:
    """The one line that a failing command writes."""
    out, err = bitsense(*arguments, stdin=stdin, status=status)
    assert out == ""
    line = err.splitlines()[-1]
    if status == 1:
        assert err == f"{line}\n"
    return line
