import math
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.errors import ColumnMissing, DataError, MixedTypes, TooFewRows
from assay.data.targets import labels
from assay.data.targets.splits import FEWEST, PARTS, split
from assay.task.data import Label, Split

PRICE = [1.0, 2.0, 4.0, 3.0, 6.0, 5.0, 8.0]
FRAME = pl.DataFrame({"price": PRICE, "y": [0, 1, 0, 1, 0, 1, 0]})


def label(**options):
    return labels.make(FRAME, Label.model_validate(options), "target")["target"].to_list()


@pytest.mark.parametrize("options", [{"op": "forward_mean"}, {"op": "forward_return"}, {"op": "column", "edges": [1]}])
def test_a_label_of_text_is_refused(options):
    frame = pl.DataFrame({"t": ["a", "b"]})
    with pytest.raises(MixedTypes, match=r"\[data.label\] needs numbers, .* String"):
        labels.make(frame, Label.model_validate({"of": "t"} | options), "target")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"op": "forward_value", "horizon": 2}, [4.0, 3.0, 6.0, 5.0, 8.0]),
        ({"op": "forward_return"}, [1.0, 1.0, -0.25, 1.0, -1 / 6, 0.6]),
        ({"op": "forward_return", "horizon": 2, "gap": 1}, [3 / 2 - 1, 6 / 4 - 1, 5 / 3 - 1, 8 / 6 - 1]),
        ({"op": "forward_log_return"}, [math.log(b / a) for a, b in pairwise(PRICE)]),
        ({"op": "forward_sum", "horizon": 2}, [6.0, 7.0, 9.0, 11.0, 13.0]),
        ({"op": "forward_mean", "horizon": 2, "gap": 1}, [3.5, 4.5, 5.5, 6.5]),
        ({"op": "forward_max", "horizon": 3}, [4.0, 6.0, 6.0, 8.0]),
        ({"op": "forward_min", "horizon": 3}, [2.0, 3.0, 3.0, 5.0]),
        (
            {"op": "forward_realised_volatility", "horizon": 2},
            [
                math.hypot(math.log(b / a), math.log(c / b))
                for a, b, c in zip(PRICE, PRICE[1:], PRICE[2:], strict=False)
            ],
        ),
        ({"op": "forward_value", "horizon": 1, "edges": [3.0, 5.5]}, [0, 1, 0, 2, 1, 2]),
        ({"op": "column", "of": "price > 3"}, [False, False, True, False, True, True, True]),
    ],
)
def test_labels_are_of_the_rows_ahead(options, expected):
    found = label(of="price") if not options else label(**({"of": "price"} | options))
    reach = Label.model_validate({"of": "price"} | options).reach
    assert found[: len(PRICE) - reach] == pytest.approx(expected)
    # And missing where they would see beyond the last row.
    assert found[len(PRICE) - reach :] == [None] * reach


def test_the_target_may_be_in_the_data():
    assert labels.make(FRAME, Label(), "y")["y"].to_list() == FRAME["y"].to_list()
    with pytest.raises(ColumnMissing):
        labels.make(FRAME, Label(), "z")


OPS = ["forward_value", "forward_return", "forward_log_return", "forward_sum", "forward_mean", "forward_max"]


@settings(max_examples=60)
@given(
    st.sampled_from([*OPS, "forward_min", "forward_realised_volatility"]),
    st.integers(1, 6),
    st.integers(0, 4),
    st.data(),
)
def test_a_label_depends_on_the_rows_of_its_horizon_only(op, horizon, gap, data):
    """Rows beyond the horizon are replaced, to the last bit; and so are rows before."""
    price = np.exp(np.cumsum(np.random.default_rng(horizon).normal(0, 0.1, 60)))
    row = data.draw(st.integers(0, 60 - gap - horizon - 1))
    spec = Label.model_validate({"op": op, "of": "price", "horizon": horizon, "gap": gap})
    other = price.copy()
    other[row + gap + horizon + 1 :] *= 7
    # Returns begin at the row itself, or at the end of the gap.
    first = (
        row + gap + 1
        if op in {"forward_value", "forward_sum", "forward_mean", "forward_max", "forward_min"}
        else row + gap
    )
    other[:first] *= 3
    before, after = (labels.make(pl.DataFrame({"price": p}), spec, "t")["t"] for p in (price, other))
    assert before[row] == after[row]
    assert before[row] is not None


def rows(count, classes=2, seed=0):
    random = np.random.default_rng(seed)
    return pl.DataFrame({"y": random.integers(0, classes, count), "g": random.integers(0, count // 5 + 1, count)})


def parts_of(frame, reach=0, *, timed=False, classes=True, **options):
    return split(frame, Split.model_validate(options), timed=timed, target="y", classes=classes, reach=reach)


@settings(max_examples=60)
@given(st.integers(100, 400), st.integers(0, 8), st.one_of(st.none(), st.integers(0, 8)))
def test_no_label_of_a_part_sees_rows_of_another(count, reach, embargo):
    parts = parts_of(rows(count), reach, timed=True, embargo=embargo).to_list()
    assert [part for part, after in zip(parts, [*parts[1:], None], strict=True) if part and part != after] == list(
        PARTS
    )
    for row, part in enumerate(parts):
        if part is not None:
            assert {parts[ahead] for ahead in range(row, min(row + reach + 1, count))} <= {part, None}
    assert parts.count(None) == 2 * max(embargo or 0, reach)


def test_shares_are_as_asked():
    for by, timed in (("time", True), ("random", False)):
        parts = parts_of(rows(1000), timed=timed, by=by, train=0.7, validation=0.1, test=0.2)
        assert [parts.to_list().count(part) for part in PARTS] == pytest.approx([700, 100, 200], abs=2)


def test_each_class_has_its_share():
    frame = pl.DataFrame({"y": [0] * 900 + [1] * 100})
    parts = parts_of(frame)
    for name, share in zip(PARTS, (0.6, 0.2, 0.2), strict=True):
        assert int(((parts == name) & (frame["y"] == 1)).sum()) == 100 * share


def test_a_group_is_never_divided():
    frame = rows(500)
    parts = parts_of(frame, by="group", group="g")
    found = frame.with_columns(parts).group_by("g").agg(pl.col("split").n_unique())
    assert found["split"].to_list() == [1] * found.height
    assert [parts.to_list().count(part) for part in PARTS] == pytest.approx([300, 100, 100], abs=25)


def test_a_seed_repeats_and_another_one_differs():
    frame = rows(200)
    assert parts_of(frame).equals(parts_of(frame))
    assert not parts_of(frame).equals(parts_of(frame, seed=8))


@pytest.mark.parametrize("count", [1, 10, 4 * FEWEST])
def test_too_few_rows_says_how_many(count):
    with pytest.raises(TooFewRows, match=r"about [0-9]+ rows"):
        parts_of(rows(count), reach=5, timed=True)


@pytest.mark.parametrize(
    ("options", "reach", "word"),
    [
        ({"by": "time"}, 0, "no time"),
        ({"by": "random"}, 3, "3 rows ahead"),
        ({"by": "group", "group": "absent"}, 0, "absent"),
    ],
)
def test_splits_that_make_no_sense(options, reach, word):
    with pytest.raises(DataError, match=word):
        parts_of(rows(200), reach, **options)
