"""Text on disk to a vocabulary and ids: megabytes per CPU second, beside gensim's vocabulary scan.

    python benchmarks/ingestion.py [--data ../shared/data/wiki_articles.txt.xz] [--json PATH]

The text is unpacked to a temporary file first and read from the system's cache. gensim counts its
words (`Word2Vec.build_vocab(corpus_file=...)`), and has to read and look them up again in every
epoch; `build_corpus` counts, ranks and encodes them; `encode_corpus` writes them to a file, too.
Beside them: what loading that file takes, a training of one epoch from the text and from the file,
and the limits: how fast this machine reads memory, and this file.

The contestants take turns, and medians of the rounds are shown; CPU seconds are those of all
threads of the process, the system's own work for it included. `ratio_to_gensim` is the median of
the ratios of the rounds, per byte and CPU second. `same_counts` says whether the counts of a part
of the text are those of plain Python, `Counter(text.split())`, and `words` is the size of the
vocabulary, so that a scan that counts something else would show. Memory is the peak of a process of
its own.
"""

from __future__ import annotations

import lzma
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from common import Row, finish, interleaved, measured_step, one_thread_each, parser, timer

one_thread_each(1)

from bitsense import _core  # noqa: E402
from bitsense.text import EncodedCorpus, Tokenizer, build_corpus, encode_corpus  # noqa: E402
from bitsense.word_models import Word2Vec  # noqa: E402

COLUMNS = ("name", "threads", "mb_per_cpu_s", "mb_per_wall_s", "ratio_to_gensim", "words", "tokens",
           "same_counts", "peak_mb", "start_mb", "rounds")  # fmt: skip
MIN_COUNT = 5
SAMPLE = 20_000_000  # bytes that plain Python counts
Outcome = tuple[int, int | None]  # words of the vocabulary, ids


def unpack(packed: Path, target: Path, size: int | None) -> None:
    """Write the text, or its first whole lines of `size` bytes together."""
    opened = lzma.open if packed.suffix == ".xz" else open
    with opened(packed, "rb") as source, target.open("wb") as file:
        if size is None:
            shutil.copyfileobj(source, file, 1 << 20)
        else:
            file.write(b"".join(source.readlines(size)))


def build(path: str, threads: int, folder: str) -> Outcome:
    """Encode in memory."""
    vocabulary, corpus = build_corpus(
        Path(path), tokenizer=Tokenizer(), min_count=MIN_COUNT, threads=threads
    )
    return len(vocabulary), corpus.n_tokens


def encode(path: str, threads: int, folder: str) -> Outcome:
    """Encode to a file."""
    corpus = encode_corpus(
        Path(path), Path(folder) / f"{threads}.bitsense", tokenizer=Tokenizer(),
        min_count=MIN_COUNT, threads=threads,
    )  # fmt: skip
    return len(corpus.vocabulary), corpus.n_tokens


def gensim_scan(path: str, threads: int, folder: str) -> Outcome:
    """Count words as gensim does before it trains."""
    import gensim.models

    model = gensim.models.Word2Vec(min_count=MIN_COUNT, workers=threads)
    model.build_vocab(corpus_file=path)
    return len(model.wv), None


def load(path: str, threads: int, folder: str) -> Outcome:
    """Map the encoded file after checking all of it."""
    corpus = EncodedCorpus.load(Path(folder) / "1.bitsense")
    return len(corpus.vocabulary), corpus.n_tokens


def load_unverified(path: str, threads: int, folder: str) -> Outcome:
    """Map the encoded file."""
    corpus = EncodedCorpus.load(Path(folder) / "1.bitsense", verify=False)
    return len(corpus.vocabulary), corpus.n_tokens


def train_text(path: str, threads: int, folder: str) -> Outcome:
    """Train one epoch from the text."""
    model = word2vec(threads, tokenizer=Tokenizer(), min_count=MIN_COUNT).fit(Path(path))
    return len(model.vocabulary_), None


def train_corpus(path: str, threads: int, folder: str) -> Outcome:
    """Train one epoch from the encoded file, loading it included."""
    corpus = EncodedCorpus.load(Path(folder) / "1.bitsense")
    model = word2vec(threads, **corpus.options).fit(corpus)
    return len(model.vocabulary_), corpus.n_tokens


def word2vec(threads: int, **options: Any) -> Word2Vec:
    """Return the model whose training is timed."""
    return Word2Vec(dim=100, epochs=1, seed=1, threads=threads, progress=False, **options)


