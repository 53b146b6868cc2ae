"""A callable for `progress` that stops a training the first time that it is called."""

from __future__ import annotations


class StopError(Exception):
    """Raised by `stop`."""


def stop(progress):
    raise StopError(f"enough after {progress.fraction:.0%}")
