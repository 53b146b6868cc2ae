"""Short binary codes and word senses learned from raw text, and fast exact search over them."""

from ._core import __version__

__all__ = ["__version__"]
