"""Features against plain loops; and none of them may see the future."""

import datetime as dt
import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from assay.core.errors import NotFound
from assay.data.errors import ColumnMissing, Duplicated, ExpressionInvalid, FunctionFailed, MixedTypes
from assay.data.features import leakage
from assay.data.features.features import make
from assay.task.data import Feature

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def rows(count=60, seed=0):
    random = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "time": [START + dt.timedelta(minutes=37 * n) for n in range(count)],
            "price": np.exp(np.cumsum(random.normal(0, 0.1, count))),
            "bought": random.lognormal(size=count),
            "sold": random.lognormal(size=count),
            "count": random.integers(0, 50, count),
            "kind": random.choice(["a", "b", "c"], count),
        }
    ).with_columns(pl.col("time").dt.cast_time_unit("us"))


def specs(*listed):
    return TypeAdapter(list[Feature]).validate_python(list(listed))


def values(spec, frame=None, project=None):
    frame = rows() if frame is None else frame
    made = make(frame, specs({"name": "f"} | spec), time="time", project=project)
    return made.frame["f"].to_list(), made


def windows(column, size):
    return [column[n - size + 1 : n + 1] if n >= size - 1 else None for n in range(len(column))]


def check(found, expected):
    assert len(found) == len(expected)
    for got, wanted in zip(found, expected, strict=True):
        assert (got is None) == (wanted is None)
        if wanted is not None:
            assert got == pytest.approx(wanted, rel=1e-9, abs=1e-12)


PRICE = rows()["price"].to_list()
RETURNS = [None, *(math.log(b / a) for a, b in pairwise(PRICE))]


@pytest.mark.parametrize(
    ("spec", "expected", "lookback"),
    [
        ({"op": "column", "of": "price * 2"}, [2 * p for p in PRICE], 0),
        ({"op": "lag", "of": "price", "periods": 3}, [None] * 3 + PRICE[:-3], 3),
        (
            {"op": "difference", "of": "price", "periods": 2},
            [None] * 2 + [b - a for a, b in zip(PRICE, PRICE[2:], strict=False)],
            2,
        ),
        ({"op": "return", "of": "price"}, [None] + [b / a - 1 for a, b in pairwise(PRICE)], 1),
        ({"op": "log_return", "of": "price"}, RETURNS, 1),
        ({"op": "rolling_mean", "of": "price", "window": 5}, [w and float(np.mean(w)) for w in windows(PRICE, 5)], 4),
        (
            {"op": "rolling_std", "of": "price", "window": 5},
            [w and float(np.std(w, ddof=1)) for w in windows(PRICE, 5)],
            4,
        ),
        ({"op": "rolling_max", "of": "price", "window": 4}, [w and max(w) for w in windows(PRICE, 4)], 3),
        ({"op": "rolling_min", "of": "price", "window": 4}, [w and min(w) for w in windows(PRICE, 4)], 3),
        ({"op": "volume", "of": "price", "window": 4}, [w and sum(w) for w in windows(PRICE, 4)], 3),
        (
            {"op": "rolling_median", "of": "price", "window": 4},
            [w and float(np.median(w)) for w in windows(PRICE, 4)],
            3,
        ),
        (
            {"op": "realised_volatility", "of": "price", "window": 6},
            [None] * 6 + [math.sqrt(sum(r * r for r in w)) for w in windows(RETURNS[1:], 6) if w],
            6,
        ),
    ],
)
def test_values_are_those_of_a_loop(spec, expected, lookback):
    found, made = values(spec)
    check(found, expected)
    assert made.lookback == lookback
    # Every row after the lookback has a value.
    assert None not in found[lookback:]


def test_imbalance():
    frame = rows().with_columns(
        pl.when(pl.int_range(pl.len()) < 10).then(0.0).otherwise(pl.col("bought")).alias("bought")
    )
    frame = frame.with_columns(pl.when(pl.int_range(pl.len()) < 10).then(0.0).otherwise(pl.col("sold")).alias("sold"))
    found, _ = values({"op": "imbalance", "buy": "bought", "sell": "sold", "window": 3}, frame)
    assert found[2:10] == [0.0] * 8
    buys, sells = frame["bought"].to_list(), frame["sold"].to_list()
    for n in range(12, 60):
        b, s = sum(buys[n - 2 : n + 1]), sum(sells[n - 2 : n + 1])
        assert found[n] == pytest.approx((b - s) / (b + s))


@pytest.mark.parametrize(("measure", "unit"), [("rows", 1), ("seconds", 37 * 60)])
def test_time_since(measure, unit):
    found, _ = values({"op": "time_since", "when": "count > 40", "measure": measure})
    last = None
    for n, count in enumerate(rows()["count"]):
        last = n if count > 40 else last
        assert found[n] == (None if last is None else (n - last) * unit)


