"""The tables of docs/retrieval.md, from the JSON rows of `retrieval.py` and `transfer.py`.

    python benchmarks/markdown.py out.json > table.md

One table for rankings and one for two-stage retrieval, medians and standard deviations over the
seeds. Rows of several files are put together, so that a long run can be made in parts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from common import Row
from retrieval import medians

# Column to heading and, for rates, what the number is divided by.
RANKINGS = {
    "model": "model", "bits": "bits", "ngrams": "n-grams", "headers": "headers",
    "ranking": "ranking", "map": "MAP", "ndcg_at_10": "NDCG@10", "precision_at_10": "P@10",
    "precision_at_100": "P@100, train", "coverage": "coverage", "words_per_cpu_s": "words/CPU s",
    "infer_docs_per_cpu_s": "documents/CPU s", "peak_mb": "peak MB",
}  # fmt: skip
LISTS = {
    "model": "model", "bits": "bits", "headers": "headers", "filter": "list",
    "ordered_by": "ordered by", "ndcg_at_10": "NDCG@10", "ndcg_at_10_of_lists": "of lists alone",
    "coverage": "coverage", "mean_list": "mean length",
}  # fmt: skip


def markdown(rows: Sequence[Row], columns: dict[str, str]) -> Iterator[str]:
    """Yield the lines of a table; columns without any value are left out."""
    used = [name for name in columns if any(row.get(name) is not None for row in rows)]
    yield "| " + " | ".join(columns[name] for name in used) + " |"
    yield "|" + "|".join("---" if name == "model" else "--:" for name in used) + "|"
    for row in rows:
        yield "| " + " | ".join(_cell(name, row.get(name)) for name in used) + " |"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "words_per_cpu_s":
        return f"{value / 1e6:.2f} M"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) <= 1 and name != "peak_mb" else f"{value:,.0f}"
    if isinstance(value, str) and "±" in value:
        return " ± ".join(f"{float(part):.3f}" for part in value.split(" ±"))
    return str(value)


if __name__ == "__main__":
    table = medians([row for path in sys.argv[1:] for row in json.loads(Path(path).read_text())])
    lists = [row for row in table if row["ranking"] == "two-stage"]
    rankings = [row for row in table if row["ranking"] != "two-stage"]
    for some, columns in ((rankings, RANKINGS), (lists, LISTS)):
        if some:
            print(*markdown(some, columns), "", sep="\n")
