"""What the tests of checkpoints share: models, what they have learned, trainings that stop."""

from __future__ import annotations

import functools

import pytest

from bitsense import Checkpoint, files

from . import small_models, small_word_models
from .interruptions import StopError
from .topics import planted

TEXTS = planted(topics=4, documents=40, length=(20, 60))[0]
NAMES = [*small_word_models.MAKERS, *small_models.MAKERS]

each_name = pytest.mark.parametrize("name", NAMES)


def make(name, **more):
    if name in small_word_models.MAKERS:
        return small_word_models.MAKERS[name](**more)
    return small_models.make(name, **more)


def contents(model):
    """Everything that a model has learned, as the bytes of a file, and how its training went."""
    return files.write_bytes("model", *model._whole_state())


@functools.cache
def unbroken(name):
    return contents(make(name, threads=1).fit(TEXTS))


class Stop:
    """Raises at the n-th call."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self, progress):
        self.left -= 1
        if self.left < 0 and progress.fraction < 1:
            raise StopError


def left(tmp_path, name="skip-gram", **more):
    """Return the file of a training that has ended."""
    path = tmp_path / "c"
    make(name, **more).fit(TEXTS, checkpoint=Checkpoint(path, keep=True))
    return path
