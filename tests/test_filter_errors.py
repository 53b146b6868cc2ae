"""Attributes and conditions that are refused: one clear sentence each."""

from __future__ import annotations

import numpy as np
import pytest

from bitsense import FormatError, field
from bitsense.filters import Attributes

COLUMN = "`columns['a']`"
ANY = "numbers, strings, bools or lists of strings"


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: Attributes({}), ValueError, "`columns` must have at least one column, got none"),
        (
            lambda: Attributes([1]),
            TypeError,
            "`columns` must be a dict of columns or a data frame, got list",
        ),
        (
            lambda: Attributes({1: [1]}),
            TypeError,
            "`columns` must have names that are strings, got 1",
        ),
        (
            lambda: Attributes({"a": "text"}),
            TypeError,
            f"{COLUMN} must be a column of values, got str",
        ),
        (
            lambda: Attributes({"a": np.zeros((2, 2))}),
            ValueError,
            f"{COLUMN} must have 1 dimension, got 2",
        ),
        (
            lambda: Attributes({"a": np.zeros(2, "M8[s]")}),
            TypeError,
            f"{COLUMN} must hold {ANY}, got dtype datetime64[s]",
        ),
        (
            lambda: Attributes({"a": ["x", 1]}),
            TypeError,
            f"{COLUMN} must hold {ANY}, and one kind of them, got int64 and str",
        ),
        (
            lambda: Attributes({"a": [1j]}),
            TypeError,
            f"{COLUMN} must hold {ANY}, and one kind of them, got complex",
        ),
        (
            lambda: Attributes({"a": [None]}),
            ValueError,
            f"{COLUMN} must have a value that is not missing, or its kind be given in `kinds`",
        ),
        (
            lambda: Attributes({"a": [1]}, kinds={"a": "int"}),
            ValueError,
            "`kinds['a']` must be one of 'int64', 'float64', 'str', 'bool', 'tags', got 'int'",
        ),
        (
            lambda: Attributes({"a": [1]}, kinds={"b": "str"}),
            ValueError,
            "`kinds` must name columns, got 'b'",
        ),
        (
            lambda: Attributes({"a": [1], "b": [1, 2]}),
            ValueError,
            "`columns['b']` must have 1 items, got 2",
        ),
        (
            lambda: Attributes({"a": [2**63]}),
            ValueError,
            f"{COLUMN} must hold numbers that int64 can hold",
        ),
        (
            lambda: Attributes({"a": np.array([2**63], np.uint64)}),
            ValueError,
            f"{COLUMN} must hold numbers that int64 can hold",
        ),
        (
            lambda: Attributes({"a": [10**400, 0.5]}),
            ValueError,
            f"{COLUMN} must hold numbers that float64 can hold",
        ),
        (
            lambda: Attributes({"a": [-(2**63)]}),
            ValueError,
            f"{COLUMN} must hold integers above -2**63, which stands for none",
        ),
        (
            lambda: Attributes({"a": [0.5]}, kinds={"a": "int64"}),
            TypeError,
            f"{COLUMN} must hold values of kind int64, got 0.5",
        ),
        (
            lambda: Attributes({"a": ["\ud800"]}),
            ValueError,
            f"{COLUMN} must hold valid Unicode, got half of a surrogate pair",
        ),
        (
            lambda: Attributes({"a": [["x"], ["y", 3]]}),
            TypeError,
            f"{COLUMN}[1] must be a list of strings, got one with int",
        ),
        (
            lambda: Attributes({"a": [["x"]]}).append({"a": [1]}),
            TypeError,
            f"{COLUMN} must hold values of kind tags, got int64",
        ),
        (
            lambda: Attributes({"a": [1]}).append({"a": [True]}),
            TypeError,
            f"{COLUMN} must hold values of kind int64, got bool",
        ),
        (
            lambda: Attributes({"a": [1]}).append({"b": [1]}),
            ValueError,
            "`columns` must have the names 'a', got 'b'",
        ),
        (
            lambda: Attributes({"a": [1]}).append({"a": [1]}, 2),
            ValueError,
            f"{COLUMN} must have 2 items, got 1",
        ),
        (
            lambda: Attributes({"a": [1]}).take([0.5]),
            TypeError,
            "`rows` must be integers, got dtype float64",
        ),
        (lambda: Attributes({"a": [1]}).take([1]), IndexError, "`rows` must be from 0 to 0, got 1"),
        (
            lambda: Attributes({"a": [1]}).evaluate("a == 1", 2),
            ValueError,
            "`rows` must be at most 1, got 2",
        ),
    ],
)
def test_wrong_columns_give_one_clear_sentence(call, kind, message):
    with pytest.raises(kind) as error:
        call()
    assert str(error.value) == message


