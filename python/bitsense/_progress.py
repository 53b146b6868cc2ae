"""What a long call shows while it runs: a bar, a callable, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from tqdm import tqdm

__all__ = ["Progress", "ProgressOption", "Reporter"]


@dataclass(frozen=True)
class Progress:
    """How far a training is.

    Attributes
    ----------
    epoch : int
        The epoch under way, from 1.
    epochs : int
        All of them.
    fraction : float
        Of the whole training, in [0, 1].
    words : int
        Words of the corpus read so far, all epochs together.
    loss : float
        Mean loss per target of the last block.
    """

    epoch: int
    epochs: int
    fraction: float
    words: int
    loss: float


ProgressOption = bool | Callable[[Progress], object] | None


def check_progress(progress: Any) -> ProgressOption:
    """Return `progress` if it is None, a bool or a callable."""
    if progress is None or isinstance(progress, bool) or callable(progress):
        return progress  # type: ignore[no-any-return]
    raise TypeError(f"`progress` must be None, True, False or a callable, got {progress!r}")


def wants_bar(progress: ProgressOption) -> bool:
    """Return whether a bar is to be drawn; None means: if standard error is a terminal."""
    if progress is None:
        return sys.stderr is not None and sys.stderr.isatty()
    return progress is True


class Reporter(AbstractContextManager["Reporter"]):
    """Hands the engine's reports to a bar or to a callable."""

    def __init__(self, progress: ProgressOption, epochs: int) -> None:
        self._epochs = epochs  # of all parts
        self._parts = 1
        self._call = progress if callable(progress) else None
        self._bar: Any = None
        if wants_bar(progress):
            self._bar = tqdm(total=100, unit="%", bar_format="{l_bar}{bar}| {elapsed}{postfix}")
        self.watch = self._report if self._call or self._bar is not None else None

    def _report(self, epoch: int, fraction: float, words: int, loss: float) -> None:
        progress = Progress(epoch + 1, self._epochs, fraction, words, loss)
        if self._call:
            self._call(progress)
        else:
            self._bar.update(100 * fraction - self._bar.n)
            self._bar.set_postfix_str(f"epoch {progress.epoch}/{self._epochs}, loss {loss:.3f}")

    def part(self, which: int, parts: int, words_of_part: int) -> Any:
        """Return the watch of one of several trainings that look like one."""
        if self.watch is None or parts == 1:
            return self.watch
        self._epochs = parts * (self._epochs // self._parts)
        self._parts = parts
        epochs = self._epochs // parts

        def watch(epoch: int, fraction: float, words: int, loss: float) -> None:
            read = which * words_of_part + words
            self._report(epoch + which * epochs, (which + fraction) / parts, read, loss)

        return watch

    def finish(self, words: int, loss: float) -> None:
        """Tell a callable of the end, also of a training too short to be reported before."""
        if self._call:
            self._call(Progress(self._epochs, self._epochs, 1.0, words * self._parts, loss))

    def __exit__(self, kind: object, *_: object) -> None:
        if self._bar is not None:
            if kind is None:
                self._bar.update(100 - self._bar.n)
            self._bar.close()
