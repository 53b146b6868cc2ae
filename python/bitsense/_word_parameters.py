"""The parameters of the word models: their ranges, and their values in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._check import check_bool, check_count, check_float, check_option, check_seed, check_threads

if TYPE_CHECKING:
    from ._word_models import WordModel

__all__ = ["MODES", "checked_parameters"]

MODES = ("skip-gram", "cbow")
_MAX_DIM = 65535
_MAX_COUNT = 2**64 - 1
_MAX_ROWS = 2**31 - 1
_MAX_TILE = 2**16  # window times negatives: a block holds sixty-four times as many numbers


def checked_parameters(model: WordModel) -> dict[str, Any]:
    """Check every parameter; return those that decide what is learned, of JSON types.

    Neither `threads` nor `progress` are among those, and the tokeniser travels by itself.

    Raises
    ------
    TypeError, ValueError
        With the name of the parameter.
    """
    check_threads(model.threads)
    checked: dict[str, Any] = {
        "dim": check_count("dim", model.dim, most=_MAX_DIM),
        "window": check_count("window", model.window, most=4096),
        "negatives": check_count("negatives", model.negatives, most=65536),
        "min_count": check_count("min_count", model.min_count, most=_MAX_COUNT),
        "max_vocabulary": None,
        "subsample": check_float("subsample", model.subsample, most=1.0),
        "epochs": check_count("epochs", model.epochs, most=1_000_000),
        "learning_rate": None,
        "deterministic": check_bool("deterministic", model.deterministic),
        "seed": check_seed(model.seed),
    }
    if model.max_vocabulary is not None:
        most = 2**32 - 1
        checked["max_vocabulary"] = check_count("max_vocabulary", model.max_vocabulary, most=most)
    if model.learning_rate is not None:
        rate = check_float("learning_rate", model.learning_rate, open_below=True, most=1000.0)
        checked["learning_rate"] = rate
    tile = checked["window"] * checked["negatives"]
    if tile > _MAX_TILE:
        raise ValueError(f"`window` times `negatives` must be at most {_MAX_TILE:,}, got {tile:,}")
    return checked


def check_subwords(subwords: Any, buckets: Any) -> tuple[list[int] | None, int]:
    """Return the shortest and the longest n-gram, or None, and the number of buckets."""
    number = check_count("buckets", buckets, most=_MAX_ROWS)
    if subwords is None:
        return None, number
    if not isinstance(subwords, (tuple, list)) or len(subwords) != 2:
        raise TypeError(f"`subwords` must be None or a pair (shortest, longest), got {subwords!r}")
    shortest = check_count("subwords[0]", subwords[0], most=255)
    longest = check_count("subwords[1]", subwords[1], least=shortest, most=255)
    return [shortest, longest], number


def check_freeze(freeze: Any) -> str | None:
    """Return which table is not to be moved."""
    return None if freeze is None else str(check_option("freeze", freeze, ("input", "output")))


def check_mode(mode: Any) -> str:
    """Return the mode of Word2Vec."""
    return str(check_option("mode", mode, MODES))
