"""The exceptions that bitsense adds to the standard ones."""

from ._core import FormatError

__all__ = ["FormatError", "NotFittedError"]


class NotFittedError(ValueError, AttributeError):
    """An estimator was used before `fit`.

    It derives from the same two classes as scikit-learn's exception of that name.
    """
