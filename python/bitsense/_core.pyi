import enum
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

__version__: str

class FormatError(ValueError): ...

# kernels
_Floats: TypeAlias = npt.NDArray[np.float32]
_Ids: TypeAlias = npt.NDArray[np.uint32]
_Sizes: TypeAlias = npt.NDArray[np.uint64]

def level() -> str: ...
def levels() -> list[str]: ...
def kernel_multiply(
    level: str, a: _Floats, b: _Floats, start: _Floats | None = None, rounded: bool = False
) -> _Floats: ...
def kernel_find_runs(
    level: str, text: bytes, behind: int, lower: bool, digits: bool
) -> tuple[list[tuple[int, int]], bytes]: ...
def kernel_dots(level: str, h: _Floats, u: _Floats) -> _Floats: ...
def kernel_exp_tile(level: str, tile: _Floats, shift: _Floats) -> tuple[_Floats, _Floats]: ...
def kernel_logistic_tile(
    level: str, tile: _Floats, shift: _Floats, weight: _Floats, factor: _Floats
) -> tuple[_Floats, _Floats]: ...
def kernel_exp(level: str, x: _Floats) -> _Floats: ...
def kernel_logistic(level: str, x: _Floats) -> _Floats: ...
def kernel_adagrad(
    level: str, w: _Floats, squares: _Floats, g: _Floats, rate: float
) -> tuple[_Floats, _Floats]: ...
def kernel_descend(
    level: str,
    w: _Floats,
    factors: _Floats,
    rows: _Floats,
    start: _Floats | None = None,
    brake: float = 1.0,
    rate: float = 1.0,
) -> _Floats: ...
def kernel_pair_dots(
    level: str, in_: _Floats, out: _Floats, own: _Floats | None = None, half: bool = False
) -> _Floats: ...
def kernel_sampling_gradient(
    level: str, z: _Floats, weight: _Floats, label: _Floats, step: float, small: bool = False
) -> tuple[_Floats, float]: ...
def kernel_pair_update(
    level: str,
    in_: _Floats,
    out: _Floats,
    g: _Floats,
    move_in: bool = True,
    move_out: bool = True,
) -> tuple[_Floats, _Floats]: ...
def kernel_pair_pull(
    level: str,
    in_: _Floats,
    out: _Floats,
    columns: int,
    own_of: list[int],
    g: _Floats,
    move_out: bool = True,
) -> tuple[_Floats, _Floats]: ...
def kernel_means(
    level: str, table: _Floats, ids: list[int], windows: list[tuple[int, int, int, float]]
) -> _Floats: ...
def kernel_mixes(
    level: str,
    rows: _Floats,
    windows: list[tuple[int, int, int, float]],
    reach: int,
    table: _Floats,
    ids: list[int],
    begin: int,
) -> _Floats: ...
def benchmark_peak(level: str, n: int) -> float: ...
def benchmark_block(level: str, documents: int, noise: int, dim: int, rounds: int) -> float: ...

# train
class Objective(enum.Enum):
    sampled_softmax = 0
    negative_sampling = 1

class Optimizer(enum.Enum):
    adagrad = 0
    sgd = 1

class TrainOptions:
    objective: Objective
    optimizer: Optimizer
    epochs: int
    negatives: int
    run: int
    batch: int
    learning_rate: float
    document_rate: float
    context_rate: float
    projection_rate: float
    context: int
    round_words: bool
    subsample: float
    dropout: float
    seed: int
    threads: int
    deterministic: bool
    def __init__(self) -> None: ...

class WordOptions:
    dim: int
    epochs: int
    window: int
    negatives: int
    learning_rate: float
    subsample: float
    shrink_windows: bool
    gate_window: int
    gate_rate: float
    shared_gate_rate: float
    shared_until: float
    temperature: float
    annealed_after: float
    entropy_cost: float
    move_input: bool
    move_output: bool
    seed: int
    threads: int
    deterministic: bool
    def __init__(self) -> None: ...

class SenseTables:
    def __init__(
        self,
        input: _Floats,
        output: _Floats,
        gate: _Floats,
        gate_bias: _Floats,
        shared_gate: _Floats,
        shared_bias: _Floats,
        sense_offsets: _Sizes,
    ) -> None: ...

class Position:
    blocks: int
    words: int
    epoch: int
    before: int
    losses: list[float]
    targets: list[float]
    def __init__(self) -> None: ...
    def arrange_tables(self) -> None: ...