def read_file(path: str, threads: int, folder: str) -> Outcome:
    """Read the text into one block of memory, again and again."""
    block = bytearray(1 << 17)
    with Path(path).open("rb", buffering=0) as file:
        while file.readinto(block):
            pass
    return 0, None


STEPS: dict[str, tuple[Callable[[str, int, str], Outcome], int]] = {
    "build_corpus": (build, 1),
    "build_corpus, two threads": (build, 2),
    "encode_corpus": (encode, 1),
    "encode_corpus, two threads": (encode, 2),
    "gensim, build_vocab": (gensim_scan, 1),
    "load": (load, 1),
    "load, verify=False": (load_unverified, 1),
    "train, one epoch of text": (train_text, 1),
    "train, one epoch of the file": (train_corpus, 1),
    "read the text": (read_file, 1),
}
IN_PROCESSES = ("build_corpus", "build_corpus, two threads", "encode_corpus", "gensim, build_vocab")


def same_counts(path: Path, size: int) -> bool:
    """Return whether the counts of a part of the text are those of plain Python."""
    with path.open("rb") as file:
        text = b"".join(file.readlines(size)).decode()
    vocabulary, corpus = build_corpus([text], tokenizer=Tokenizer(), min_count=1, threads=1)
    found = dict(zip(vocabulary, vocabulary.counts.tolist(), strict=True))
    in_order = [vocabulary.word(int(i)) for i in corpus.ids[:100_000]]
    return found == Counter(text.split()) and in_order == text.split(None, 100_000)[:100_000]


def memory_rate(path: Path) -> float:
    """Return how fast a loop reads the text where it lies in memory, in bytes per second."""
    data = np.fromfile(path, np.uint8)
    words = data[: data.size // 8 * 8]
    rates = []
    for _ in range(3):
        with timer() as taken:
            _core.read_words(words)
        rates.append(words.nbytes / max(taken.cpu_s, 1e-9))
    return float(np.median(rates))


def row_of(name: str, runs: list[tuple[float, float, Outcome]], size: int) -> Row:
    """Return the medians of the rounds of one contestant."""
    cpu, wall = (float(np.median([run[i] for run in runs])) for i in (0, 1))
    words, tokens = runs[0][2]
    return {
        "name": name,
        "threads": STEPS[name][1],
        "mb_per_cpu_s": size / max(cpu, 1e-9) / 1e6,
        "mb_per_wall_s": size / wall / 1e6,
        "cpu_s": cpu,
        "wall_s": wall,
        "words": words or None,
        "tokens": tokens,
        "rounds": len(runs),
    }


def main() -> None:
    """Print a row per contestant and the limits."""
    arguments = parser(__doc__, data="wiki_articles.txt.xz", threads=False)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--megabytes", type=int, help="only so much of the text")
    options = arguments.parse_args()
    size = 2_000_000 if options.quick else None
    if options.megabytes is not None:
        size = options.megabytes * 1_000_000
    names = [name for name in STEPS if not name.startswith("gensim") or find_spec("gensim")]
    if find_spec("gensim"):
        import gensim.models  # noqa: F401 - so that nobody's time has its import
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        unpack(Path(options.data), path, size)
        encode(str(path), 1, folder)
        runs: dict[str, list[tuple[float, float, Outcome]]] = {name: [] for name in names}
        for _, name in interleaved(names, 1 if options.quick else options.rounds):
            step, threads = STEPS[name]
            with timer() as taken:
                outcome = step(str(path), threads, folder)
            runs[name].append((taken.cpu_s, taken.wall_s, outcome))
        rows = [row_of(name, runs[name], path.stat().st_size) for name in names]
        theirs = [run[0] for run in runs.get("gensim, build_vocab", [])]
        for row in rows:
            name = row["name"]
            if theirs and name.startswith(("build", "encode", "gensim")):
                ratios = [cpu / run[0] for cpu, run in zip(theirs, runs[name], strict=True)]
                row["ratio_to_gensim"] = float(np.median(ratios))
            if name in IN_PROCESSES:
                step, threads = STEPS[name]
                row.update(measured_step(step, str(path), threads, folder)[1])
        rows[0]["same_counts"] = same_counts(path, SAMPLE)
        rate = memory_rate(path) / 1e6
    rows.append({"name": "read memory", "threads": 1, "mb_per_cpu_s": rate, "rounds": 3})
    finish(rows, options, COLUMNS)


if __name__ == "__main__":
    main()
