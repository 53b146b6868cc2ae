"""`bitsense train`: learn a model from text and save it."""

from __future__ import annotations

import argparse
import importlib
import inspect
import itertools
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from .common import add_field, add_quiet, check_field, local_paths, say
from .vectors import open_model

HELP = "Learn a model from text and save it."
DEFAULT = "binary-paragraph-vector"
TYPES = {"int": int, "float": float, "str": str}
NOT_OPTIONS = {"self", "tokenizer", "progress"}  # objects, which the command line makes itself
NONE_IS_NONE = {"subwords", "freeze", "max_vocabulary"}  # elsewhere None is a value chosen later
BY_MODE = {"epochs", "objective"}  # by the mode of a paragraph vector
NEIGHBOURS = 10  # that a certificate asks for
ALIASES = {
    "binary-pv": "binary-paragraph-vector",
    "pv": "paragraph-vector",
    "real-binary": "real-binary-paragraph-vector",
}


class Trained(NamedTuple):
    """What a name of a model stands for."""

    module: str
    class_name: str
    fixed: dict[str, Any]
    """Parameters that the name decides, which are no options."""


MODELS = {
    "binary-paragraph-vector": Trained("models", "BinaryParagraphVector", {}),
    "paragraph-vector": Trained("models", "ParagraphVector", {}),
    "real-binary-paragraph-vector": Trained("models", "RealBinaryParagraphVector", {}),
    "skip-gram": Trained("word_models", "Word2Vec", {"mode": "skip-gram"}),
    "cbow": Trained("word_models", "Word2Vec", {"mode": "cbow"}),
    "senses": Trained("word_models", "DisambiguatedSkipGram", {}),
}


def class_of(name: str) -> Any:
    """Return the class that a model name stands for."""
    return getattr(
        importlib.import_module(f"bitsense.{MODELS[name].module}"), MODELS[name].class_name
    )


def options_of(name: str) -> dict[str, inspect.Parameter]:
    """Return the parameters of a model that are options."""
    return {
        parameter: about
        for parameter, about in parameters(class_of(name)).items()
        if parameter not in MODELS[name].fixed
    }


def model_name(text: str) -> str:
    """Return the full name of a model, which may be given by a short one."""
    return ALIASES.get(text, text)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of the command, of the tokeniser and of every model."""
    from ..text import Tokenizer

    parser.add_argument(
        "input",
        nargs="+",
        metavar="INPUT",
        help="text or JSON Lines, gzip or not; - is stdin. Or one file of 'bitsense corpus', whose "
        "tokeniser, --min-count and --max-vocabulary hold where they are not given",
    )
    parser.add_argument("--output", "-o", required=True, metavar="FILE", help="the model")
    parser.add_argument(
        "--model",
        choices=MODELS,
        type=model_name,
        default=DEFAULT,
        help=f"binary-pv, pv and real-binary are short for the first three; default: {DEFAULT}",
    )
    parser.add_argument(
        "--start",
        metavar="VECTORS",
        help="skip-gram and cbow: begin with these vectors (or model), in any format that is read",
    )
    parser.add_argument(
        "--held-out",
        type=float,
        metavar="SHARE",
        help="binary-paragraph-vector and paragraph-vector: leave this share of the documents out "
        "of the training, chosen by --seed and their place, and measure on it what the codes are "
        "worth; the file keeps the numbers. 0.05 is a good share of some thousand documents",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="save the training there while it runs, and go on from it where it is there: the same "
        "command, run again after an interruption, gives the model of an unbroken run. The file is "
        "removed when the model has been saved",
    )
    parser.add_argument(
        "--checkpoint-every",
        type=float,
        metavar="SECONDS",
        help="between two saves of the training; default: 300",
    )
    add_field(parser)
    add_quiet(parser)
    tokeniser = parser.add_argument_group("options of the tokeniser")
    for name, about in parameters(Tokenizer).items():
        add_option(tokeniser, name, about, f"default: {shown(name, about.default)}")
    group = parser.add_argument_group("options of the models")
    options = {model: options_of(model) for model in MODELS}
    for name in dict.fromkeys(name for own in options.values() for name in own):
        having = {model: own[name] for model, own in options.items() if name in own}
        add_option(group, name, next(iter(having.values())), describe(name, having))


def shown(name: str, default: Any) -> str:
    """Return a default as help shows it."""
    if default is None:
        if name in BY_MODE:
            return "by --mode"
        return "none" if name in NONE_IS_NONE else "automatic"
    return str(default)


def describe(name: str, having: dict[str, inspect.Parameter]) -> str:
    """Return the help of an option: which models have it, and what they do without it."""
    by_default: dict[str, list[str]] = {}
    for model, about in having.items():
        by_default.setdefault(shown(name, about.default), []).append(model)
    if len(by_default) == 1:
        text = f"default: {next(iter(by_default))}"
        return text if len(having) == len(MODELS) else f"{', '.join(having)}; {text}"
    each = (f"{default} ({', '.join(models)})" for default, models in by_default.items())
    return f"default: {', '.join(each)}"


def parameters(cls: type) -> dict[str, inspect.Parameter]:
    """Return the parameters of a constructor that can be options."""
    signature = inspect.signature(cls)
    return {name: p for name, p in signature.parameters.items() if name not in NOT_OPTIONS}


def add_option(group: Any, name: str, about: inspect.Parameter, help_text: str) -> None:
    """Add the option for a parameter of a constructor."""
    how: dict[str, Any] = {"type": option_type(about), "metavar": "VALUE"}
    if isinstance(about.default, bool):
        how = {"action": argparse.BooleanOptionalAction}
    group.add_argument(
        f"--{name.replace('_', '-')}",
        dest=name,
        default=argparse.SUPPRESS,
        help=help_text.replace("%", "%%"),
        **how,
    )


def int_pair(text: str) -> tuple[int, int]:
    """Return two integers written as ``3,6``."""
    first, comma, second = text.partition(",")
    try:
        if comma:
            return int(first), int(second)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"must be two integers like 3,6, got {text!r}")


def option_type(parameter: inspect.Parameter) -> Any:
    """Return the type of a parameter from its default, or else from its annotation."""
    if type(parameter.default) in (int, float, str):
        return type(parameter.default)
    names = str(parameter.annotation).replace(" ", "").split("|")
    if "tuple[int,int]" in names:
        return int_pair
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


def checked_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the chosen model; others must not have been given."""
    own = options_of(arguments.model)
    for other in MODELS:
        for name in options_of(other):
            if name in arguments and name not in own:
                flag = f"--{name.replace('_', '-')}"
                arguments.parser.error(f"{flag} is not an option of {arguments.model}")
    if arguments.start is not None and MODELS[arguments.model].class_name != "Word2Vec":
        arguments.parser.error(f"--start is not an option of {arguments.model}")
    if arguments.held_out is not None:
        if not hasattr(class_of(arguments.model), "certificate"):
            arguments.parser.error(f"--held-out is not an option of {arguments.model}")
        if not 0 < arguments.held_out < 1:
            arguments.parser.error(
                f"--held-out must be more than 0 and less than 1, got {arguments.held_out}"
            )
    if arguments.checkpoint_every is not None and arguments.checkpoint is None:
        arguments.parser.error("--checkpoint-every needs --checkpoint")
    return {name: getattr(arguments, name) for name in own if name in arguments}


