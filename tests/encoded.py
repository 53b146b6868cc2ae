"""Documents for the tests of encoded corpora, and what a corpus of them holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from bitsense.text import EncodedCorpus, build_corpus

ARRAYS = ("ids", "offsets", "totals")


def texts(n: int = 400) -> list[str]:
    rng = np.random.default_rng(3)
    ranks = rng.zipf(1.4, size=(n, 30)) % 300
    return [" ".join(f"W{r}é" if r % 7 == 0 else f"w{r}" for r in row) for row in ranks] + ["", "x"]


def assert_same(found: EncodedCorpus, documents: Any, **options: Any) -> None:
    vocabulary, corpus = build_corpus(documents, **options)
    assert found.vocabulary == vocabulary
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(found.corpus, name), getattr(corpus, name))
        assert not getattr(found.corpus, name).flags.writeable
