"""The lines of an evaluation file, and the errors that name them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from .._text_files import TextFiles
from ..errors import FormatError

__all__ = ["bad_line", "numbered_lines", "parsed_score"]


def numbered_lines(path: str | os.PathLike[str]) -> Iterator[tuple[int, str]]:
    """Yield (number, line) of a UTF-8 file, gzip or not, from 1; blank lines are passed over."""
    for number, line in enumerate(TextFiles(path), 1):
        if line.strip():
            yield number, line


def bad_line(path: str | os.PathLike[str], number: int, expected: str, got: str) -> FormatError:
    """Return the error of a line that is not what it must be; long lines are cut."""
    shown = got if len(got) <= 80 else got[:77] + "..."
    return FormatError(f"{os.fspath(path)} line {number} must be {expected}, got {shown!r}")


def parsed_score(path: str | os.PathLike[str], number: int, text: str) -> float:
    """Return a finite number."""
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise bad_line(path, number, "one whose score is a finite number", text)
    return score
