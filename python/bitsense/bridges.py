"""Bridges: codes and vectors into other systems and back, with the same distances.

PostgreSQL with pgvector, SQLite with and without sqlite-vec, Arrow (Polars, DuckDB, pyarrow,
Parquet files), faiss and usearch. ``docs/bridges.md`` has a recipe for each. Nothing is imported
before it is needed: ``pip install 'bitsense[bridges]'`` installs all of them.
"""

from ._bridge_arrow import ArrowTable, arrow_table, from_arrow, read_parquet, write_parquet
from ._bridge_columns import Columns
from ._bridge_engines import from_faiss, from_usearch, to_faiss, to_usearch
from ._bridge_postgres import pgvector_copy
from ._bridge_postgres_read import read_pgvector_copy
from ._bridge_sqlite import read_sqlite_vec, register_hamming, sqlite_vec_rows

__all__ = [
    "ArrowTable",
    "Columns",
    "arrow_table",
    "from_arrow",
    "from_faiss",
    "from_usearch",
    "pgvector_copy",
    "read_parquet",
    "read_pgvector_copy",
    "read_sqlite_vec",
    "register_hamming",
    "sqlite_vec_rows",
    "to_faiss",
    "to_usearch",
    "write_parquet",
]
