"""The docstrings: their examples run, and nothing public lacks what a reader needs."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pytest

import bitsense

MODULES = ["bitsense", *(f"bitsense.{module.name}" for module in pkgutil.iter_modules(
    bitsense.__path__) if module.name not in ("__main__", "_core"))]  # fmt: skip


def public_callables():
    """Yield (name, object) of every public class, its public methods, and every function."""
    for name in bitsense.__all__:
        thing = getattr(bitsense, name)
        if not callable(thing):
            continue
        yield name, thing
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            for attribute, member in inspect.getmembers(thing):
                if not attribute.startswith("_") and inspect.isroutine(member):
                    yield f"{name}.{attribute}", member


CALLABLES = dict(public_callables())


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.parametrize("name", CALLABLES)
def test_a_docstring_names_every_parameter_and_the_result(name):
    thing = CALLABLES[name]
    doc = inspect.getdoc(thing)
    assert doc, "has no docstring"
    summary = doc.partition("\n")[0]
    assert summary.endswith((".", ":")), "the first line is no sentence"
    inherited = inspect.isclass(thing) and thing.__init__ is object.__init__
    try:
        signature = inspect.signature(thing)
    except ValueError:
        return
    parameters = [] if inherited else [
        p.name for p in signature.parameters.values()
        if p.name not in ("self", "cls", "y") and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    ]  # fmt: skip
    missing = [p for p in parameters if not re.search(rf"\b{p}\b", doc)]
    assert missing == [], f"{missing} are not explained"
    if not parameters:
        return
    assert re.search(r"^(Parameters|Attributes)\n-+$", doc, re.MULTILINE) or len(parameters) == 1
    result = signature.return_annotation
    if not inspect.isclass(thing) and result not in ("None", None, inspect.Signature.empty):
        said = re.search(r"^(Returns|Yields)\n-+$", doc, re.MULTILINE)
        assert said or summary.startswith("Return "), "the result is not explained"
