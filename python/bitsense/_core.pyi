import numpy as np
import numpy.typing as npt

__version__: str

class FormatError(ValueError): ...

# kernels
def level() -> str: ...
def levels() -> list[str]: ...

# codes
def project(
    vectors: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    directions: npt.NDArray[np.float32],
    threads: int = 1,
) -> npt.NDArray[np.float32]: ...
def project_signs(
    vectors: npt.NDArray[np.float32],
    mean: npt.NDArray[np.float32],
    directions: npt.NDArray[np.float32],
    threads: int = 1,
) -> npt.NDArray[np.uint8]: ...

# search
def hamming_search(
    codes: npt.NDArray[np.uint8],
    queries: npt.NDArray[np.uint8],
    bits: int,
    k: int,
    mask: npt.NDArray[np.bool_] | None = None,
    threads: int = 1,
    level: str | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]: ...
def hamming_range_search(
    codes: npt.NDArray[np.uint8],
    queries: npt.NDArray[np.uint8],
    bits: int,
    radius: int,
    mask: npt.NDArray[np.bool_] | None = None,
    threads: int = 1,
    level: str | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32]]: ...
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
