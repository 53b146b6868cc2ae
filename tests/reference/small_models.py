"""What the tests of the models share: a small corpus, parameters that train at once, processes."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from bitsense import BinaryParagraphVector, ParagraphVector

from .topics import planted

MODELS = [ParagraphVector, BinaryParagraphVector]
SMALL = {"epochs": 3, "negatives": 8, "batch": 8, "min_count": 1, "subsample": 0.0}
TEXTS, TOPICS = planted(topics=4, documents=10)

each_model = pytest.mark.parametrize("cls", MODELS)


def weights(model):
    return b"".join(a.tobytes() for a in (model.document_vectors_, model.word_vectors_))


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