def train_senses(
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    tables: SenseTables,
    options: WordOptions,
    watch: Callable[[int, float, int, float], object] | None = None,
    level: str | None = None,
    position: Position | None = None,
    watch_every: float = 0.1,
) -> tuple[list[float], BaseException | None]: ...
def sense_priors(
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    tables: SenseTables,
    options: WordOptions,
    level: str | None = None,
) -> _Sizes: ...
def word_table(
    rows: int, dim: int, scale: float = 0.0, seed: int = 0, threads: int = 1
) -> _Floats: ...
def train_words(
    model: str,
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    input: _Floats,
    output: _Floats,
    options: WordOptions,
    watch: Callable[[int, float, int, float], object] | None = None,
    level: str | None = None,
    bag_ids: _Ids = ...,
    bag_offsets: _Sizes = ...,
    position: Position | None = None,
    watch_every: float = 0.1,
) -> tuple[list[float], BaseException | None]: ...
def word_plans(
    ids: _Ids, offsets: _Sizes, counts: _Sizes, options: WordOptions, run: int = 1
) -> list[dict[str, Any]]: ...
def subword_rows(
    vocabulary: Vocabulary, shortest: int, longest: int, buckets: int
) -> tuple[_Ids, _Sizes]: ...

class Shape:
    def __init__(self, dim: int, context: int = 0, word_dim: int = 0, bits: int = 0) -> None: ...
    def hidden(self, model: str) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def context(self) -> int: ...
    @property
    def word_dim(self) -> int: ...
    @property
    def bits(self) -> int: ...

class InitOptions:
    scale: float
    bias_power: float
    context_scale: float
    def __init__(self) -> None: ...

class InferOptions:
    objective: Objective
    negatives: int
    noise: int
    iterations: int
    learning_rate: float
    threads: int
    round_words: bool
    def __init__(self) -> None: ...

_Tables: TypeAlias = tuple[_Floats, _Floats, _Floats, _Floats, _Floats]

class TrainState:
    idf: list[float]
    def __init__(
        self,
        model: str,
        documents: int,
        counts: _Sizes,
        shape: Shape,
        init: InitOptions,
        options: TrainOptions,
    ) -> None: ...
    def tables(self) -> _Tables: ...
    def squares(self) -> _Tables: ...
    @property
    def position(self) -> Position: ...

def train(
    model: str,
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    shape: Shape,
    init: InitOptions,
    options: TrainOptions,
    watch: Callable[[int, float, int, float], object] | None = None,
    neighbors: _Ids | None = None,
    neighbor_weight: float = 0.0,
    level: str | None = None,
    state: TrainState | None = None,
    watch_every: float = 0.1,
) -> tuple[_Floats, _Floats, _Floats, _Floats, _Floats, list[float], BaseException | None]: ...
def inverse_frequencies(ids: _Ids, offsets: _Sizes, words: int) -> _Floats: ...
def plans(
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    options: TrainOptions,
    worker: int = 0,
    workers: int = 1,
    bags: bool = False,
    neighbors: _Ids | None = None,
    neighbor_weight: float = 0.0,
) -> list[dict[str, Any]]: ...
def infer(
    model: str,
    ids: _Ids,
    offsets: _Sizes,
    counts: _Sizes,
    output: _Floats,
    bias: _Floats,
    context: _Floats,
    projection: _Floats,
    idf: _Floats | None,
    shape: Shape,
    options: InferOptions,
    level: str | None = None,
) -> _Floats: ...

# text
def unicode_version() -> str: ...

class Tokenizer:
    def __init__(
        self,
        lowercase: bool,
        digits: bool,
        min_length: int,
        max_length: int,
        ngrams: int,
        stop_words: list[str],
    ) -> None: ...
    def split(self, text: str) -> list[str]: ...

class Vocabulary:
    def __len__(self) -> int: ...
    def find(self, word: bytes) -> int | None: ...
    def word(self, id: int) -> str: ...
    def to_arrays(
        self,
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64], npt.NDArray[np.uint64]]: ...
    @property
    def counts(self) -> npt.NDArray[np.uint64]: ...
    @staticmethod
    def from_arrays(
        bytes: npt.NDArray[np.uint8],
        offsets: npt.NDArray[np.uint64],
        counts: npt.NDArray[np.uint64],
    ) -> Vocabulary: ...

class LineReader:
    def __init__(self, descriptor: int, path: str, block_bytes: int) -> None: ...

