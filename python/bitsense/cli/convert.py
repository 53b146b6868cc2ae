"""`bitsense convert`: vectors from one format to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from .common import add_quiet, say
from .vectors import FILE_HELP, open_vectors

HELP = "Write the vectors of a file in another format."
FORMATS = ("bitsense", "word2vec", "word2vec-text", "glove", "fasttext-vec", "projector", "atlas")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("input", metavar="IN", help=FILE_HELP)
    parser.add_argument("output", metavar="OUT", help="a file; of projector, a folder")
    parser.add_argument(
        "--to",
        required=True,
        choices=FORMATS,
        help="word2vec: the binary format; projector: TSV files for TensorBoard; "
        "atlas: Parquet for Embedding Atlas",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="projector and atlas: only the first N rows"
    )
    parser.add_argument(
        "--method", choices=("pca", "tsne", "umap"), help="atlas: the projection; default: pca"
    )
    parser.add_argument(
        "--neighbors", type=int, metavar="N", help="atlas: neighbours per row; default: 15"
    )
    add_quiet(parser)


def options_of(arguments: argparse.Namespace) -> dict[str, object]:
    """Return the options that were given, all of which must belong to the format."""
    known = {"projector": {"limit"}, "atlas": {"limit", "method", "neighbors"}}
    options = {}
    for name in ("limit", "method", "neighbors"):
        value = getattr(arguments, name)
        if value is None:
            continue
        if name not in known.get(arguments.to, set()):
            arguments.parser.error(f"--{name} is not an option of {arguments.to}")
        options[name] = value
    return options


def run(arguments: argparse.Namespace) -> int:
    """Read, check and write."""
    from ..exports import export_atlas, export_projector
    from ..formats import save_vectors
    from .train import check_output

    options = options_of(arguments)
    if arguments.to != "projector":
        check_output(Path(arguments.output))
    vectors = open_vectors(arguments.input)
    if arguments.to == "bitsense":
        vectors.save(arguments.output)
    elif arguments.to == "projector":
        export_projector(vectors, arguments.output, **options)  # type: ignore[arg-type]
    elif arguments.to == "atlas":
        export_atlas(vectors, arguments.output, **options)  # type: ignore[arg-type]
    else:
        save_vectors(vectors, arguments.output, arguments.to)
    say(arguments, f"{arguments.output}: {arguments.to}, {vectors!r}")
    return 0
