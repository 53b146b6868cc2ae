"""`bitsense corpus`: encode text once, for many trainings."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from .common import add_field, add_quiet, add_threads, check_field, local_paths, say
from .train import add_option, check_output, chosen, parameters, shown

HELP = "Encode text as a corpus, which train takes in place of text, however large it is."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the command and of the tokeniser."""
    from ..text import Tokenizer

    parser.add_argument(
        "input", nargs="+", metavar="INPUT", help="text or JSON Lines, gzip or not; - is stdin"
    )
    parser.add_argument("--output", "-o", required=True, metavar="FILE", help="the corpus")
    parser.add_argument(
        "--min-count",
        type=int,
        default=5,
        metavar="N",
        help="leave out words that occur less often; default: 5",
    )
    parser.add_argument(
        "--min-count-ngrams",
        type=int,
        metavar="N",
        help="the same for n-grams of two words and more; default: --min-count",
    )
    parser.add_argument(
        "--max-vocabulary", type=int, metavar="N", help="keep only so many words; default: all"
    )
    add_field(parser)
    add_threads(parser)
    add_quiet(parser)
    group = parser.add_argument_group("options of the tokeniser")
    for name, about in parameters(Tokenizer).items():
        add_option(group, name, about, f"default: {shown(name, about.default)}")


def run(arguments: argparse.Namespace) -> int:
    """Encode and save."""
    from ..text import TextFiles, Tokenizer, encode_corpus

    check_field(arguments, arguments.input)
    output = Path(arguments.output)
    check_output(output)
    begin = time.perf_counter()
    with local_paths(arguments.input) as paths:
        corpus = encode_corpus(
            TextFiles(paths, field=arguments.field),
            output,
            tokenizer=Tokenizer(**chosen(arguments, Tokenizer)),
            min_count=arguments.min_count,
            min_count_ngrams=arguments.min_count_ngrams,
            max_vocabulary=arguments.max_vocabulary,
            threads=arguments.threads,
            progress=not arguments.quiet,
        )
    say(
        arguments,
        f"{output}: {corpus.n_documents:,} documents, {corpus.n_tokens:,} tokens and "
        f"{len(corpus.vocabulary):,} words in {time.perf_counter() - begin:.1f} s, "
        f"{output.stat().st_size:,} bytes",
    )
    return 0
