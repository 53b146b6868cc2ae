"""The docstrings of the installed Python standard library, as labelled documents.

A real corpus that every user already has: some thousands of short technical texts, labelled by
the module that they are about. The sources are parsed with `ast`; nothing is imported.
"""

from __future__ import annotations

import ast
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

__all__ = ["docstring_tokens", "standard_library_documents"]

# Test suites, packages that are not about what they hold, and whatever was installed on top.
_SKIPPED = frozenset(
    ("test", "tests", "idle_test", "idlelib", "lib2to3", "turtledemo", "ensurepip",
     "site-packages", "dist-packages", "__pycache__")
)  # fmt: skip

# Words of English that say nothing about a topic: paragraph vectors are usually trained without.
_STOP_TEXT = """
    about after all also an and any are as at be because been before being both but by can could
    did do does doing done each either else etc for from had has have having he her his how if in
    into is it its itself just like may me might more most must my neither no nor not of off on one
    only onto or other our out over own per rather same shall she should since so some such than
    that the their them then there therefore these they this those through to too under until up
    upon us use used uses using very was we were what when where whether which while who whom whose
    why will with within without would yes yet you your
"""
_STOP_WORDS = frozenset(_STOP_TEXT.split())

_WORD = re.compile(r"[a-z]+")


def docstring_tokens(text: str) -> list[str]:
    """Return the words of 2 to 15 letters a-z, in lower case, without English stop words."""
    words = _WORD.findall(text.lower())
    return [word for word in words if 2 <= len(word) <= 15 and word not in _STOP_WORDS]


def standard_library_documents(
    *, min_words: int = 8, min_documents: int = 5
) -> tuple[list[str], list[str], list[str]]:
    """Return the docstrings of modules, classes and functions of the standard library.

    Files that do not parse are left out, and so are tests, and texts that occurred before.

    Parameters
    ----------
    min_words : int, default 8
        Shorter docstrings are dropped; counted in the tokens of `docstring_tokens`.
    min_documents : int, default 5
        Modules with fewer docstrings are dropped.

    Returns
    -------
    documents : list of str
        The docstrings, without their indentation, in the order of the files and their lines.
    labels : list of str
        The top-level module or package of each, for example ``"zipfile"``.
    names : list of str
        The qualified names, for example ``"zipfile.ZipFile.read"``.

    Raises
    ------
    FileNotFoundError
        Where Python was installed without its sources.
    """
    root = Path(sysconfig.get_path("stdlib"))
    rows: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if _SKIPPED.intersection(parts):
            continue
        module = ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
        for name, text in _docstrings_of(path, module):
            if text not in seen and len(docstring_tokens(text)) >= min_words:
                seen.add(text)
                rows.append((text, parts[0], name))
    if not rows:
        raise FileNotFoundError(
            f"the sources of the Python standard library were not found in {root}"
        )
    counts = Counter(label for _, label, _ in rows)
    kept = [row for row in rows if counts[row[1]] >= min_documents]
    return [row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept]


def _docstrings_of(path: Path, module: str) -> Iterator[tuple[str, str]]:
    """Yield (qualified name, docstring) of a file; nothing where it does not parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of invalid escapes in the sources
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return
    pending: list[tuple[str, ast.AST]] = [(module, tree)]
    while pending:
        name, node = pending.pop()
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield name, text
        for child in reversed(list(ast.iter_child_nodes(node))):
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                pending.append((f"{name}.{child.name}", child))
            elif isinstance(child, ast.stmt | ast.ExceptHandler):  # an `if` or a `try` around it
                pending.append((name, child))