class CorpusBuilder:
    def __init__(
        self, tokenizer: Tokenizer, threads: int, vocabulary: Vocabulary | None = None
    ) -> None: ...
    @staticmethod
    def in_file(
        tokenizer: Tokenizer, threads: int, path: bytes, header_bytes: int
    ) -> CorpusBuilder: ...
    def add_texts(self, documents: list[str]) -> None: ...
    def add_lines(self, lines: bytes, source: str, first_line: int) -> None: ...
    def add_file(self, reader: LineReader, bytes: int, source: str, first_line: int) -> bool: ...
    def add_tokens(self, documents: list[list[str]], cut: bool) -> None: ...
    def rank(self, min_count: int, min_count_ngrams: int, max_vocabulary: int) -> Vocabulary: ...
    def counts(self) -> tuple[int, int, int, int]: ...
    def drain(
        self,
    ) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint64], npt.NDArray[np.uint32]]: ...
    def save(self, header: bytes, vocabulary: list[npt.NDArray[np.uint8]]) -> None: ...
    def close(self) -> None: ...

class AliasTable:
    def __init__(self, weights: npt.NDArray[np.float64]) -> None: ...
    def probability(self, item: int) -> float: ...
    def probabilities(self) -> npt.NDArray[np.float64]: ...
    def sample(self, n: int, seed: int) -> npt.NDArray[np.uint32]: ...

# codes
def project(
    vectors: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    directions: npt.NDArray[np.float32],
    threads: int = 1,
) -> npt.NDArray[np.float32]: ...
def principal_axes(
    rows: _Floats, others: _Floats, counts: list[int], share: float, threads: int = 1
) -> tuple[_Floats, _Floats]: ...
def project_signs(
    vectors: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    directions: npt.NDArray[np.float32],
    threads: int = 1,
) -> npt.NDArray[np.uint8]: ...

# search
_Bitmap: TypeAlias = npt.NDArray[np.uint64]
_Codes: TypeAlias = npt.NDArray[np.uint8]
_Nearest: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]
_Within: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]

def hamming_search(
    codes: _Codes,
    queries: _Codes,
    bits: int,
    k: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
    ranks: _Ids | None = None,
) -> _Nearest: ...
def hamming_range_search(
    codes: _Codes,
    queries: _Codes,
    bits: int,
    radius: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
    ranks: _Ids | None = None,
) -> _Within: ...
def multi_build(
    codes: _Codes, bits: int, substrings: int | None = None, threads: int = 1
) -> tuple[_Ids, _Ids]: ...
def multi_check(offsets: _Ids, rows: _Ids) -> None: ...
def multi_search(
    codes: _Codes,
    offsets: _Ids,
    rows: _Ids,
    queries: _Codes,
    bits: int,
    k: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
    ranks: _Ids | None = None,
) -> _Nearest: ...
def multi_range_search(
    codes: _Codes,
    offsets: _Ids,
    rows: _Ids,
    queries: _Codes,
    bits: int,
    radius: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
    ranks: _Ids | None = None,
) -> _Within: ...

