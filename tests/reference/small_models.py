"""What the tests of the models share: a small corpus, parameters that train at once, processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from bitsense import BinaryParagraphVector, ParagraphVector, RealBinaryParagraphVector

from .topics import planted

MODELS = [ParagraphVector, BinaryParagraphVector, RealBinaryParagraphVector]
CODED = (BinaryParagraphVector, RealBinaryParagraphVector)
DM = {
    "dm-mean": (ParagraphVector, {"mode": "dm-mean", "context": 3}),
    "dm-concat": (ParagraphVector, {"mode": "dm-concat", "context": 2, "word_dim": 9}),
    "binary dm": (BinaryParagraphVector, {"mode": "dm", "context": 2, "word_dim": 9}),
    "binary dm, soft words": (
        BinaryParagraphVector,
        {"mode": "dm", "context": 2, "word_dim": 9, "round_words": False},
    ),
}
ENCODERS = {
    "encoder": (ParagraphVector, {"mode": "encoder", "neighbors": 0}),
    "encoder, neighbours": (ParagraphVector, {"mode": "encoder", "neighbors": 3}),
    "binary encoder": (BinaryParagraphVector, {"mode": "encoder", "neighbors": 0}),
    "binary encoder, neighbours": (BinaryParagraphVector, {"mode": "encoder", "neighbors": 3}),
    "real-binary encoder": (
        RealBinaryParagraphVector,
        {"mode": "encoder", "neighbors": 3, "bits": 8},
    ),
}
MAKERS = {cls.__name__: (cls, {}) for cls in MODELS} | DM | ENCODERS
SMALL = {"epochs": 3, "negatives": 8, "batch": 8, "min_count": 1, "subsample": 0.0}
TEXTS, TOPICS = planted(topics=4, documents=10)

each_maker = pytest.mark.parametrize("name", MAKERS)
each_encoder = pytest.mark.parametrize("name", ENCODERS)
each_model = pytest.mark.parametrize("cls", MODELS)


def make(name, width=20, **options):
    """Return an unfitted model of a class and a mode."""
    cls, own = MAKERS[name]
    return cls(width, **{**SMALL, **own, **options})


def weights(model):
    tables = (model._hidden, model._output, model._context, model._projection)
    return b"".join(table.tobytes() for table in tables)


def long_corpus():
    """Texts that a model trains on for some tenths of a second."""
    return planted(topics=6, documents=100, length=(100, 120))[0]


def run_python(script, *arguments, text=""):
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, check=True, env=environment()
    )
    return done.stdout


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
