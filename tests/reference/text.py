"""Tokeniser and counter in plain Python, from the words of the documentation.

Compared with `==`. It shares no code with the engine: classes come from `unicodedata`, folding from
`str.casefold`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

IGNORABLES = "\u00ad\u200c\u200d\u2060\ufeff"


@cache
def char_class(char: str) -> str:
    """Return one of separator, letter, digit, mark, ignorable, ideograph."""
    if char in IGNORABLES:
        return "ignorable"
    kind = unicodedata.category(char)[0]
    name = unicodedata.name(char, "")
    point = ord(char)
    han = name.startswith(("CJK UNIFIED IDEOGRAPH", "CJK COMPATIBILITY IDEOGRAPH"))
    kana = name.startswith(("HIRAGANA LETTER", "HENTAIGANA LETTER")) or 0x1B001 <= point <= 0x1B11F
    if kind in "LN" and (han or kana or char in "\u3005\u3006\u3007"):
        return "ideograph"
    return {"L": "letter", "N": "digit", "M": "mark"}.get(kind, "separator")


def split(text: str, *, lowercase: bool = True, digits: bool = True) -> list[tuple[str, bool]]:
    """Return (word, is ideograph) for each word."""
    words: list[tuple[str, bool]] = []
    open_word = False
    for char in text:
        kind = char_class(char)
        folded = char.casefold() if lowercase else char
        if kind == "ignorable":
            continue
        if kind == "separator" or (kind == "digit" and not digits):
            open_word = False
        elif kind == "mark":
            if open_word:
                words[-1] = (words[-1][0] + folded, words[-1][1])
        elif open_word and kind != "ideograph" and not words[-1][1]:
            words[-1] = (words[-1][0] + folded, False)
        else:
            words.append((folded, kind == "ideograph"))
            open_word = True
    return words


def ngrams(tokens: list[str], most: int) -> list[str]:
    """Return each token and behind it the n-grams that end in it."""
    found = []
    for end in range(1, len(tokens) + 1):
        found += [" ".join(tokens[end - n : end]) for n in range(1, min(most, end) + 1)]
    return found


def tokenize(
    text: str,
    *,
    lowercase: bool = True,
    digits: bool = True,
    min_length: int = 1,
    max_length: int | None = None,
    stop_words: Iterable[str] = (),
    ngrams: int = 1,
) -> list[str]:
    """Return the words and n-grams of a text."""
    most = max_length or 2**32
    stop = {p for word in stop_words for p, _ in split(word, lowercase=lowercase, digits=digits)}
    kept = [
        word
        for word, ideograph in split(text, lowercase=lowercase, digits=digits)
        if (ideograph or min_length <= len(word) <= most) and word not in stop
    ]
    return globals()["ngrams"](kept, ngrams)


def corpus(
    documents: list[list[str]],
    *,
    min_count: int,
    min_count_ngrams: int | None = None,
    max_vocabulary: int | None = None,
) -> tuple[list[str], list[int], list[list[int]]]:
    """Return words, counts and the ids of each document; an n-gram is what has a space."""
    counted = Counter(token for document in documents for token in document)
    ngram_count = min_count if min_count_ngrams is None else min_count_ngrams
    ranked = sorted(
        (word for word in counted if counted[word] >= (ngram_count if " " in word else min_count)),
        key=lambda word: (-counted[word], word.encode()),
    )[:max_vocabulary]
    ids = {word: i for i, word in enumerate(ranked)}
    encoded = [[ids[token] for token in document if token in ids] for document in documents]
    return ranked, [counted[word] for word in ranked], encoded
