"""Packages that only some functions need, imported when they are called."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["import_extra"]


def import_extra(module: str, package: str, extra: str) -> Any:
    """Return a module of a package that bitsense does not depend on.

    Raises
    ------
    ImportError
        If the package is absent; the message says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing != module.partition(".")[0]:
            raise  # it is there, and something that it needs is broken
        raise ImportError(
            f"this needs {package}, which is not installed: pip install 'bitsense[{extra}]'",
            name=module,
        ) from None
