"""`bitsense train`: learn a model from text and save it."""

from __future__ import annotations

import argparse
import inspect
import os
import time
from pathlib import Path
from typing import Any

from .common import add_field, add_quiet, check_field, local_paths, say

HELP = "Learn a model from text and save it."
MODELS = {
    "binary-paragraph-vector": "BinaryParagraphVector",
    "paragraph-vector": "ParagraphVector",
}
DEFAULT = "binary-paragraph-vector"
TYPES = {"int": int, "float": float, "str": str}
NOT_OPTIONS = {"self", "tokenizer", "progress"}  # objects, which the command line makes itself


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the command, of the tokeniser and of every model."""
    from .. import models
    from ..text import Tokenizer

    parser.add_argument(
        "input", nargs="+", metavar="INPUT", help="text or JSON Lines, gzip or not; - is stdin"
    )
    parser.add_argument("--output", "-o", required=True, metavar="FILE", help="the model")
    parser.add_argument("--model", choices=MODELS, default=DEFAULT, help=f"default: {DEFAULT}")
    add_field(parser)
    add_quiet(parser)
    add_parameters(parser.add_argument_group("options of the tokeniser"), Tokenizer)
    group = parser.add_argument_group("options of the models")
    for name, class_name in MODELS.items():
        others = [other for other in MODELS.values() if other != class_name]
        own = set(parameters(getattr(models, class_name)))
        shared = all(own == set(parameters(getattr(models, other))) for other in others)
        add_parameters(group, getattr(models, class_name), "" if shared else name)


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of a constructor that can be options."""
    signature = inspect.signature(cls)
    return {name: p for name, p in signature.parameters.items() if name not in NOT_OPTIONS}


def add_parameters(group: Any, cls: type, of: str = "") -> None:
    """Add an option for each parameter of a constructor that another class has not added yet."""
    known = {action.dest for action in group._group_actions}
    for name, parameter in parameters(cls).items():
        if name in known:
            continue
        flag = f"--{name.replace('_', '-')}"
        default = parameter.default
        help_text = f"default: {'automatic' if default is None else default}"
        if isinstance(default, bool):
            group.add_argument(
                flag,
                dest=name,
                action=argparse.BooleanOptionalAction,
                default=argparse.SUPPRESS,
                help=help_text,
            )
            continue
        group.add_argument(
            flag,
            dest=name,
            type=option_type(parameter),
            default=argparse.SUPPRESS,
            metavar="VALUE",
            help=help_text,
        )


def option_type(parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter from its default, or else from its annotation."""
    if type(parameter.default) in (int, float, str):
        return type(parameter.default)
    names = str(parameter.annotation).replace(" ", "").split("|")
    return next((TYPES[name] for name in names if name in TYPES), str)


def chosen(arguments: argparse.Namespace, cls: type) -> dict[str, Any]:
    """Return the parameters of a class that were given as options."""
    return {name: getattr(arguments, name) for name in parameters(cls) if name in arguments}


def check_output(path: Path) -> None:
    """Raise OSError if a file cannot be written there: better now than after the training."""
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(2, "No such folder", str(folder))
    if path.is_dir():
        raise IsADirectoryError(21, "Is a directory", str(path))
    if not os.access(folder, os.W_OK):
        raise PermissionError(13, "Permission denied", str(folder))


def run(arguments: argparse.Namespace) -> int:
    """Train and save."""
    from .. import models
    from ..text import TextFiles, Tokenizer

    cls = getattr(models, MODELS[arguments.model])
    options = chosen(arguments, cls)
    for other in MODELS.values():
        for name in chosen(arguments, getattr(models, other)):
            if name not in options:
                flag = f"--{name.replace('_', '-')}"
                arguments.parser.error(f"{flag} is not an option of {arguments.model}")
    check_field(arguments, arguments.input)
    output = Path(arguments.output)
    check_output(output)
    tokenizer = Tokenizer(**chosen(arguments, Tokenizer))
    model = cls(**options, tokenizer=tokenizer, progress=False if arguments.quiet else None)
    begin = time.perf_counter()
    with local_paths(arguments.input) as paths:
        model.fit(TextFiles(paths, field=arguments.field))
    seconds = time.perf_counter() - begin
    model.save(output)
    say(
        arguments,
        f"{output}: {type(model).__name__} of {model.n_documents_:,} documents, "
        f"{len(model.vocabulary_):,} words, trained in {seconds:.1f} s, "
        f"{output.stat().st_size:,} bytes",
    )
    return 0