class Groups:
    def __init__(self, items: int) -> None: ...
    def join(self, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> None: ...
    def leaders(self) -> npt.NDArray[np.int64]: ...

def hamming_distances(
    queries: npt.NDArray[np.uint8],
    codes: npt.NDArray[np.uint8],
    bits: int,
    threads: int = 1,
    level: str | None = None,
) -> npt.NDArray[np.uint16]: ...
def rerank_cosine(
    query_vectors: npt.NDArray[np.float32],
    vectors: npt.NDArray[np.float32],
    shortlist: npt.NDArray[np.int64],
    k: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
def rerank_asymmetric(
    query_vectors: npt.NDArray[np.float32],
    codes: npt.NDArray[np.uint8],
    bits: int,
    shortlist: npt.NDArray[np.int64],
    k: int,
    threads: int = 1,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
def asymmetric_scores(
    query_vectors: npt.NDArray[np.float32],
    codes: npt.NDArray[np.uint8],
    bits: int,
    threads: int = 1,
) -> npt.NDArray[np.float32]: ...
def read_words(data: npt.NDArray[np.uint8]) -> int: ...

# filters
_Value = TypeVar("_Value", np.int64, np.float64, np.int32, np.int8)
_Wanted = TypeVar("_Wanted", np.int64, np.float64)

def filter_ranges(
    values: npt.NDArray[_Value],
    lows: npt.NDArray[_Value],
    highs: npt.NDArray[_Value],
    threads: int = 1,
    level: str | None = None,
) -> _Sizes: ...
def filter_members(
    values: npt.NDArray[_Wanted],
    wanted: npt.NDArray[_Wanted],
    threads: int = 1,
    level: str | None = None,
) -> _Sizes: ...
def filter_lookup(
    codes: npt.NDArray[np.int32],
    table: npt.NDArray[np.uint8],
    threads: int = 1,
    level: str | None = None,
) -> _Sizes: ...
def filter_tagged(
    offsets: npt.NDArray[np.int64],
    codes: npt.NDArray[np.int32],
    table: npt.NDArray[np.uint8],
    least: int,
    threads: int = 1,
    level: str | None = None,
) -> _Sizes: ...
def bitmap_and(words: _Sizes, other: _Sizes) -> None: ...
def bitmap_or(words: _Sizes, other: _Sizes) -> None: ...
def bitmap_not(words: _Sizes, rows: int) -> None: ...
def bitmap_count(words: _Sizes) -> int: ...

# real vectors
_Scales: TypeAlias = _Floats | None
_Answers: TypeAlias = tuple[npt.NDArray[np.int64], _Floats]
_Lists: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], _Floats]

_SketchArrays: TypeAlias = tuple[_Floats, _Floats, npt.NDArray[np.uint8], _Floats, int]

class Metric(enum.Enum):
    cosine = 0
    ip = 1
    l2 = 2

def squared_lengths(
    data: npt.NDArray[Any], dim: int, scales: _Scales, threads: int = 1
) -> _Floats: ...
def real_search(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    queries: _Floats,
    metric: Metric,
    k: int,
    bitmap: _Bitmap | None = None,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
    sketches: _SketchArrays | None = None,
) -> _Answers: ...
def real_range_search(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    queries: _Floats,
    metric: Metric,
    radius: float,
    bitmap: _Bitmap | None = None,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
    sketches: _SketchArrays | None = None,
) -> _Lists: ...
def sketch_rows(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    metric: Metric,
    mean: _Floats,
    axes: _Floats,
    first: int,
    bytes: npt.NDArray[np.uint8],
    terms: _Floats,
    threads: int = 1,
) -> None: ...
def real_rerank(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    queries: _Floats,
    metric: Metric,
    listed: npt.NDArray[np.int64],
    k: int,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
) -> _Answers: ...
def train_centroids(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    metric: Metric,
    width: int,
    sample: int = 20000,
    iterations: int = 12,
    threads: int = 1,
) -> _Floats: ...
def encode_rows(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    metric: Metric,
    centroids: _Floats,
    first: int,
    planes: npt.NDArray[np.uint8],
    threads: int = 1,
) -> None: ...
def quantized_search(
    data: npt.NDArray[Any],
    dim: int,
    scales: _Scales,
    squares: _Floats,
    centroids: _Floats,
    planes: npt.NDArray[np.uint8],
    queries: _Floats,
    metric: Metric,
    k: int,
    shortlist: int,
    bitmap: _Bitmap | None = None,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
) -> _Answers: ...

# lists
_Radii: TypeAlias = npt.NDArray[np.uint16]
_ListArrays: TypeAlias = tuple[_Codes, _Ids, _Ids, _Codes, _Radii, _Ids]

def inverted_lists(
    labels: npt.NDArray[np.int64], distances: npt.NDArray[np.int32], count: int
) -> tuple[_Ids, _Ids]: ...
def lay_lists(
    codes: _Codes, centers: _Codes, starts: _Ids, rows: _Ids, bits: int, threads: int = 1
) -> tuple[_Codes, _Radii, _Ids]: ...
def cluster_codes(
    codes: _Codes, bits: int, centers: int, sample: int, iterations: int, threads: int = 1
) -> _Codes: ...
def lists_search(
    lists: _ListArrays,
    queries: _Codes,
    bits: int,
    k: int,
    probes: int | None,
    bitmap: _Bitmap | None = None,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
) -> _Nearest: ...
def lists_range_search(
    lists: _ListArrays,
    queries: _Codes,
    bits: int,
    radius: int,
    bitmap: _Bitmap | None = None,
    ranks: _Ids | None = None,
    threads: int = 1,
    level: str | None = None,
) -> _Within: ...
def lists_scanned_share(
    lists: _ListArrays,
    codes: _Codes,
    bits: int,
    k: int,
    threads: int = 1,
) -> float: ...

# graph
_Graph: TypeAlias = tuple[_Ids, _Ids, _Ids]
_Records: TypeAlias = npt.NDArray[np.int8]

def graph_build_codes(
    codes: npt.NDArray[np.uint8],
    bits: int,
    degree: int = 32,
    ef_construction: int = 100,
    alpha: float = 1.1,
    seed: int = 0,
    threads: int = 1,
    level: str | None = None,
) -> _Graph: ...
def graph_build_bytes(
    records: _Records,
    euclidean: bool,
    degree: int = 32,
    ef_construction: int = 100,
    alpha: float = 1.1,
    seed: int = 0,
    threads: int = 1,
    level: str | None = None,
) -> _Graph: ...
def graph_extend_codes(
    neighbors: _Ids,
    entries: _Ids,
    copies: _Ids,
    codes: npt.NDArray[np.uint8],
    bits: int,
    ef_construction: int = 100,
    alpha: float = 1.1,
    seed: int = 0,
    threads: int = 1,
    level: str | None = None,
) -> _Graph: ...
def graph_extend_bytes(
    neighbors: _Ids,
    entries: _Ids,
    copies: _Ids,
    records: _Records,
    euclidean: bool,
    ef_construction: int = 100,
    alpha: float = 1.1,
    seed: int = 0,
    threads: int = 1,
    level: str | None = None,
) -> _Graph: ...
def graph_search_codes(
    neighbors: _Ids,
    entries: _Ids,
    copies: _Ids,
    codes: npt.NDArray[np.uint8],
    queries: npt.NDArray[np.uint8],
    bits: int,
    k: int,
    ef: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]: ...
def graph_search_bytes(
    neighbors: _Ids,
    entries: _Ids,
    copies: _Ids,
    records: _Records,
    queries: _Records,
    euclidean: bool,
    k: int,
    ef: int,
    bitmap: _Bitmap | None = None,
    threads: int = 1,
    level: str | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
def graph_check(neighbors: _Ids, entries: _Ids, copies: _Ids) -> None: ...
def quantise_rows(vectors: _Floats, threads: int = 1) -> _Records: ...
def kernel_code_distances(
    level: str, query: npt.NDArray[np.uint8], codes: npt.NDArray[np.uint8], rows: _Ids
) -> _Ids: ...
def kernel_byte_dots(
    level: str, query: _Records, records: _Records, rows: _Ids
) -> npt.NDArray[np.int32]: ...

class Bm25:
    def __init__(self, k1: float, b: float) -> None: ...
    @staticmethod
    def from_arrays(
        k1: float, b: float, offsets: _Sizes, rows: _Ids, counts: _Ids, lengths: _Ids
    ) -> Bm25: ...
    def added(self, ids: _Ids, offsets: _Sizes, lengths: _Ids) -> Bm25: ...
    def search(
        self,
        ids: _Ids,
        offsets: _Sizes,
        k: int,
        bitmap: _Bitmap | None = None,
        threads: int = 1,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]: ...
    def to_arrays(self) -> tuple[_Sizes, _Ids, _Ids, _Ids]: ...
    def __len__(self) -> int: ...

# io
def crc64(data: bytes | npt.NDArray[np.uint8]) -> int: ...
def format_save(
    path: bytes, header: bytes, sections: list[npt.NDArray[np.uint8]], threads: int
) -> None: ...
def format_dump(header: bytes, sections: list[npt.NDArray[np.uint8]], threads: int) -> bytes: ...
def format_map(path: bytes, check_sections: bool, threads: int, part: int = 0) -> FormatReader: ...
def format_parts(path: bytes) -> list[int]: ...
def format_parse(data: bytes | bytearray | memoryview, threads: int) -> FormatReader: ...

class FormatReader:
    @property
    def header(self) -> bytes: ...
    @property
    def checksum(self) -> str: ...
    @property
    def sections(self) -> list[tuple[int, int, int]]: ...
    @property
    def size(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

# arrow
class ArrowColumn: ...

def arrow_codes(name: str, metadata: bytes, codes: npt.NDArray[np.uint8]) -> ArrowColumn: ...
def arrow_vectors(name: str, metadata: bytes, vectors: npt.NDArray[np.float32]) -> ArrowColumn: ...
def arrow_numbers(name: str, numbers: npt.NDArray[np.int64]) -> ArrowColumn: ...
def arrow_texts(
    name: str, ends: npt.NDArray[np.int64], bytes: npt.NDArray[np.uint8]
) -> ArrowColumn: ...
def arrow_table(columns: list[ArrowColumn]) -> ArrowColumn: ...
def arrow_schema(table: ArrowColumn) -> object: ...
def arrow_stream(table: ArrowColumn) -> object: ...
