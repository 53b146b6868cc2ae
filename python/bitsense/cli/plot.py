"""`bitsense plot`: a picture of words, their senses and neighbours."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from .common import add_quiet, say
from .vectors import FILE_HELP, open_vectors

HELP = "Draw the senses of words and their neighbours in two dimensions."


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help=FILE_HELP)
    parser.add_argument("word", nargs="+", metavar="WORD", help="words, or senses like bank#2")
    parser.add_argument(
        "--output", "-o", required=True, metavar="PICTURE", help=".png, .pdf or .svg"
    )
    parser.add_argument("-k", type=int, default=10, help="neighbours of each; default: 10")
    parser.add_argument(
        "--method", choices=("pca", "tsne", "umap"), default="pca", help="default: pca"
    )
    parser.add_argument(
        "--restrict", type=int, metavar="N", help="only the first N rows of FILE can be neighbours"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="default: 0")
    parser.add_argument(
        "--dpi", type=int, default=150, metavar="N", help="of a PNG picture; default: 150"
    )
    add_quiet(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw and save."""
    from .._replace import replacing
    from ..plots import plot_senses
    from .train import check_output

    output = Path(arguments.output)
    kind = output.suffix.removeprefix(".").lower()
    if kind not in ("png", "pdf", "svg"):
        arguments.parser.error(f"PICTURE must end in .png, .pdf or .svg, got {str(output)!r}")
    check_output(output)
    ax = plot_senses(
        open_vectors(arguments.file),
        arguments.word,
        k=arguments.k,
        method=arguments.method,
        seed=arguments.seed,
        restrict_to=arguments.restrict,
    )
    # Without a date the same vectors give the same bytes.
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    picture = io.BytesIO()
    ax.figure.savefig(picture, format=kind, dpi=arguments.dpi, metadata=metadata)
    with replacing(output, binary=True) as file:
        file.write(picture.getvalue())
    say(arguments, f"{output}: {len(picture.getvalue()):,} bytes")
    return 0