def test_a_refused_append_changes_nothing():
    made = Attributes({"a": [1], "b": ["x"]})
    with pytest.raises(TypeError):
        made.append({"a": [2], "b": [3]})
    with pytest.raises(ValueError):
        made.append({"a": [2], "b": ["y", "z"]})
    assert made.to_columns() == {"a": [1], "b": ["x"]}
    assert len(made) == 1


VALUES = {"year": [1], "price": [1.0], "language": ["a"], "open": [True], "tags": [["a"]]}
MADE = Attributes(VALUES)


@pytest.mark.parametrize(
    ("expression", "kind", "message"),
    [
        (
            "yeer == 1",
            ValueError,
            "`expression` names 'yeer', which is no attribute: did you mean 'year'?",
        ),
        (
            "zzz == 1",
            ValueError,
            (
                "`expression` names 'zzz', which is no attribute: there are year, price, language, "
                "open, tags"
            ),
        ),
        (
            "year == 'x'",
            TypeError,
            "`expression` has year == 'x', but 'year' is int64 and compares with numbers, not str",
        ),
        (
            "price.isin([True])",
            TypeError,
            (
                "`expression` has price.isin([True]), but 'price' is float64 and compares with "
                "numbers, not bool"
            ),
        ),
        (
            "language < 3",
            TypeError,
            (
                "`expression` has language < 3, but 'language' is str and compares with strings, "
                "not int"
            ),
        ),
        (
            "language.contains('a')",
            TypeError,
            (
                "`expression` has language.contains('a'), but 'language' is str and holds no lists "
                "of tags: use == or isin"
            ),
        ),
        (
            "year.contains('a')",
            TypeError,
            "`expression` has year.contains('a'), but 'year' is int64 and holds no lists of tags",
        ),
        (
            "open == 1",
            TypeError,
            (
                "`expression` has open == 1, but 'open' is bool and compares with True and False, "
                "not int"
            ),
        ),
        (
            "open < True",
            TypeError,
            (
                "`expression` has open < True, but 'open' is bool, which has only ==, !=, isin and "
                "is_missing"
            ),
        ),
        (
            "tags == 'a'",
            TypeError,
            (
                "`expression` has tags == 'a', but 'tags' holds lists of tags: use contains, "
                "contains_any or contains_all"
            ),
        ),
        (
            field("year"),
            TypeError,
            "`expression` must compare field('year') with a value",
        ),
        (3, TypeError, "`expression` must be made from field(), or a string, got int"),
    ],
)
def test_wrong_conditions_give_one_clear_sentence(expression, kind, message):
    with pytest.raises(kind) as error:
        MADE.evaluate(expression)
    assert str(error.value) == message


def damaged(change):
    made = Attributes(VALUES)
    made.append({**VALUES, "language": ["b"], "open": [None], "tags": [["a", "b"]]})
    header, arrays = made.state()
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(header, arrays)
    return header, arrays


@pytest.mark.parametrize(
    "change",
    [
        lambda h, a: h.update(rows=3),
        lambda h, a: h.update(rows=-1),
        lambda h, a: h.update(columns=[]),
        lambda h, a: h.update(columns=[1]),
        lambda h, a: h["columns"][0].update(kind="int"),
        lambda h, a: h["columns"][0].update(kind="float64"),
        lambda h, a: h["columns"][1].update(name="year"),
        lambda h, a: a.pop("attributes_0"),
        lambda h, a: a["attributes_2"].fill(2),
        lambda h, a: a["attributes_2"].fill(-2),
        lambda h, a: a["attributes_2_names"].fill(97),
        lambda h, a: a["attributes_3"].fill(2),
        lambda h, a: a["attributes_4"].fill(0),
        lambda h, a: a["attributes_4"].__setitem__(1, 4),
        lambda h, a: a["attributes_4"].__setitem__(0, 1),
        lambda h, a: a["attributes_4_codes"].fill(0),
        lambda h, a: a["attributes_4_codes"].fill(-1),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(change):
    Attributes.from_state(*damaged(lambda header, arrays: None))
    with pytest.raises(FormatError):
        Attributes.from_state(*damaged(change))