def checkpoint_of(arguments: argparse.Namespace) -> Any:
    """Return where the training is to be saved, or None; the file is kept until the model is."""
    from ..checkpoints import Checkpoint, check_checkpoint

    if arguments.checkpoint is None:
        return None
    given = arguments.checkpoint_every
    every = Checkpoint.every if given is None else given
    return check_checkpoint(Checkpoint(arguments.checkpoint, every, keep=True))


def run(arguments: argparse.Namespace) -> int:
    """Train and save."""
    from ..checkpoints import remove_checkpoint
    from ..text import TextFiles, Tokenizer

    options = checked_options(arguments)
    check_field(arguments, arguments.input)
    output = Path(arguments.output)
    check_output(output)
    corpus = encoded(arguments)
    cutting = chosen(arguments, Tokenizer)
    if corpus is None or cutting:
        options["tokenizer"] = Tokenizer(**cutting)
    if corpus is not None:
        options = {**corpus.options, **options}
    model = class_of(arguments.model)(
        **MODELS[arguments.model].fixed, **options, progress=False if arguments.quiet else None
    )
    more = {} if arguments.start is None else {"start": open_model(arguments.start)}
    checkpoint = checkpoint_of(arguments)
    if checkpoint is not None and Path(checkpoint.path).exists():
        say(arguments, f"{checkpoint.path}: going on with the training that was saved there")
    begin = time.perf_counter()
    with local_paths(arguments.input) as paths:
        documents = TextFiles(paths, field=arguments.field)
        if arguments.held_out is None:
            model.fit(documents if corpus is None else corpus, checkpoint=checkpoint, **more)
        else:
            held = held_out(documents, arguments, model.seed)
            model.fit(held.others(), checkpoint=checkpoint)
        seconds = time.perf_counter() - begin
        model.save(output)
        say(
            arguments,
            f"{output}: {type(model).__name__} of {model.n_documents_:,} documents, "
            f"{len(model.vocabulary_):,} words, trained in {seconds:.1f} s, "
            f"{output.stat().st_size:,} bytes",
        )
        if arguments.held_out is not None:
            certificate = certified(model, held)
            model.save(output)
            say(arguments, f"\n{certificate}")
    if checkpoint is not None:
        remove_checkpoint(checkpoint)
    return 0


def encoded(arguments: argparse.Namespace) -> Any:
    """Return the corpus that the input is, or None where it is text."""
    from ..text import EncodedCorpus

    names = arguments.input
    if not any(name != "-" and is_own(Path(name)) for name in names):
        return None
    if len(names) > 1:
        raise ValueError(f"INPUT must be text or one encoded corpus, got {len(names)} files")
    for name in ("field", "held_out"):
        if getattr(arguments, name) is not None:
            flag = f"--{name.replace('_', '-')}"
            raise ValueError(f"{flag} needs text, {names[0]} is an encoded corpus")
    return EncodedCorpus.load(names[0])


def is_own(path: Path) -> bool:
    """Return whether a file is one of bitsense's."""
    from ..files import MAGIC

    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def certified(model: Any, held: Any) -> Any:
    """Measure a model on held-out documents; ITQ is fitted to as many others as it needs."""
    from .._certify import FIT_ROWS

    step = -(-model.n_documents_ // FIT_ROWS)
    training = itertools.islice(held.others(), 0, None, step)
    return model.certificate(held, training=training, seed=model.seed)


def held_out(documents: Any, arguments: argparse.Namespace, seed: Any) -> Any:
    """Return the documents that are left out of the training, if they are enough."""
    from .._check import check_seed
    from .._held_out import HeldOut

    held = HeldOut(documents, arguments.held_out, check_seed(seed))
    count = sum(1 for _ in held)
    if count <= NEIGHBOURS:
        raise ValueError(
            f"--held-out must leave at least {NEIGHBOURS + 1} documents out of the training, "
            f"{arguments.held_out} leaves {count}"
        )
    return held
