"""What the tests of bridges share: packages that may be missing, and the recipes of the docs."""

from __future__ import annotations

import importlib
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from bitsense import Codes, pack_signs

RECIPES = Path(__file__).resolve().parent.parent / "docs" / "bridges.md"
REQUIRED = os.environ.get("BITSENSE_REQUIRE_BRIDGES") == "1"


def needed(*modules: str):
    """Return modules; a missing one skips the test, or fails it under BITSENSE_REQUIRE_BRIDGES=1.

    What a package warns of when it is imported is no concern of ours.
    """
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules:
            try:
                found.append(importlib.import_module(module))
            except ImportError:
                if REQUIRED:
                    raise
                pytest.skip(f"needs {module}")
    return found[0] if len(modules) == 1 else found


def blocks(title: str) -> list[str]:
    """The Python blocks of docs/bridges.md below a heading."""
    text = RECIPES.read_text(encoding="utf-8")
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^```python\n(.*?)^```", section.group(1), re.MULTILINE | re.DOTALL)


def run_recipe(title: str) -> dict[str, object]:
    """Run a section of docs/bridges.md, after what all share; return its names."""
    names: dict[str, object] = {}
    for block in blocks("Shared by all") + blocks(title):
        exec(compile(block, str(RECIPES), "exec"), names)  # noqa: S102
    return names


def random_codes(n: int, bits: int, seed: int = 0, ids=None) -> Codes:
    """Codes of independent bits."""
    values = np.random.default_rng(seed).normal(size=(n, bits))
    return Codes(pack_signs(values), bits, ids)


def clustered_codes(n: int, bits: int, seed: int = 0, ids=None) -> Codes:
    """Codes near few centres, so that many distances are equal, and small."""
    rng = np.random.default_rng(seed)
    centres = rng.random((8, bits)) < 0.5
    flips = rng.random((n, bits)) < 0.03
    return Codes(np.packbits(centres[rng.integers(0, 8, n)] ^ flips, axis=1), bits, ids)


def same(back, codes, vectors, ids) -> None:
    """Require that columns came back as they went."""
    assert back.codes == codes
    for got, want in ((back.vectors, vectors), (back.ids, ids)):
        assert (got is None) == (want is None)
        assert got is None or np.array_equal(got, want)