def test_calendar():
    frame = rows(400)
    for part, expected in {
        "hour": [t.hour for t in frame["time"]],
        "minute": [t.minute for t in frame["time"]],
        "weekday": [t.isoweekday() for t in frame["time"]],
        "day": [t.day for t in frame["time"]],
        "month": [t.month for t in frame["time"]],
        "hour_sin": [math.sin(2 * math.pi * (t.hour + t.minute / 60) / 24) for t in frame["time"]],
        "weekday_cos": [
            math.cos(2 * math.pi * (t.weekday() + (t.hour + t.minute / 60) / 24) / 7) for t in frame["time"]
        ],
    }.items():
        check(values({"op": "calendar", "part": part}, frame)[0], expected)


def test_category():
    found, _ = values({"op": "category", "of": "kind", "values": ["c", "a"]})
    assert found == [{"c": 0, "a": 1}.get(kind) for kind in rows()["kind"]]


def test_later_features_see_earlier_ones():
    made = make(
        rows(),
        specs(
            {"name": "r", "op": "log_return", "of": "price"},
            {"name": "r2", "op": "lag", "of": "r * 2"},
            {"name": "price", "op": "column"},
        ),
        time="time",
        project=None,
    )
    assert made.frame["r2"][2] == pytest.approx(2 * RETURNS[1])
    assert made.names == ["r", "r2", "price"]


ALL = [
    {"op": "lag", "of": "price", "periods": 3},
    {"op": "difference", "of": "price"},
    {"op": "return", "of": "price", "periods": 2},
    {"op": "log_return", "of": "price"},
    {"op": "rolling_mean", "of": "price", "window": 5},
    {"op": "rolling_std", "of": "price", "window": 5},
    {"op": "rolling_min", "of": "price", "window": 5},
    {"op": "rolling_max", "of": "price", "window": 5},
    {"op": "rolling_sum", "of": "count", "window": 5},
    {"op": "rolling_median", "of": "price", "window": 5},
    {"op": "realised_volatility", "of": "price", "window": 5},
    {"op": "volume", "of": "bought", "window": 3},
    {"op": "imbalance", "buy": "bought", "sell": "sold", "window": 4},
    {"op": "time_since", "when": "count > 40"},
    {"op": "calendar", "part": "hour_sin"},
    {"op": "category", "of": "kind", "values": ["a", "b"]},
    {"op": "column", "of": "CASE WHEN count > 20 THEN LN(price) ELSE bought END"},
]


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.data())
def test_changing_the_future_moves_no_feature(seed, count, data):
    """Every operation there is, to the last bit, on rows whose future is cut off or replaced."""
    frame = rows(count, seed % 1000)
    cut = data.draw(st.integers(1, count - 1))
    future = rows(count, seed % 1000 + 1).with_columns(pl.col("price") * 1000, pl.col("count") + 100)
    changed = pl.concat([frame.head(cut), future.slice(cut, data.draw(st.integers(0, count - cut)))])
    listed = specs(*({"name": f"f{index}"} | spec for index, spec in enumerate(ALL)))
    before = make(frame, listed, time="time", project=None)
    after = make(changed, listed, time="time", project=None)
    for name in before.names:
        assert before.frame[name].head(cut).equals(after.frame[name].head(cut), null_equal=True), name


def write(project, text, name="features.py"):
    (project / name).write_text(text, encoding="utf-8")


HONEST = """
import polars as pl
from assay.data.features.decorator import feature

@feature(lookback=2, unit="ratio")
def swing(rows):
    return pl.col("price") / pl.col("price").shift(2)

def plain(rows):
    return rows["price"].to_numpy() * 2
"""


def test_functions_of_the_project(project):
    write(project, HONEST)
    found, made = values({"op": "function", "function": "features.py:swing"}, project=project)
    assert found[5] == pytest.approx(PRICE[5] / PRICE[3])
    assert (made.lookback, made.units) == (2, {"f": "ratio"})
    assert values({"op": "function", "function": "features.py:plain"}, project=project)[0][3] == 2 * PRICE[3]


LEAKING = {
    "the next row": "rows['price'].shift(-1)",
    "the mean of all rows": "rows['price'] - rows['price'].mean()",
    "the rank among all rows": "rows['price'].rank()",
    "the last row": "pl.lit(rows['price'][-1]) * pl.col('price')",
    "a backward fill": "pl.when(pl.col('count') > 45).then(pl.col('price')).backward_fill()",
}


@pytest.mark.parametrize("body", LEAKING.values(), ids=LEAKING)
def test_functions_that_see_the_future_are_caught(project, body):
    write(project, f"import polars as pl\ndef f(rows):\n    return {body}\n")
    listed = specs({"name": "f", "op": "function", "function": "features.py:f"}, {"name": "g", **ALL[0]})
    frame = rows(200)
    made = make(frame, listed, time="time", project=project)
    found = leakage.future(frame, made, listed, time="time", project=project)
    assert [(leak.feature, leak.kind) for leak in found] == [("f", "future")]


