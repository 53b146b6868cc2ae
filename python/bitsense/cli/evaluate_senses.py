"""`bitsense eval senses`: senses that a model induces beside those that people gave."""

from __future__ import annotations

import argparse
from typing import Any

from .common import add_json, json_line
from .evaluate_words import finite
from .vectors import FILE_HELP, open_model

HELP = "Measure senses: chosen in contexts beside those of people, and similarity in context."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("model", metavar="MODEL", help=FILE_HELP)
    parser.add_argument(
        "--dataset", metavar="PATH", help="word-sense induction in the form of SemEval-2010"
    )
    parser.add_argument("--key", metavar="PATH", help="the senses of people, for --dataset")
    parser.add_argument(
        "--contextual", metavar="PATH", help="pairs of words in context in the form of SCWS"
    )
    parser.add_argument(
        "--by", metavar="RULE", help="how a sense is chosen; default: that of bitsense.evaluate"
    )
    parser.add_argument(
        "--window", type=int, metavar="N", help="tokens on each side; default: the whole context"
    )
    parser.add_argument("--words", action="store_true", help="show the measures of each word too")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the measures of each task."""
    from .. import evaluate

    if (arguments.dataset is None) != (arguments.key is None):
        arguments.parser.error("--dataset and --key must be given together")
    if arguments.dataset is None and arguments.contextual is None:
        arguments.parser.error("--dataset and --key, or --contextual, must name files")
    options: dict[str, Any] = {"window": arguments.window}
    if arguments.by is not None:
        options["by"] = arguments.by
    instances = pairs = None
    if arguments.dataset is not None:
        instances = evaluate.read_sense_induction(arguments.dataset, arguments.key)
    if arguments.contextual is not None:
        pairs = evaluate.read_contextual_similarity(arguments.contextual)
    model = open_model(arguments.model)
    if instances is not None:
        result = evaluate.evaluate_sense_induction(model, instances, **options)
        write_induction(result.as_dict(), arguments)
    if pairs is not None:
        report = evaluate.evaluate_contextual_similarity(model, pairs, **options).as_dict()
        if arguments.json:
            print(json_line(finite({"task": "contextual-similarity", **report})))
        else:
            print(
                f"avgSim {report['avg_sim']:.4f}, avgSimC {report['avg_sim_c']:.4f}, "
                f"localSim {report['local_sim']:.4f}, {report['n_pairs']:,} pairs, "
                f"coverage {report['coverage']:.3f}"
            )
    return 0


def write_induction(report: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Write the means over all words and over those with several senses, and on request each."""
    words = report.pop("words")
    if arguments.json:
        shown = {"words": words} if arguments.words else {}
        print(json_line(finite({"task": "sense-induction", **report, **shown})))
        return
    print(f"{'':24}{'ARI':>8}{'V':>8}{'F':>8}{'words':>8}")
    for title, suffix, count in (
        ("all words", "", "n_words"),
        ("with several senses", "_ambiguous", "n_ambiguous"),
    ):
        scores = (report[name + suffix] for name in ("ari", "v_measure", "paired_f"))
        print(f"{title:24}" + "".join(f"{s:8.4f}" for s in scores) + f"{report[count]:8,}")
    print(
        f"{report['n_instances']:,} instances, {report['mean_senses']:.2f} senses a word, "
        f"{report['n_undecided']:,} instances with several senses left out"
    )
    if report["unknown"]:
        print(f"unknown: {' '.join(report['unknown'])}")
    for word, scores in words.items() if arguments.words else ():
        values = (scores["ari"], scores["v_measure"], scores["paired_f"])
        print(f"{word:24}" + "".join(f"{s:8.4f}" for s in values) + f"{scores['n_instances']:8,}")
