"""Where a training is saved while it runs, so that it can go on after an interruption."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import files
from ._check import check_bool, check_float

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
class Checkpoint:
    """A file that a training is saved to while it runs; given to `fit` or `partial_fit`.

    Where the file is absent, the training begins and is saved: at once, then now and then, and when
    Ctrl-C or an exception stops it. Where the file is there, the same call goes on with the
    training: what it learns is byte for byte what it would have learned without the interruption,
    at any number of threads. (With ``deterministic=False`` it goes on too, but nothing is promised
    of the bytes.) At the end the file is removed.

    A bare path given as `checkpoint` is ``Checkpoint(path)``. docs/models.md says more.

    Parameters
    ----------
    path : path
        The file: replaced whole or not at all, checked when it is read.
    every : float, default 300
        Seconds between two saves. The training waits for a save, which takes about as long as that
        of the model, or twice as long where the optimiser is AdaGrad.
    keep : bool, default False
        Keep the file at the end, with the training at its end: the same call then gives the same
        model almost at once. For whoever has to save the model before the file may go.

    Examples
    --------
    >>> import tempfile
    >>> from bitsense import Word2Vec
    >>> texts = ["red wine and white wine", "white wine with fish", "a fast red car"] * 20
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = Checkpoint(f"{folder}/wine.checkpoint", every=60)
    ...     model = Word2Vec(dim=16, min_count=1).fit(texts, checkpoint=checkpoint)
    >>> model.partial_
    False
    """

    path: files.Path
    every: float = 300.0
    keep: bool = False


def remove_checkpoint(checkpoint: Checkpoint) -> None:
    """Remove the file of a checkpoint, or what a link of its name leads to."""
    Path(checkpoint.path).resolve().unlink(missing_ok=True)


def check_checkpoint(checkpoint: Any) -> Checkpoint | None:
    """Return what was given as `checkpoint`, checked; None stays None."""
    if checkpoint is None:
        return None
    if isinstance(checkpoint, (str, os.PathLike)):
        return Checkpoint(checkpoint)
    if not isinstance(checkpoint, Checkpoint):
        raise TypeError(
            f"`checkpoint` must be a path or a Checkpoint, got {type(checkpoint).__name__}"
        )
    if not isinstance(checkpoint.path, (str, os.PathLike)):
        raise TypeError(
            f"`path` of the checkpoint must be a path, got {type(checkpoint.path).__name__}"
        )
    return Checkpoint(
        checkpoint.path,
        check_float("every", checkpoint.every),
        check_bool("keep", checkpoint.keep),
    )
