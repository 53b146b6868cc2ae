"""Short binary codes and word senses learned from raw text, and fast exact search over them."""

from ._core import __version__
from .errors import FormatError, NotFittedError
from .files import load

__all__ = ["FormatError", "NotFittedError", "__version__", "load"]
