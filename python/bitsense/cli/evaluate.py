"""`bitsense eval`: how well a model finds documents of the same label."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .common import Encoder, add_json, add_threads, batches, json_line, json_values, local_paths

HELP = "Measure how well a model finds documents of the same label."
EPILOG = """\
'bitsense eval retrieval' is the same. 'bitsense eval words' and 'bitsense eval senses' measure
vectors of words and of senses; a model in a file with one of these names is ./words, ./senses."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = EPILOG
    parser.add_argument("model", metavar="MODEL", help="a model that 'bitsense train' made")
    parser.add_argument("data", nargs="+", metavar="DATA", help="JSON Lines; - is stdin")
    parser.add_argument("--field", default="text", metavar="NAME", help="the text; default: text")
    parser.add_argument(
        "--label-field", default="label", metavar="NAME", help="the label; default: label"
    )
    parser.add_argument("--split-field", default="split", metavar="NAME", help="default: split")
    parser.add_argument(
        "--split", metavar="NAME", help="only the documents of this split; default: all"
    )
    parser.add_argument("-k", type=int, default=10, help="cut-off of NDCG and P; default: 10")
    add_json(parser)
    add_threads(parser)


def labelled(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of the chosen split."""
    names = [arguments.field, arguments.label_field]
    if arguments.split is not None:
        names.append(arguments.split_field)
    texts, labels = [], []
    with local_paths(arguments.data) as paths:
        for text, label, *split in json_values(paths, *names):
            if not split or str(split[0]) == arguments.split:
                texts.append(str(text))
                labels.append(str(label))
    if len(texts) < 2:
        chosen = "" if arguments.split is None else f" of the split {arguments.split!r}"
        raise ValueError(f"the data must hold at least 2 documents{chosen}, got {len(texts)}")
    return texts, labels


def scores(representation: Any, labels: list[str], k: int) -> dict[str, float]:
    """Return the three measures of documents that rank one another."""
    from ..evaluate import evaluate_retrieval

    measured = evaluate_retrieval(representation, np.array(labels), k=k)
    return {
        "map": float(measured.map),
        f"ndcg@{k}": float(measured.ndcg[k]),
        f"p@{k}": float(measured.precision[k]),
    }


def run(arguments: argparse.Namespace) -> int:
    """Encode, rank every document against all others, and print the measures beside chance."""
    model = Encoder(arguments.model, arguments.threads)
    texts, labels = labelled(arguments)
    encode = model.vectors if model.bits is None else model.codes
    made = np.concatenate([encode(some) for some in batches(texts)])
    distance = "cosine" if model.bits is None else "hamming"
    report: dict[str, Any] = {
        "documents": len(texts),
        "labels": len(set(labels)),
        "distance": distance,
        "bits": model.bits,
        "model": scores(made, labels, arguments.k),
        # Equal codes are one tie, and the measures are expectations over the orders within ties.
        "chance": scores(np.zeros((len(texts), 1), np.uint8), labels, arguments.k),
    }
    if arguments.json:
        print(json_line(report))
        return 0
    width = "" if model.bits is None else f", {model.bits} bits"
    print(f"{len(texts):,} documents, {report['labels']:,} labels, {distance} distance{width}")
    print(f"{'':8}" + "".join(f"{name.upper():>10}" for name in report["model"]))
    for row in ("model", "chance"):
        print(f"{row:8}" + "".join(f"{value:10.4f}" for value in report[row].values()))
    return 0
