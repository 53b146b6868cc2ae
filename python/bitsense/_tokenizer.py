"""The tokeniser and its options."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import _core
from ._check import check_bool, check_count
from ._stop_words import ENGLISH

__all__ = ["Tokenizer", "missing_tokenizer"]

_NO_LIMIT = 2**32 - 1
_RULES = 1  # of cutting; to be raised when the same text comes out in other tokens
_DEFAULTS = {"lowercase": True, "digits": True, "min_length": 1, "max_length": None, "ngrams": 1}


class Tokenizer:
    """Cut text into words.

    A word is a run of letters, digits and combining marks of any script. Apostrophes, hyphens and
    underscores separate words. Each Han ideograph and each Hiragana character is a word of its own,
    whatever the length limits (use ``ngrams=2`` for pairs); other scripts without spaces, such as
    Thai, come out as the runs between spaces: pass a callable that knows their words instead. Text
    is not normalised: composed and decomposed accents give different words.

    Parameters
    ----------
    lowercase : bool, default True
        Fold case as `str.casefold` does (so that "STRASSE" and "Straße" are one word).
    digits : bool, default True
        Digits and other numbers belong to words; otherwise they separate them.
    min_length, max_length : int, default 1 and None
        Leave out words of fewer or more code points, counted after case folding.
    stop_words : None, "english" or iterable of str
        Words to leave out, cut and folded like text. "english" is a list of function words.
    ngrams : {1, 2, 3}, default 1
        Add the runs of up to so many adjacent words, joined with a space, as words of their own.
        Adjacent are the words that are kept.

    Examples
    --------
    >>> Tokenizer(stop_words="english")("The cat's whiskers, 12 cm!")
    ['cat', 'whiskers', '12', 'cm']
    >>> Tokenizer(ngrams=2)("red red wine")
    ['red', 'red', 'red red', 'wine', 'red wine']
    """

    def __init__(
        self,
        *,
        lowercase: bool = True,
        digits: bool = True,
        min_length: int = 1,
        max_length: int | None = None,
        stop_words: str | Iterable[str] | None = None,
        ngrams: int = 1,
    ) -> None:
        self.lowercase = check_bool("lowercase", lowercase)
        self.digits = check_bool("digits", digits)
        self.min_length = check_count("min_length", min_length, most=_NO_LIMIT)
        self.max_length = max_length
        if max_length is not None:
            self.max_length = check_count("max_length", max_length, most=_NO_LIMIT)
            if self.max_length < self.min_length:
                raise ValueError(
                    f"`max_length` must be at least `min_length`={self.min_length}, "
                    f"got {self.max_length}"
                )
        self.stop_words = _check_stop_words(stop_words)
        self.ngrams = check_count("ngrams", ngrams, most=3)
        self._core = _core.Tokenizer(
            self.lowercase,
            self.digits,
            self.min_length,
            _NO_LIMIT if self.max_length is None else self.max_length,
            self.ngrams,
            sorted(self.stop_words),
        )

    def __call__(self, text: str) -> list[str]:
        """Return the words and n-grams of a text, in the order of `Corpus.ids`."""
        if not isinstance(text, str):
            raise TypeError(f"`text` must be a string, got {type(text).__name__}")
        return self._core.split(text)

    def to_dict(self) -> dict[str, Any]:
        """Return all options as a dictionary that JSON can hold; the stop words are spelt out."""
        return {
            "rules": _RULES,
            "lowercase": self.lowercase,
            "digits": self.digits,
            "min_length": self.min_length,
            "max_length": self.max_length,
            "stop_words": sorted(self.stop_words),
            "ngrams": self.ngrams,
        }

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Tokenizer:
        """Make the tokeniser that `options`, a result of `to_dict`, describe.

        Raises
        ------
        FormatError
            If a key is missing or unknown, a value is out of range, or the rules are newer.
        """
        try:
            options = dict(options)
            rules = options.pop("rules")
            if rules != _RULES:
                raise ValueError(f"its rules are version {rules!r}, this is version {_RULES}")
            if not isinstance(options["stop_words"], list):
                raise TypeError("its stop words are no list")
            missing = _DEFAULTS.keys() - options.keys()
            if missing:
                raise KeyError(min(missing))
            return cls(**options)
        except KeyError as error:
            raise _core.FormatError(f"the tokeniser is corrupt: {error} is missing") from None
        except (TypeError, ValueError) as error:
            raise _core.FormatError(f"the tokeniser is corrupt: {error}") from None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokenizer):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.lowercase, self.digits, self.stop_words, self.ngrams))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_dict, (self.to_dict(),)

    def __repr__(self) -> str:
        parts = []
        for name, value in self.to_dict().items():
            if name == "stop_words" and self.stop_words:
                is_english = self.stop_words == ENGLISH
                parts.append(f"stop_words={'english' if is_english else value!r}")
            elif name in _DEFAULTS and value != _DEFAULTS[name]:
                parts.append(f"{name}={value!r}")
        return f"Tokenizer({', '.join(parts)})"


def _check_stop_words(stop_words: Any) -> frozenset[str]:
    if stop_words is None:
        return frozenset()
    if isinstance(stop_words, str):
        if stop_words != "english":
            raise ValueError(
                f'`stop_words` must be None, "english" or an iterable of words, got {stop_words!r}'
            )
        return ENGLISH
    words = list(stop_words)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"`stop_words` must hold strings, got {type(word).__name__}")
    return frozenset(words)


def missing_tokenizer(text: str) -> list[str]:
    """Stand for a callable that a file did not hold."""
    raise ValueError(
        "the model was trained with a tokeniser of its user's, which files do not hold: pass it to "
        "the `load` of its class as `tokenizer`"
    )
