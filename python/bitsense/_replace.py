"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, binary: bool = False) -> Iterator[IO[Any]]:
    """Yield a file that gets the name `path` when the block ends well, and is removed otherwise.

    Text is UTF-8 with plain newlines. Until then an old file of that name is untouched; where the
    name is a link, the file that it points to is replaced.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise OSError(f"{target} is not a regular file")
    number, name = tempfile.mkstemp(prefix=".bitsense-", suffix=".tmp", dir=target.parent)
    try:
        if binary:
            file: IO[Any] = os.fdopen(number, "wb")
        else:
            file = os.fdopen(number, "w", encoding="utf-8", newline="\n")
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode_of(target))  # noqa: PTH101 - a name, not a Path
        os.replace(name, target)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def _mode_of(path: Path) -> int:
    """Return the permissions of the old file, or those that a new one would get."""
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
