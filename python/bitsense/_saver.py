"""One training on its way into a file of kind "checkpoint", and out of it again.

The header has `training`, what must be the same for the training to go on: `version`, `level`,
`class`, `parameters`, `documents` and `tokens` (how many), `vocabulary` and `corpus` (checksums of
their arrays) and `start`, that of the tables it began with where these were given, else null;
`part`, which of two trainings it is (0 or 1); and the position: `blocks` that are done, `words`
that were read, and of documents the `epoch`, from 0, and the blocks `before` it. The arrays are
`losses` and `targets` (float64, a sum for each epoch that was begun), and the tables by their
names, whose rows are padded with zeros.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from . import _core, files
from .checkpoints import Checkpoint, check_checkpoint, remove_checkpoint
from .errors import FormatError

if TYPE_CHECKING:
    from .text import Corpus, Vocabulary

__all__ = ["Saver", "about"]

AnyArray = npt.NDArray[Any]
Tables = Mapping[str, AnyArray]
Report = Callable[[int, float, int, float], None]

# Parameters that say what is done with a model that has been learned.
_LATER = frozenset(("infer_epochs", "on_unknown", "prune"))


class Saver(AbstractContextManager["Saver"]):
    """Saves a training and restores it; without a checkpoint it does neither.

    As a context it saves the training when an exception leaves it.

    Parameters
    ----------
    checkpoint : as given to `fit`
    about : dict
        The entry `training` of the header, but for `start`.

    Raises
    ------
    ValueError
        If the file there is of another training.
    FormatError, OSError
        If it is no checkpoint or cannot be read.
    """

    def __init__(self, checkpoint: Any, about: dict[str, Any]) -> None:
        self._to: Checkpoint | None = check_checkpoint(checkpoint)
        self._about = {**about, "start": None}
        self._header: dict[str, Any] = {}
        self._arrays: dict[str, AnyArray] = {}  # of the file, until they are restored
        self._part = 0
        self._position = _core.Position()
        self._tables: Callable[[], Tables] = dict
        self._beside: Tables = {}
        self._names: frozenset[str] | None = None  # of the tables, once the part has begun
        self._stopped: BaseException | None = None
        self._saved = 0.0
        if self._to is not None and Path(self._to.path).exists():
            self._header, self._arrays = files.read_file(self._to.path, "checkpoint")

    @property
    def is_active(self) -> bool:
        """Whether there is a checkpoint."""
        return self._to is not None

    # Going on

    def start_with(self, tables: Tables) -> None:
        """Take note that the training begins with tables that were given."""
        if self.is_active:
            self._about["start"] = _checksum(*tables.values())

    def found(self, part: int) -> Tables:
        """Return the tables of the file if they are of this part of the training, else none."""
        if not self._header:
            return {}
        with self._naming():
            self._require_same()
            return self._arrays if self._part_of_file() == part else {}

    def begin(
        self,
        position: _core.Position,
        tables: Callable[[], Tables],
        *,
        part: int = 0,
        beside: Tables | None = None,
    ) -> None:
        """Begin a part of the training: restore its tables and position, or save them at once.

        `tables` is asked for the tables whenever they are needed; `beside` does not change.
        """
        self._position, self._tables, self._part = position, tables, part
        self._beside, self._names = beside or {}, None
        if not self.is_active:
            return
        names = frozenset(tables())
        saved = self.found(part)
        if saved:
            with self._naming():
                self._restore(saved, tables())
            self._saved = time.monotonic()
            self._names = names
        else:
            self._names = names
            self.save()
        self._header, self._arrays = {}, {}

    def now(self, tables: Callable[[], Tables]) -> None:
        """Say where the tables are from now on."""
        self._tables = tables

    def _restore(self, saved: Tables, tables: Tables) -> None:
        epochs = len(files.require_array(dict(saved), "losses", "float64", None))
        for name, table in tables.items():
            table[...] = files.require_array(dict(saved), name, table.dtype.name, *table.shape)
        targets = files.require_array(dict(saved), "targets", "float64", epochs)
        for name in ("blocks", "words", "epoch", "before"):
            count = files.require_field(self._header, name, int)
            if not 0 <= count < 2**63:
                raise FormatError(f"corrupt: {name!r} of the header must be a count, got {count}")
            setattr(self._position, name, count)
        self._position.losses = saved["losses"].tolist()
        self._position.targets = targets.tolist()

    def _part_of_file(self) -> int:
        part = files.require_field(self._header, "part", int)
        if part not in (0, 1):
            raise FormatError(f"corrupt: 'part' of the header must be 0 or 1, got {part}")
        return int(part)

    def _require_same(self) -> None:
        training = files.require_field(self._header, "training", dict)
        different = _difference(training, self._about)
        if different:
            raise ValueError(
                f"the checkpoint is of another training: {different}; remove the file to begin anew"
            )

    def _naming(self) -> Any:
        assert self._to is not None
        return _Naming(self._to.path)

    # Saving

    def watch(self, report: Report | None) -> Report | None:
        """Return what the engine is to call: it reports, and saves when it is time."""
        if self._to is None:
            return report
        every = self._to.every

        def watched(epoch: int, fraction: float, words: int, loss: float) -> None:
            if report is not None:
                report(epoch, fraction, words, loss)
            if time.monotonic() - self._saved >= every:
                self.save()

        return watched

    def save(self) -> None:
        """Save the training as it is now."""
        assert self._to is not None
        tables, position = self._tables(), self._position
        if frozenset(tables) != self._names:  # an interrupt came while they changed hands
            return
        position.arrange_tables()
        header = {
            "training": self._about,
            "part": self._part,
            "blocks": position.blocks,
            "words": position.words,
            "epoch": position.epoch,
            "before": position.before,
        }
        sums = {
            "losses": np.array(position.losses, np.float64),
            "targets": np.array(position.targets, np.float64),
        }
        files.write_file(self._to.path, "checkpoint", header, {**sums, **tables, **self._beside})
        self._saved = time.monotonic()

    def stopped(self, error: BaseException | None) -> BaseException | None:
        """Save a training that an error stopped; return the error, or what the saving raised."""
        if error is None or error is self._stopped or self._names is None:
            return error
        self._stopped = error
        try:
            self.save()
        except (OSError, KeyboardInterrupt) as failure:
            failure.__cause__ = error
            self._stopped = failure
        return self._stopped

    def finish(self) -> None:
        """Save the end of the training if the file is to be kept, or else remove the file."""
        if self._to is not None and self._to.keep:
            self.save()
            self._names = None
        else:
            self.discard()

    def discard(self) -> None:
        """Remove the file, which is needed no more or leads nowhere."""
        self._names = None
        if self._to is not None:
            remove_checkpoint(self._to)

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        raised = self.stopped(error)
        if raised is not error and raised is not None:
            raise raised


class _Naming(AbstractContextManager[None]):
    """Puts the name of the file before the message of an error about it."""

    def __init__(self, path: files.Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, *_: object) -> None:
        if isinstance(error, ValueError):
            name = os.fsencode(self._path).decode("utf-8", "backslashreplace")
            raise type(error)(f"{name}: {error}") from None


def about(
    name: str, recipe: Mapping[str, Any], vocabulary: Vocabulary, corpus: Corpus
) -> dict[str, Any]:
    """Return what must be the same for a training to go on, but for what it starts with."""
    return {
        "version": _core.__version__,
        "level": _core.level(),
        "class": name,
        "parameters": {key: value for key, value in recipe.items() if key not in _LATER},
        "documents": corpus.n_documents,
        "tokens": corpus.n_tokens,
        "vocabulary": _checksum(*vocabulary.to_arrays()),
        "corpus": _checksum(corpus.ids, corpus.offsets),
    }


def _checksum(*arrays: AnyArray) -> str:
    """Return a checksum of arrays, 16 hexadecimal digits each."""
    parts = [np.ascontiguousarray(array).reshape(-1).view(np.uint8) for array in arrays]
    return "".join(f"{_core.crc64(part):016x}" for part in parts)


def _difference(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Say in what two trainings differ; nothing where they do not."""
    for name, what in (("version", "bitsense"), ("class", "the model")):
        if then.get(name) != now[name]:
            return f"{what} was {then.get(name)} and is {now[name]}"
    # Levels with fused multiply-add give the same bytes as each other.
    if (then.get("level") == "baseline") != (now["level"] == "baseline"):
        return f"the instruction-set level was {then.get('level')} and is {now['level']}"
    old = then.get("parameters")
    old = old if isinstance(old, dict) else {}
    for name, value in now["parameters"].items():
        if name not in old or old[name] != value:
            return f"`{name}` was {old.get(name)!r} and is {value!r}"
    for name in ("documents", "tokens"):
        if then.get(name) != now[name]:
            return f"it had {then.get(name)} {name} and has {now[name]}"
    for name, what in (
        ("vocabulary", "the words of the documents or their counts are others"),
        ("corpus", "the documents are others"),
        ("start", "what it starts from is another"),
    ):
        if then.get(name) != now[name]:
            return what
    return ""
