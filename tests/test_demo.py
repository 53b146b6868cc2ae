"""The corpus of the demo is what is installed, found without importing any of it."""

from __future__ import annotations

import inspect
import re
import sys
import sysconfig
from collections import Counter

import numpy as np
import pytest

from bitsense import demo
from bitsense._docstrings import _docstrings_of, docstring_tokens


@pytest.fixture(scope="module")
def corpus():
    before = set(sys.modules)
    documents, labels, names = demo.standard_library_documents()
    assert set(sys.modules) - before == set()
    return documents, labels, names


def test_the_corpus_has_thousands_of_documents_of_many_modules(corpus):
    documents, labels, names = corpus
    assert 2_000 <= len(documents) <= 20_000
    assert len(documents) == len(labels) == len(names) == len(set(documents))
    assert len(set(labels)) > 50
    assert min(Counter(labels).values()) >= 5
    assert min(len(docstring_tokens(document)) for document in documents) >= 8


def test_names_belong_to_their_labels(corpus):
    _, labels, names = corpus
    assert all(name.split(".")[0] == label for label, name in zip(labels, names, strict=True))
    assert {"argparse", "email", "zipfile"} <= set(labels)
    assert not {"test", "idlelib", "lib2to3", "site-packages"} & set(labels)


def test_a_docstring_is_the_one_that_python_shows(corpus):
    import argparse
    import textwrap

    documents, _, names = corpus
    texts = dict(zip(names, documents, strict=True))
    for module in (argparse, textwrap):
        shown = {
            f"{module.__name__}.{name}": inspect.getdoc(thing)
            for name, thing in vars(module).items()
            if inspect.getmodule(thing) is module and thing.__doc__
        }
        held = {name: text for name, text in texts.items() if name in shown}
        assert len(held) >= 3
        assert held == {name: shown[name] for name in held}


def test_an_installation_without_sources_is_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    message = f"the sources of the Python standard library were not found in {tmp_path}"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        demo.standard_library_documents()


def test_nested_definitions_are_found_and_broken_files_left_out(tmp_path):
    source = tmp_path / "a.py"
    source.write_text(
        '"of module"\n'
        "try:\n    def f():\n        'of f'\n        class C:\n            'of C'\n"
        "except ImportError:\n    async def g():\n        r'of g \\d'\n"
        "x = 'not a docstring'\n"
    )
    assert list(_docstrings_of(source, "a")) == [
        ("a", "of module"), ("a.f", "of f"), ("a.f.C", "of C"), ("a.g", "of g \\d"),
    ]  # fmt: skip
    for broken in ("def f(:", "\0", '"\\d"; x = ('):
        source.write_text(broken)
        assert list(_docstrings_of(source, "a")) == []


def test_the_library_is_walked_in_the_order_of_its_files(corpus):
    _, _, names = corpus
    modules = [name.partition(".")[0] for name in names]
    assert modules == sorted(modules, key=modules.index)


def test_the_held_out_part_is_a_quarter_and_depends_on_names_alone(corpus):
    _, _, names = corpus
    train, held_out = demo._split(names)
    assert sorted(train + held_out) == list(range(len(names)))
    assert 0.22 < len(held_out) / len(names) < 0.28
    reversed_held_out = demo._split(names[::-1])[1]
    assert {names[i] for i in held_out} == {names[::-1][i] for i in reversed_held_out}


def test_tfidf_codes_are_signs_of_centred_projections():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["red blue blue", "blue green", "green green red", "yellow", "red yellow yellow"]
    tokens = [text.split() for text in texts]
    train, others = tokens[:4], [*tokens, ["unknown"], []]
    sparse = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit(train)
    words = list(sparse.get_feature_names_out())
    assert words == sorted(words)
    planes = np.random.default_rng(3).standard_normal((len(words), 20), dtype=np.float32)
    mean = (sparse.transform(train) @ planes).mean(axis=0)
    want = np.packbits(sparse.transform(others) @ planes - mean > 0, axis=1)
    np.testing.assert_array_equal(demo.tfidf_codes(train, others, bits=20, seed=3), want)


def test_tfidf_codes_beat_chance_on_the_corpus(corpus):
    documents, labels, names = corpus
    train, held_out = demo._split(names)
    tokens = [docstring_tokens(document) for document in documents]
    codes = demo.tfidf_codes([tokens[i] for i in train], [tokens[i] for i in held_out])
    assert codes.shape == (len(held_out), 16)
    bits = np.unpackbits(codes, axis=1).astype(np.float32)
    assert 0.4 < bits.mean() < 0.6
    distances = bits.sum(1)[:, None] + bits.sum(1) - 2 * bits @ bits.T
    truth = np.array(labels)[held_out]
    ours = demo.evaluate_rankings(lambda a, b: distances[a:b].astype(np.int32), truth)
    chance = demo.evaluate_rankings(demo._nothing_known(len(truth)), truth)
    assert ours.map > 2 * chance.map
    assert ours.precision[10] > 2 * chance.precision[10]
