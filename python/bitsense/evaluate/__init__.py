"""Measures of quality: retrieval, word similarity, analogies, senses in context and induced.

`bitsense.evaluate.retrieval` ranks documents, `words` compares and completes words, `contexts`
compares words where they stand, `senses` scores induced senses, and `clusterings` holds the
measures of agreement that `senses` uses.
"""

from .clusterings import adjusted_rand_index, paired_f_score, v_measure
from .contexts import (
    ContextPair,
    ContextualSimilarityResult,
    evaluate_contextual_similarity,
    read_contextual_similarity,
)
from .retrieval import RetrievalMetrics, evaluate_rankings, evaluate_retrieval, retrieval_metrics
from .senses import (
    SenseInductionResult,
    SenseInstance,
    WordScores,
    evaluate_sense_induction,
    read_sense_induction,
    sense_induction_scores,
)
from .words import (
    AnalogyResult,
    AnalogySection,
    SimilarityResult,
    evaluate_analogies,
    evaluate_similarity,
    read_analogies,
    read_similarity,
    spearman,
)

__all__ = [
    "AnalogyResult",
    "AnalogySection",
    "ContextPair",
    "ContextualSimilarityResult",
    "RetrievalMetrics",
    "SenseInductionResult",
    "SenseInstance",
    "SimilarityResult",
    "WordScores",
    "adjusted_rand_index",
    "evaluate_analogies",
    "evaluate_contextual_similarity",
    "evaluate_rankings",
    "evaluate_retrieval",
    "evaluate_sense_induction",
    "evaluate_similarity",
    "paired_f_score",
    "read_analogies",
    "read_contextual_similarity",
    "read_sense_induction",
    "read_similarity",
    "retrieval_metrics",
    "sense_induction_scores",
    "spearman",
    "v_measure",
]
