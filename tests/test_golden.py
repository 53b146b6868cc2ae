"""The bytes of trained weights and inferred vectors, frozen: a change of the maths is seen at once.

They hold for every level with fused multiply-add and any number of threads. They depend on the
tokeniser, the default rates, the initialisation, the order of every sum, and on the logarithm of
the C library for small whole numbers, the only function in it that need not round alike everywhere.

An intended change is one line of tests/data/models_golden.json: run this file as a program to write
it anew, and say why in the change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from bitsense import BinaryParagraphVector, ParagraphVector, cpu_info

GOLDEN = Path(__file__).parent / "data" / "models_golden.json"

# Every number is written out, so that a change of a default does not look like one of the maths.
COMMON = {
    "window": 4, "min_count": 2, "subsample": 0.05, "epochs": 4, "batch": 16, "dropout": 0.125,
    "negatives": 6, "infer_epochs": 7, "seed": 42,
}  # fmt: skip
CASES = {
    f"{cls.__name__}, {objective}, {optimizer}": cls(
        24, objective=objective, optimizer=optimizer, learning_rate=0.0625, **COMMON
    )
    for cls in (ParagraphVector, BinaryParagraphVector)
    for objective in ("softmax", "negative-sampling")
    for optimizer in ("adagrad", "sgd")
}


def documents():
    """Sixty texts of a fixed recurrence, about a steep distribution of thirty words."""
    state, texts = 1, []
    for d in range(60):
        words = []
        for _ in range(5 + d % 23):
            state = (1103515245 * state + 12345) % 2**31
            words.append(f"word{(state >> 8) % 30 * ((state >> 20) % 30) // 30}")
        texts.append(" ".join(words))
    return texts


def digests(model):
    fitted = model.fit(documents())
    parts = {
        "documents": fitted.document_vectors_,
        "words": fitted.word_vectors_,
        "inferred": fitted.transform(documents()[::-1]),
        "losses": np.array(fitted.losses_).astype(np.float32),
    }
    if isinstance(fitted, BinaryParagraphVector):
        parts["preactivations"] = fitted.preactivations(documents())
    return {
        name: hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()[:32]
        for name, part in parts.items()
    }


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_those_of_the_file(case, threads):
    if cpu_info()["level"] == "baseline":
        pytest.skip("the baseline has no fused multiply-add and sums otherwise")
    expected = json.loads(GOLDEN.read_text())[case]
    assert digests(CASES[case].set_params(threads=threads)) == expected


if __name__ == "__main__":
    golden = {case: digests(model) for case, model in CASES.items()}
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")
