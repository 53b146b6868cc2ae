"""Attribute filters: what a bitmap holds, against a row-by-row twin; appending, taking, saving."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import filters as twin

from bitsense import _core, files
from bitsense.filters import Attributes, field, parse_filter

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
LONGS = st.integers(-(2**63) + 1, 2**63 - 1)
INTS = st.integers(-3, 3) | LONGS
FLOATS = st.integers(-3, 3).map(float) | st.floats(allow_nan=False)
WORDS = st.sampled_from(["a", "b", "c", "é", ""])
NUMBERS = st.integers(-4, 4) | st.floats(allow_nan=False) | st.integers(-(2**70), 2**70)
TAGS = st.lists(WORDS, max_size=3)
COLUMNS = {
    "year": st.none() | INTS,
    "price": st.none() | FLOATS,
    "language": st.none() | WORDS,
    "open": st.none() | st.booleans(),
    "tags": TAGS,
}
KINDS = {"year": "int64", "price": "float64", "language": "str", "open": "bool", "tags": "tags"}


def comparisons(name, values):
    compare = st.sampled_from(sorted(twin.COMPARE))
    return st.one_of(
        st.builds(lambda o, v: twin.COMPARE[o](field(name), v), compare, values),
        st.builds(lambda a, b: field(name).between(a, b), values, values),
        st.builds(lambda some: field(name).isin(some), st.lists(values, max_size=12)),
    )


def bools(name):
    return st.one_of(
        st.builds(lambda v: field(name) == v, st.booleans()),
        st.builds(lambda v: field(name) != v, st.booleans()),
        st.builds(lambda some: field(name).isin(some), st.lists(st.booleans())),
    )


def tagged(name):
    return st.one_of(
        st.builds(lambda v: field(name).contains(v), WORDS),
        st.builds(lambda some: field(name).contains_any(some), TAGS),
        st.builds(lambda some: field(name).contains_all(some), TAGS),
    )


LEAVES = st.one_of(
    comparisons("year", NUMBERS),
    comparisons("price", NUMBERS),
    comparisons("language", WORDS),
    bools("open"),
    tagged("tags"),
    st.sampled_from(sorted(COLUMNS)).map(lambda name: field(name).is_missing()),
)
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        inner.map(lambda a: ~a),
    ),
    max_leaves=6,
)
ROWS = st.lists(st.fixed_dictionaries(COLUMNS), max_size=140)


def columns(rows):
    return {name: [row[name] for row in rows] for name in COLUMNS}


def attributes(rows):
    return Attributes(columns(rows), kinds=KINDS)


@given(ROWS, EXPRESSIONS)
def test_any_condition_equals_its_twin(rows, expression):
    made = attributes(rows)
    words = made.evaluate(expression)
    assert words.dtype == np.uint64
    expected = twin.bitmap(expression, rows)
    assert words.tolist() == expected
    assert made.mask(expression).tolist() == [twin.holds(expression, row) for row in rows]
    assert made.count(expression) == sum(map(int.bit_count, expected))
    half = len(rows) // 2
    assert made.evaluate(expression, half).tolist() == twin.bitmap(expression, rows[:half])


@given(EXPRESSIONS)
def test_what_it_prints_parses_back(expression):
    parsed = parse_filter(repr(expression))
    assert parsed == expression
    assert hash(parsed) == hash(expression)
    assert repr(parsed) == repr(expression)


@given(ROWS, ROWS, st.lists(EXPRESSIONS, min_size=1, max_size=3))
def test_appending_changes_no_row_that_was_there(first, second, expressions):
    made = attributes(first)
    before = [made.evaluate(expression) for expression in expressions]
    _, arrays = made.state()
    copies = {name: array.copy() for name, array in arrays.items()}
    made.append(columns(second), len(second))
    assert len(made) == len(first) + len(second)
    for expression, words in zip(expressions, before, strict=True):
        assert np.array_equal(made.evaluate(expression, len(first)), words)
        assert made.evaluate(expression).tolist() == twin.bitmap(expression, first + second)
    for name, copy in copies.items():
        assert np.array_equal(arrays[name], copy, equal_nan=copy.dtype == np.float64)


@given(ROWS.filter(len), st.data(), EXPRESSIONS)
def test_taking_some_rows(rows, data, expression):
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20))
    taken = attributes(rows).take(chosen)
    wanted = [rows[i] for i in chosen]
    assert len(taken) == len(chosen)
    assert taken.evaluate(expression).tolist() == twin.bitmap(expression, wanted)
    taken.append(columns(rows))
    assert taken.evaluate(expression).tolist() == twin.bitmap(expression, wanted + rows)


@given(ROWS, ROWS, EXPRESSIONS)
def test_state_round_trips_through_a_file(rows, more, expression):
    made = attributes(rows)
    header, arrays = files.read_bytes(files.write_bytes("thing", *made.state()))
    loaded = Attributes.from_state(header, arrays)
    assert loaded.kinds == made.kinds == KINDS
    assert loaded.to_columns() == made.to_columns()
    loaded.append(columns(more))
    assert loaded.evaluate(expression).tolist() == twin.bitmap(expression, rows + more)


def test_values_come_back():
    given_values = {
        "year": [1, None, -(2**63) + 1],
        "price": [0.5, None, math.inf],
        "language": ["b", None, "a"],
        "open": [True, None, False],
        "tags": [["b", "a", "b"], None, []],
    }
    made = Attributes(given_values)
    assert made.kinds == KINDS
    assert made.to_columns() == {**given_values, "tags": [["b", "a"], [], []]}
    assert repr(made) == (
        "<Attributes of 3 items: year: int64, price: float64, language: str, open: bool, "
        "tags: tags>"
    )


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_threads_change_nothing(level, threads):
    rng = np.random.default_rng(0)
    rows = 200_003
    ints = rng.integers(-50, 50, rows)
    floats = np.where(rng.random(rows) < 0.1, np.nan, ints / 2)
    codes = ints.astype(np.int32)
    flags = rng.integers(-1, 2, rows).astype(np.int8)

    def bits(passes):
        return np.packbits(passes, bitorder="little").tobytes().ljust((rows + 63) // 64 * 8, b"\0")

    def ranges(values, low, high):
        ends = (np.array([end], values.dtype) for end in (low, high))
        return _core.filter_ranges(values, *ends, threads, level).tobytes()

    for values in (ints, floats, codes, flags):
        assert ranges(values, -1, 7) == bits((values >= -1) & (values <= 7))
        assert ranges(values, 1, 0) == bits(np.zeros(rows, np.bool_))
    for values in (ints, floats):
        wanted = np.array([3, -7, 49, 0, -50, 1000], values.dtype)
        found = _core.filter_members(values, wanted, threads, level).tobytes()
        assert found == bits(np.isin(values, wanted))
    table = rng.integers(0, 2, 40).astype(np.uint8)
    inside = (codes >= 0) & (codes < 40)
    found = _core.filter_lookup(codes, table, threads, level).tobytes()
    assert found == bits(inside & (table[np.where(inside, codes, 0)] == 1))
    offsets = np.arange(rows + 1)
    found = _core.filter_tagged(offsets, codes, table, 1, threads, level).tobytes()
    assert found == bits(inside & (table[np.where(inside, codes, 0)] == 1))


def test_the_ends_of_int64(level):
    ends = np.array([-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 1])
    for low in ends:
        for high in ends:
            arrays = np.array([low]), np.array([high])
            words = _core.filter_ranges(ends, *arrays, 1, level)
            passes = (ends >= low) & (ends <= high)
            assert words.tolist() == [sum(1 << i for i in np.flatnonzero(passes).tolist())]


def test_offsets_that_point_outside_do_no_harm():
    codes, table = np.array([0, 5, -1], np.int32), np.ones(1, np.uint8)
    offsets = np.array([-5, 1, 99, -(2**63), 2**63 - 1, 0])
    words = _core.filter_tagged(offsets, codes, table, 1, 1)
    assert words.shape == (1,)


def test_many_rows_are_appended_one_by_one():
    made = Attributes({"n": np.zeros(0, np.int64), "t": []}, kinds={"t": "tags"})
    for i in range(300):
        made.append({"n": [i], "t": [[str(i % 3)] * (i % 2)]})
    assert made.mask("n < 10").sum() == 10
    assert made.count("t.contains('1')") == 50


def test_rows_are_read_while_others_are_appended():
    batch = {"n": list(range(50)), "s": [str(i) for i in range(50)], "t": [["x"]] * 50}
    made = Attributes(batch)
    condition = (field("n") < 7) & field("s").isin(["3", "9"]) & field("t").contains("x")
    expected, wrong = made.evaluate(condition, 50), []

    def read():
        for _ in range(300):
            if not np.array_equal(made.evaluate(condition, 50), expected):
                wrong.append(1)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(200):
        made.append({**batch, "s": [f"{i} {j}" for j in range(50)], "t": [[str(i)]] * 50})
    for reader in readers:
        reader.join()
    assert not wrong
    assert made.count("n < 7") == 201 * 7


class Frame:
    def __init__(self, columns):
        self._columns = columns
        self.columns = list(columns)

    def __getitem__(self, name):
        return self._columns[name]


class NAType:
    """As pandas has it: of no truth."""

    def __bool__(self):
        raise TypeError("boolean value of NA is ambiguous")

    def __ne__(self, other):
        return self


def test_columns_of_many_types():
    made = Attributes(
        Frame(
            {
                "a": np.array([1, 2, 3], np.uint8),
                "b": np.array([1.5, np.nan, 3], np.float32),
                "c": np.array(["x", "yy", ""]),
                "d": np.array([True, False, True]),
                "e": np.array([1, NAType(), 3], object),
                "f": (1, 2.5, None),
                "g": [("x",), {"y"}, np.array(["z", "x"])],
                "h": ["x", math.nan, None],
            }
        )
    )
    assert made.to_columns() == {
        "a": [1, 2, 3],
        "b": [1.5, None, 3.0],
        "c": ["x", "yy", ""],
        "d": [True, False, True],
        "e": [1, None, 3],
        "f": [1.0, 2.5, None],
        "g": [["x"], ["y"], ["x", "z"]],
        "h": ["x", None, None],
    }
    assert Attributes({"a": np.array([2.0, np.nan])}, kinds={"a": "int64"}).to_columns() == {
        "a": [2, None]
    }
