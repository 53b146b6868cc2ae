"""Binary codes of documents, vectors of words and senses, learned from raw text; exact search."""

from . import bridges
from ._core import __version__
from ._cpu import cpu_info
from ._progress import Progress
from .certificates import Certificate, CodeQuality
from .checkpoints import Checkpoint
from .codes import Codes, pack_bits, pack_signs, unpack_bits
from .errors import FormatError, NotFittedError
from .evaluate import evaluate_retrieval, retrieval_metrics
from .explain import PairExplanation, SharedTerm, explain_pair
from .files import info, load, verify
from .filters import Attributes, field, parse_filter
from .formats import load_vectors, save_vectors
from .fusion import fuse
from .hashing import ITQ, RandomHyperplanes, SignBinarizer
from .lexical import BM25Index
from .models import BinaryParagraphVector, ParagraphVector, RealBinaryParagraphVector
from .reports import BitReport, ModelReport, VectorReport
from .search import (
    CosineIndex,
    HammingIndex,
    TwoStageIndex,
    asymmetric_scores,
    hamming_distances,
)
from .text import (
    Corpus,
    EncodedCorpus,
    TextFiles,
    Tokenizer,
    Vocabulary,
    build_corpus,
    encode_corpus,
    encode_documents,
)
from .vectors import SenseVectors, WordVectors
from .word_models import DisambiguatedSkipGram, Word2Vec

__all__ = [
    "ITQ",
    "Attributes",
    "BM25Index",
    "BinaryParagraphVector",
    "BitReport",
    "Certificate",
    "Checkpoint",
    "CodeQuality",
    "Codes",
    "Corpus",
    "CosineIndex",
    "DisambiguatedSkipGram",
    "EncodedCorpus",
    "FormatError",
    "HammingIndex",
    "ModelReport",
    "NotFittedError",
    "PairExplanation",
    "ParagraphVector",
    "Progress",
    "RandomHyperplanes",
    "RealBinaryParagraphVector",
    "SenseVectors",
    "SharedTerm",
    "SignBinarizer",
    "TextFiles",
    "Tokenizer",
    "TwoStageIndex",
    "VectorReport",
    "Vocabulary",
    "Word2Vec",
    "WordVectors",
    "__version__",
    "asymmetric_scores",
    "bridges",
    "build_corpus",
    "cpu_info",
    "encode_corpus",
    "encode_documents",
    "evaluate_retrieval",
    "explain_pair",
    "field",
    "fuse",
    "hamming_distances",
    "info",
    "load",
    "load_vectors",
    "pack_bits",
    "pack_signs",
    "parse_filter",
    "retrieval_metrics",
    "save_vectors",
    "unpack_bits",
    "verify",
]
