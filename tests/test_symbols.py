"""The objects of the inner loops share no symbol, so the linker cannot mix their levels.

A source compiled once per level must not hold a weak symbol (an inline function, an instance of a
template): the linker would keep one copy for the whole library, perhaps one that needs AVX-512.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = os.environ.get("BITSENSE_BUILD_DIR")
LEVELS = ("baseline", "avx2", "avx512")
MAY_BE_UNDEFINED = {"memcpy", "memset", "__popcountdi2"}


def has_sanitizer(build: Path) -> bool:
    cache = (build / "CMakeCache.txt").read_text(encoding="utf-8")
    return re.search(r"^BITSENSE_SANITIZE:\w+=.+$", cache, re.MULTILINE) is not None


def kernel_objects() -> list[Path]:
    """Return the objects of the newest build in the folder, or of one in the tree."""
    objects = Path(FOLDER or ROOT / "build").glob("**/kernels_*.dir/**/*_kernels.cpp.o")
    builds = {path: path.parents[4] for path in objects}
    found = [path for path in builds if not has_sanitizer(builds[path])]
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    return sorted(path for path in found if builds[path] == builds[newest])


def symbols(path: Path) -> list[tuple[str, str]]:
    """Return (kind, name) of each symbol, as nm prints them."""
    done = subprocess.run(["nm", "-C", path], capture_output=True, text=True, check=True)
    return [re.match(r"[0-9a-f ]{17}(\S) (.*)", line).groups() for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def objects() -> list[Path]:
    found = kernel_objects() if shutil.which("nm") else []
    if not found:
        assert FOLDER is None, f"no kernel objects in BITSENSE_BUILD_DIR={FOLDER}, or no nm"
        pytest.skip("needs nm and a build folder of this tree (build/, or BITSENSE_BUILD_DIR)")
    return found


def test_every_kernel_source_is_compiled_at_every_level(objects):
    sources = {path.name for path in (ROOT / "cpp" / "kernels").glob("*_kernels.cpp")}
    levels = {
        path.parents[2].name.removeprefix("kernels_").removesuffix(".dir") for path in objects
    }
    assert levels in (set(LEVELS), {"baseline"})
    assert len(objects) == len(sources) * len(levels)
    assert {path.name.removesuffix(".o") for path in objects} == sources


def test_an_object_has_one_global_symbol_and_no_weak_one(objects):
    for path in objects:
        level = path.parents[2].name.removeprefix("kernels_").removesuffix(".dir")
        kinds = symbols(path)
        shared = [name for kind, name in kinds if kind.isupper() and kind != "U"]
        weak = [name for kind, name in kinds if kind in "vVwWu"]
        stem = path.name.removesuffix(".cpp.o")
        assert weak == []
        assert shared == [f"bitsense::{stem}_{level}"]


def test_an_object_needs_nothing_but_copies_and_popcounts(objects):
    for path in objects:
        needed = {name for kind, name in symbols(path) if kind == "U"}
        assert needed <= MAY_BE_UNDEFINED | {"_GLOBAL_OFFSET_TABLE_"}
