"""The package as a whole: one version, few dependencies, a quick import, types."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess
import sys
from pathlib import Path

import bitsense
from bitsense import _core

ROOT = Path(__file__).resolve().parent.parent

# Imports the package and prints how long it took and what it brought along.
PROBE = """
import json, sys, time
import numpy
before = {name.partition(".")[0] for name in sys.modules}
start = time.perf_counter()
import bitsense
seconds = time.perf_counter() - start
files = {
    name.partition(".")[0]: getattr(module, "__file__", None) or ""
    for name, module in list(sys.modules.items())
    if name.partition(".")[0] not in before
}
foreign = sorted(name for name, file in files.items() if "site-packages" in file)
print(json.dumps([seconds, foreign]))
"""


def pyproject(key: str) -> str:
    """The text behind `key = ` at the beginning of a line. (tomllib came with Python 3.11.)"""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return re.search(rf"^{key} = (.*)$", text, re.MULTILINE).group(1)


def test_there_is_one_version():
    version = json.loads(pyproject("version"))
    assert bitsense.__version__ == _core.__version__ == version
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[([^\]]+)\]", changes, re.MULTILINE).group(1) == version


def test_numpy_and_tqdm_are_all_it_needs():
    names = [re.match(r"[\w-]+", need).group() for need in json.loads(pyproject("dependencies"))]
    assert names == ["numpy", "tqdm"]


def test_it_says_that_it_has_types():
    package = importlib.resources.files("bitsense")
    assert package.joinpath("py.typed").is_file()
    assert package.joinpath("_core.pyi").is_file()


def test_the_import_is_quick_and_brings_no_package_but_its_dependencies():
    quickest = 1e9
    for _ in range(3):  # a busy machine may make any of them slow
        done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, check=True)
        seconds, packages = json.loads(done.stdout)
        assert set(packages) <= {"bitsense", "numpy", "tqdm"}
        quickest = min(quickest, seconds)
    assert quickest < 1


def test_all_public_names_exist():
    assert [name for name in bitsense.__all__ if not hasattr(bitsense, name)] == []
    assert len(set(bitsense.__all__)) == len(bitsense.__all__)
