"""Vectors for programs that show them: the TensorBoard projector and Embedding Atlas."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ._check import check_bool, check_count
from ._extras import import_extra
from ._projection import project
from ._replace import replacing
from ._senses_view import describe, vectors_of

__all__ = ["export_atlas", "export_projector"]

StrPath = str | os.PathLike[str]

COLUMNS = ("key", "word", "sense", "prior", "count")  # the fields of a Row
_BLOCK = 1024
_LINE_BREAKS = re.compile("[\t\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONFIG = """\
embeddings {
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
}
"""


def export_projector(vectors: Any, folder: StrPath, *, limit: int | None = None) -> None:
    r"""Write vectors for the embedding projector of TensorBoard.

    The folder gets ``vectors.tsv`` (a row per key, as many digits as give the same float32 again),
    ``metadata.tsv`` (with the header key, word, sense, prior, count; the count is empty where it is
    unknown) and ``projector_config.pbtxt``, with which ``tensorboard --logdir FOLDER`` shows them.
    The two tables also load by hand at projector.tensorflow.org.

    Parameters
    ----------
    vectors : WordVectors, SenseVectors, or a model with them as ``wv``
    folder : path
        Made if it is absent. Each file in it is replaced whole or not at all.
    limit : int, optional
        Only the first rows. The projector itself takes about 100,000.

    Raises
    ------
    ValueError
        If a key holds a tab or a line break, which the format cannot hold; nothing is written then.
    OSError
        If a file cannot be written.
    """
    vectors = vectors_of(vectors)
    rows = _rows(vectors, limit)
    for key in vectors.index_to_key[:rows]:
        if _LINE_BREAKS.search(key):
            raise ValueError(
                f"the key {key!r} holds a tab or a line break, which a TSV file cannot hold"
            )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / "vectors.tsv") as file:
        for line in _digits(vectors.vectors[:rows]):
            file.write(line)
    with replacing(folder / "metadata.tsv") as file:
        file.write("\t".join(COLUMNS) + "\n")
        for row in range(rows):
            file.write("\t".join(map(_cell, describe(vectors, row))) + "\n")
    with replacing(folder / "projector_config.pbtxt") as file:
        file.write(_CONFIG)


def export_atlas(
    vectors: Any,
    path: StrPath,
    *,
    method: str = "pca",
    neighbors: int = 15,
    limit: int | None = None,
    include_vectors: bool = False,
    seed: int = 0,
) -> None:
    """Write vectors as a Parquet file for Embedding Atlas.

    ``embedding-atlas FILE --text key --x x --y y --neighbors neighbors`` shows it. The columns are
    key, word, sense, prior, count (null where unknown), x, y, and neighbors: a struct of the lists
    ``ids`` (zero-based rows) and ``distances`` (1 - cosine), nearest first, without the row itself.

    Parameters
    ----------
    vectors : WordVectors, SenseVectors, or a model with them as ``wv``
    path : path
        The file to write; it is replaced whole or not at all.
    method : {"pca", "tsne", "umap"}
        How x and y are made.
    neighbors : int, default 15
        Neighbours per row.
    limit : int, optional
        Only the first rows, as rows, as neighbours, and for the projection.
    include_vectors : bool, default False
        Add the column vector: a fixed-size list of float32.
    seed : int, default 0
        Of t-SNE and UMAP.

    Raises
    ------
    ImportError
        If pyarrow or the package of the method is not installed.
    OSError
        If the file cannot be written.
    """
    arrow = import_extra("pyarrow", "pyarrow", "parquet")
    parquet = import_extra("pyarrow.parquet", "pyarrow", "parquet")
    vectors = vectors_of(vectors)
    neighbors = check_count("neighbors", neighbors)
    include_vectors = check_bool("include_vectors", include_vectors)
    rows = _rows(vectors, limit)
    matrix = vectors.vectors[:rows]
    points = project(matrix, method, seed).astype(np.float32)
    described = zip(*(describe(vectors, row) for row in range(rows)), strict=True)
    types = (arrow.string(), arrow.string(), arrow.int32(), arrow.float32(), arrow.int64())
    columns = {
        name: arrow.array(values, type=kind)
        for name, values, kind in zip(COLUMNS, described, types, strict=True)
    }
    columns["x"] = arrow.array(points[:, 0])
    columns["y"] = arrow.array(points[:, 1])
    columns["neighbors"] = _neighbor_column(arrow, vectors, rows, min(neighbors, rows - 1))
    if include_vectors:
        flat = arrow.array(np.ascontiguousarray(matrix).reshape(-1))
        columns["vector"] = arrow.FixedSizeListArray.from_arrays(flat, vectors.dim)
    with replacing(path, binary=True) as file:
        parquet.write_table(arrow.table(columns), file, compression="zstd")


def _rows(vectors: Any, limit: int | None) -> int:
    every = len(vectors.index_to_key)
    return every if limit is None else min(every, check_count("limit", limit))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _digits(matrix: Any) -> Iterator[str]:
    """Yield rows as lines, with the shortest digits that give the same float32 again."""
    for start in range(0, len(matrix), _BLOCK):
        for row in matrix[start : start + _BLOCK]:
            yield "\t".join(map(str, row)) + "\n"


def _neighbor_column(arrow: Any, vectors: Any, rows: int, k: int) -> Any:
    ids = np.empty((rows, k), dtype=np.int64)
    distances = np.empty((rows, k), dtype=np.float32)
    for start in range(0, rows, _BLOCK):
        some = np.arange(start, min(rows, start + _BLOCK))
        ids[some], similarities = vectors.neighbors(some, k=k, restrict_to=rows)
        distances[some] = np.maximum(0, 1 - similarities)
    ends = arrow.array(np.arange(rows + 1, dtype=np.int32) * k)
    lists = [
        arrow.ListArray.from_arrays(ends, arrow.array(values.reshape(-1)))
        for values in (ids, distances)
    ]
    return arrow.StructArray.from_arrays(lists, ["ids", "distances"])
