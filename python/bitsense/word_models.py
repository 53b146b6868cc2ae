"""Vectors of words and of their senses, learned from raw text.

docs/models.md has the formulas and what differs from the papers.
"""

from ._disambiguated_skip_gram import DisambiguatedSkipGram
from ._word2vec import Word2Vec

__all__ = ["DisambiguatedSkipGram", "Word2Vec"]
