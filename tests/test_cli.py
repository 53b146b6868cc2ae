"""The command line, run as a user runs it: what it prints, where, and its exit status."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from reference.command_line import RUN, bitsense, error_of, spawn

from bitsense import _core, files
from bitsense.cli import COMMANDS


def test_version_is_that_of_the_package():
    assert spawn("--version") == (f"bitsense {_core.__version__}\n".encode(), b"")


def test_help_names_every_command():
    out, _ = bitsense("--help")
    for command in COMMANDS:
        assert re.search(rf"^    {command}\b", out, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command):
    out, _ = bitsense(*command.split(), "--help")
    assert out.startswith(f"usage: bitsense {command} ")


@pytest.mark.parametrize(
    "arguments", [[], ["unknown"], ["info"], ["info", "a", "--unknown"], ["verify"]]
)
def test_wrong_usage_gives_2(arguments):
    _, err = bitsense(*arguments, status=2)
    assert err.startswith("usage: bitsense")


def test_wrong_usage_and_wrong_data_give_2_and_1_to_the_shell(tmp_path):
    spawn("info", status=2)
    out, err = spawn("info", tmp_path, status=1)
    assert (out, err) == (b"", f"bitsense: error: {tmp_path}: Is a directory\n".encode())


@pytest.fixture
def sample(tmp_path) -> Path:
    path = tmp_path / "sample.bitsense"
    files.write_file(path, "note", {"name": "größe", "bits": 3}, {"a": np.zeros((2, 3), np.uint8)})
    return path


def test_info_is_for_people_or_json(sample):
    out, err = bitsense("info", sample)
    assert out.splitlines() == [
        "kind         note",
        f"written by   bitsense {_core.__version__}, format 1",
        f"bytes        {sample.stat().st_size:,}",
        'name         "größe"',
        "bits         3",
        "array        a: uint8, 2 x 3",
    ]
    assert err == ""
    out, _ = bitsense("info", sample, "--json")
    assert json.loads(out) == files.info(sample)


def test_verify_checks_every_file_and_names_the_wrong_ones(sample, tmp_path):
    wrong = tmp_path / "wrong.bitsense"
    wrong.write_bytes(sample.read_bytes()[:-64] + b"\1" + bytes(63))
    size = f"{sample.stat().st_size:,}"
    assert bitsense("verify", sample) == (f"{sample}: note, {size} bytes, all right\n", "")
    assert bitsense("verify", sample, "--quiet") == ("", "")
    out, err = bitsense("verify", wrong, tmp_path / "none", sample, status=1)
    assert out == f"{sample}: note, {size} bytes, all right\n"
    assert err.splitlines() == [
        f"bitsense: error: {wrong}: corrupt: the checksum of section 0 is wrong",
        f"bitsense: error: {tmp_path / 'none'}: No such file or directory",
    ]
    out, err = bitsense("verify", wrong, sample, "--json", status=1)
    first, second = map(json.loads, out.splitlines())
    assert first == {
        "file": str(wrong),
        "ok": False,
        "error": f"{wrong}: corrupt: the checksum of section 0 is wrong",
    }
    assert second["ok"] is True
    assert second["kind"] == "note"
    assert err == ""


def test_a_missing_or_foreign_file_is_one_line(tmp_path):
    missing = tmp_path / "none"
    assert error_of("info", missing) == f"bitsense: error: {missing}: No such file or directory"
    assert error_of("info", tmp_path) == f"bitsense: error: {tmp_path}: Is a directory"
    text = tmp_path / "text"
    text.write_text("hello")
    assert error_of("info", text) == f"bitsense: error: {text}: not a bitsense file"


def test_debug_shows_where_an_error_came_from(tmp_path):
    environment = {**os.environ, "BITSENSE_DEBUG": "1"}
    done = subprocess.run(
        [*RUN, "info", str(tmp_path)], capture_output=True, env=environment, check=False
    )
    assert b"Traceback" in done.stderr


def test_a_closed_pipe_is_quiet(sample):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*RUN, "info", str(sample)], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == b""


def test_demo_reports_and_searches():
    out, err = bitsense("demo", "--json", "--threads", 1)
    assert isinstance(json.loads(out), dict)
    assert err != ""