def test_honest_functions_are_not_accused(project):
    write(project, HONEST)
    listed = specs(
        {"name": "a", "op": "function", "function": "features.py:swing"},
        {"name": "b", "op": "function", "function": "features.py:plain"},
    )
    made = make(rows(200), listed, time="time", project=project)
    assert leakage.future(rows(200), made, listed, time="time", project=project) == []


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("def f(rows):\n    return [1, 2]", "2 values for 60 rows"),
        ("def f(rows):\n    raise KeyError('x')", "KeyError"),
        ("def f(rows):\n    return rows['kind']", "type String"),
        ("def g(rows):\n    return 1", "no function f"),
        ("def f(rows:", "SyntaxError"),
        ("1 / 0", "ZeroDivisionError"),
        ("f = 3", "no function f"),
        ("import sys\nsys.exit(5)", "SystemExit: 5"),
        ("def f(rows):\n    raise SystemExit", "SystemExit"),
    ],
)
def test_functions_that_fail(project, body, word):
    write(project, body)
    with pytest.raises(FunctionFailed, match=word):
        values({"op": "function", "function": "features.py:f"}, project=project)


def test_a_file_beside_it_is_imported_as_it_is_now(project):
    write(project, "import helper_of_f\ndef f(rows):\n    return rows['price'] * helper_of_f.K\n")
    for factor in (2, 3):
        write(project, f"K = {factor}\n", "helper_of_f.py")
        assert values({"op": "function", "function": "features.py:f"}, project=project)[0][3] == factor * PRICE[3]
    assert not (project / "__pycache__").exists()


def test_a_function_in_a_file_that_is_not_there(project):
    with pytest.raises(NotFound):
        values({"op": "function", "function": "absent.py:f"}, project=project)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ({"op": "lag", "of": "prize"}, ColumnMissing),
        ({"op": "column"}, ColumnMissing),
        ({"op": "category", "values": ["a"]}, ColumnMissing),
        ({"op": "column", "of": "LEAD(price)"}, ExpressionInvalid),
        ({"name": "price", "op": "lag", "of": "price"}, Duplicated),
    ],
)
def test_features_that_cannot_be(spec, error):
    with pytest.raises(error):
        values(spec)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"op": "difference", "of": "kind"}, "the feature f needs numbers, .* String"),
        ({"op": "rolling_mean", "of": "kind", "window": 2}, "needs numbers"),
        ({"op": "rolling_max", "of": "list", "window": 2}, "needs numbers, .* List"),
        ({"op": "imbalance", "buy": "price", "sell": "kind"}, "needs numbers"),
        ({"op": "time_since", "when": "kind"}, "a condition is true or false, .* String"),
        ({"op": "category", "of": "list", "values": ["a"]}, "needs one value a row"),
    ],
)
def test_types_that_a_feature_cannot_be_made_of(spec, words):
    with pytest.raises(MixedTypes, match=words):
        values(spec, rows().with_columns(list=pl.concat_list("price")))


def test_a_feature_of_time_without_a_time():
    with pytest.raises(ColumnMissing, match=r"Set \[data\] time"):
        make(rows(), specs({"name": "f", "op": "calendar", "part": "hour"}), time=None, project=None)


def test_a_difference_of_unsigned_numbers_may_be_negative():
    frame = rows(3).with_columns(pl.Series("gas", [95, 4, 2**64 - 1], dtype=pl.UInt64))
    found = make(frame, specs({"name": "change", "op": "difference", "of": "gas"}), time="time", project=None).frame[
        "change"
    ]
    assert found.to_list() == [None, -91, 2**64 - 5]


def test_windows_of_windows_see_as_far_back_as_both_together():
    listed = specs(
        {"name": "change", "op": "difference", "of": "price"},
        {"name": "square", "op": "rolling_sum", "of": "change * change", "window": 4},
        {"name": "root", "op": "column", "of": "SQRT(square)"},
        {"name": "later", "op": "lag", "of": "root", "periods": 3},
        {"name": "alone", "op": "lag", "of": "count", "periods": 5},
    )
    made = make(rows(), listed, time="time", project=None)
    assert made.lookback == 1 + 3 + 3
    full = made.frame[made.lookback :]
    assert all(full[name].null_count() == 0 for name in made.names)
    assert made.frame[made.lookback - 1 : made.lookback]["later"].null_count() == 1


def test_a_scale_divides_whole_numbers_towards_zero():
    amounts = [None, 0, 999, 1000, -999, -1001, 5 * 10**18]
    frame = pl.DataFrame({"wei": pl.Series(amounts, dtype=pl.Int128)})
    for of, factor in (("wei", 1), ("wei * wei", None)):
        listed = specs({"name": "f", "op": "column", "of": of, "scale": 3})
        found = make(frame, listed, time=None, project=None).frame["f"].to_list()[:6]
        raw = [None if value is None else value * (factor or value) for value in amounts[:6]]
        assert found == [None if value is None else int(value / 1000) for value in raw]
    with pytest.raises(MixedTypes, match="scale = 3, which is for whole numbers"):
        make(frame, specs({"name": "f", "op": "column", "of": "wei / 2", "scale": 3}), time=None, project=None)
