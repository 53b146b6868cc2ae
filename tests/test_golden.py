"""The bytes of trained weights and inferred vectors, frozen: a change of the maths is seen at once.

They hold for every level with fused multiply-add and any number of threads. They depend on the
tokeniser, the default rates, the initialisation, the order of every sum, and on the logarithm of
the C library (in double precision, its result then rounded to a float), the only function in it
that need not round alike everywhere.

An intended change is one line of tests/data/models_golden.json: run this file as a program to write
it anew, and say why in the change.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from bitsense import (
    BinaryParagraphVector,
    DisambiguatedSkipGram,
    ParagraphVector,
    RealBinaryParagraphVector,
    Word2Vec,
    cpu_info,
)

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
CONTEXTS = {
    "ParagraphVector, dm-mean": (ParagraphVector, {"mode": "dm-mean", "context": 2}),
    "ParagraphVector, dm-concat": (
        ParagraphVector,
        {"mode": "dm-concat", "context": 2, "word_dim": 5},
    ),
    "BinaryParagraphVector, dm": (
        BinaryParagraphVector,
        {"mode": "dm", "context": 2, "word_dim": 5},
    ),
    "BinaryParagraphVector, dm, soft words": (
        BinaryParagraphVector,
        {"mode": "dm", "context": 2, "word_dim": 5, "round_words": False},
    ),
    "RealBinaryParagraphVector": (RealBinaryParagraphVector, {"bits": 12}),
}
CASES |= {
    f"{name}, {objective}, {optimizer}": cls(
        24, objective=objective, optimizer=optimizer, learning_rate=0.0625, **own, **COMMON
    )
    for name, (cls, own) in CONTEXTS.items()
    for objective, optimizer in [("softmax", "adagrad"), ("negative-sampling", "sgd")]
}
WORDS = {
    "window": 4, "negatives": 6, "min_count": 2, "subsample": 0.05, "epochs": 4, "seed": 42,
    "learning_rate": 0.03125,
}  # fmt: skip
CASES |= {
    f"Word2Vec, {mode}, {kind}": Word2Vec(24, mode=mode, subwords=subwords, buckets=200, **WORDS)
    for mode in ("skip-gram", "cbow")
    for kind, subwords in {"words": None, "subwords": (3, 5)}.items()
}
CASES["DisambiguatedSkipGram"] = DisambiguatedSkipGram(
    24, senses=3, gate_window=6, min_count_senses=20, gate_rate=0.25, shared_until=0.25,
    entropy_cost=-0.125, temperature=0.5, prune=0.05, **WORDS,
)  # fmt: skip
ENCODERS = {
    "ParagraphVector, encoder": (ParagraphVector, {}),
    "BinaryParagraphVector, encoder": (BinaryParagraphVector, {}),
    "RealBinaryParagraphVector, encoder": (RealBinaryParagraphVector, {"bits": 12}),
}
CASES |= {
    f"{name}, {neighbors} neighbours, {objective}, {optimizer}": cls(
        24, mode="encoder", neighbors=neighbors, neighbor_weight=0.375, objective=objective,
        optimizer=optimizer, learning_rate=0.0625, **own, **COMMON,
    )
    for name, (cls, own) in ENCODERS.items()
    for neighbors, objective, optimizer in [
        (0, "softmax", "adagrad"), (4, "softmax", "adagrad"), (4, "negative-sampling", "sgd"),
    ]
}  # fmt: skip


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


def parts_of(fitted):
    losses = np.array(fitted.losses_).astype(np.float32)
    if isinstance(fitted, (Word2Vec, DisambiguatedSkipGram)):
        return {**fitted._arrays, "losses": losses}
    parts = {
        "documents": fitted.document_vectors_,
        "words": fitted.word_vectors_,
        "inferred": fitted.transform(documents()[::-1]),
        "losses": losses,
    }
    if isinstance(fitted, (BinaryParagraphVector, RealBinaryParagraphVector)):
        parts["preactivations"] = fitted.preactivations(documents())
    if isinstance(fitted, RealBinaryParagraphVector):
        parts["vectors"] = fitted.vectors(documents())
        parts["projection"] = fitted.projection_
    if hasattr(fitted, "context_vectors_"):
        parts["context"] = fitted.context_vectors_
    if isinstance(fitted, RealBinaryParagraphVector) and fitted.mode == "encoder":
        for name in ("projection", "preactivations", "inferred"):
            del parts[name]  # an ITQ, which is NumPy's linear algebra and differs by machine
    return parts


def digests(model):
    return {
        name: hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest()[:32]
        for name, part in parts_of(model.fit(documents())).items()
    }


@pytest.mark.parametrize("threads", [1, 3, 12])
@pytest.mark.parametrize("case", CASES)
def test_the_bytes_are_those_of_the_file(case, threads):
    if cpu_info()["level"] == "baseline":
        pytest.skip("the baseline has no fused multiply-add and sums otherwise")
    expected = json.loads(GOLDEN.read_text())[case]
    assert digests(CASES[case].set_params(threads=threads)) == expected


if __name__ == "__main__":
    golden = {case: digests(model) for case, model in CASES.items()}
    GOLDEN.write_text(json.dumps(golden, indent=1) + "\n")
