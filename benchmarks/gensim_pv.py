"""PV-DBOW of gensim at its best: its fastest input path, and parameters chosen on validation.

`GRID` is walked one parameter at a time from `START`, some parameters twice; what was seen on the
way is in results/gensim_grid.json. The documents are shuffled once before training, because gensim
visits them in the order of the file and a corpus sorted by class costs it quality.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from newsgroups import Split, Tokens
from validation import evaluate, score, validation_split

DIM = 128
START = {
    "epochs": 10, "alpha": 0.05, "negative": 5, "sample": 1e-3, "min_count": 2,
    "infer_alpha": None,
}  # fmt: skip
GRID: list[tuple[str, list[Any]]] = [
    ("alpha", [0.025, 0.1]),
    ("epochs", [5, 20]),
    ("sample", [0, 1e-4, 1e-5]),
    ("negative", [10, 20]),
    ("min_count", [1, 5]),
    ("alpha", [0.035, 0.07]),
    ("epochs", [15]),
    ("infer_alpha", [0.025, 0.1]),
    ("alpha", [0.05, 0.1]),
    ("infer_alpha", [0.01, 0.015, 0.035]),
    ("epochs", [8]),
]
INFER_EPOCHS = [2, 3, 5, 10, 20]

# Where the walk ended. Inference is flat in rate times epochs, so that speed can be bought for a
# little quality: both ends are reported, name: (rate, epochs), with MAP / NDCG@10 on validation.
TUNED = {"epochs": 10, "alpha": 0.07, "negative": 5, "sample": 1e-4, "min_count": 1}
FAST = "PV-DBOW, gensim, fast inference"
INFERENCE = {
    "PV-DBOW, gensim": (0.01, 20),  # 0.437 / 0.697
    FAST: (0.035, 5),  # 0.430 / 0.690
}


def train(
    documents: list[Tokens], *, seed: int = 1, threads: int = 1, **options: Any
) -> tuple[Any, float]:
    """Return the model and the CPU seconds of vocabulary and training.

    Written to a file first and read by gensim's own C loop (``corpus_file``), the fastest of
    its inputs; the time of writing is not counted.
    """
    from gensim.models.doc2vec import Doc2Vec

    order = np.random.default_rng(seed).permutation(len(documents))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.txt"
        path.write_text("\n".join(" ".join(documents[i]) for i in order) + "\n")
        started = time.process_time()
        model = Doc2Vec(corpus_file=str(path), vector_size=DIM, dm=0, workers=threads, seed=seed,
                        **options)  # fmt: skip
        return model, time.process_time() - started


def infer(
    model: Any, documents: list[Tokens], epochs: int, alpha: float | None = None
) -> tuple[np.ndarray, float]:
    """Return vectors of unseen documents and the CPU seconds they took; `alpha` None means the
    rate of training, which is what gensim does."""
    started = time.process_time()
    vectors = np.array(
        [model.infer_vector(tokens, alpha=alpha, epochs=epochs) for tokens in documents]
    )
    return vectors, time.process_time() - started


def tune(training: Split) -> Iterator[dict[str, Any]]:
    """Walk the grid on the validation split and yield one row per setting tried."""
    fit, held_out = validation_split(training)

    def rows_of(settings: dict[str, Any]) -> list[dict[str, Any]]:
        options = {key: settings[key] for key in START if key != "infer_alpha"}
        model, _ = train(fit.documents, **options)
        rows = []
        for epochs in INFER_EPOCHS:
            vectors, _ = infer(model, held_out.documents, epochs, settings["infer_alpha"])
            metrics = evaluate(vectors, held_out)
            rows.append({**settings, "infer_epochs": epochs, "map": metrics.map,
                         "ndcg_at_10": metrics.ndcg[10], "score": score(metrics)})  # fmt: skip
        return rows

    rows = rows_of(START)
    yield from rows
    best = max(rows, key=lambda row: row["score"])
    for name, values in GRID:
        for value in values:
            rows = rows_of({key: best[key] for key in START} | {name: value})
            yield from rows
            best = max([best, *rows], key=lambda row: row["score"])
