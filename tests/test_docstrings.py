"""The docstrings: their examples run, and nothing public lacks what a reader needs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import bitsense

MODULES = ["bitsense"] + [
    module.name
    for module in pkgutil.walk_packages(bitsense.__path__, "bitsense.")
    if module.name.split(".")[1] not in ("__main__", "_core")
]


def public_callables():
    """Yield (name, object) of every public class, its public methods, and every function."""
    for home, name in [(bitsense, n) for n in bitsense.__all__] + [
        (bitsense.bridges, n) for n in bitsense.bridges.__all__
    ]:
        thing = getattr(home, name)
        if not callable(thing):
            continue
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for attribute, member in inspect.getmembers(thing):
                inherited = issubclass(thing, tuple) and hasattr(tuple, attribute)
                if not attribute.startswith("_") and inspect.isroutine(member) and not inherited:
                    yield f"{name}.{attribute}", member


CALLABLES = dict(public_callables())


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


def section(doc: str, title: str) -> str | None:
    """The text below a heading of numpydoc, up to the next one; None without the heading."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n---|\Z)", doc, re.MULTILINE | re.DOTALL)
    return found and found.group(1)


def named(text: str) -> set[str]:
    """The names at the margin of a section: ``a, b : int`` gives a and b."""
    heads = re.findall(r"^(\S[^:\n]*)", text.replace("\\\n", ""), re.MULTILINE)
    return {name.strip() for head in heads for name in head.split(",")}


def parameters_of(thing) -> list[str]:
    """What a caller passes. `y` is there for scikit-learn only."""
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(thing).parameters.values()
    return [p.name for p in parameters if p.name not in ("self", "y") and p.kind not in kinds]


@pytest.mark.parametrize("name", CALLABLES)
def test_a_docstring_explains_each_parameter_and_the_result(name):
    thing = CALLABLES[name]
    doc = inspect.getdoc(thing) or ""
    summary = doc.partition("\n")[0]
    assert re.fullmatch(r"[A-Z].+[.:]", summary), "the first line must be a sentence"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    tables = [section(doc, "Parameters"), inspect.isclass(thing) and section(doc, "Attributes")]
    explained = {name for table in tables if table for name in named(table)}
    explained |= set(re.findall(r"`(\w+)`", doc))
    assert set(parameters_of(thing)) - explained == set(), "a parameter is not explained"
    if not inspect.isclass(thing):
        result = inspect.signature(thing).return_annotation
        says = section(doc, "Returns") or re.match(
            r"(Return|Make|Iterate)\b|.* and return", summary
        )
        assert result in ("None", inspect.Signature.empty) or says, "the result is not explained"
