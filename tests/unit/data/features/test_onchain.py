"""A dataset in which a feature is not the contract's number is refused, with the row."""

import datetime as dt
import random

import polars as pl
import pytest
from tests.unit.data.small import make_task

from assay.data.build import build
from assay.data.errors import OnchainDiffers, SettingsUnfit

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
ON = {"onchain": "observations"}


@pytest.fixture
def trades(tmp_path):
    luck, price, at, rows = random.Random(3), 10**12, START, []
    for _ in range(900):
        at += dt.timedelta(minutes=luck.choice([0, 5, 20, 50, 200] if len(rows) > 9 else [20]), seconds=1)
        price = int(price * luck.lognormvariate(0, 0.01))
        rows.append((at.isoformat(), price, luck.randrange(10**6)))
    pl.DataFrame(rows, schema=["at", "p", "v"], orient="row").write_csv(tmp_path / "t.csv")
    return tmp_path


def task(*features, price="p", **data):
    columns = [
        {"name": "price", "op": "last", "of": price, "onchain": "price"},
        {"name": "traded", "op": "sum", "of": "v", "onchain": "volume"},
    ]
    given = {
        "time": "at",
        "sources": [{"name": "t", "kind": "csv", "path": "t.csv"}],
        "bars": {"every": "1h", "columns": columns},
        "features": [{"name": "before", "op": "lag", "of": "price"}, *features],
        "drop": ["before"],
        "label": {"op": "forward_return", "of": "price"},
    }
    return make_task(given | data)


def test_features_that_are_the_contracts_are_built(trades, tmp_path):
    made = build(
        task(
            {"name": "move", "op": "column", "of": "(price - before) * 1000000 // before"} | ON,
            {"name": "sum", "op": "rolling_sum", "of": "move * move", "window": 12},
            {"name": "risk", "op": "column", "of": "CAST(FLOOR(SQRT(sum)) AS bigint)"} | ON,
            {"name": "hour", "op": "calendar", "part": "hour"} | ON,
            drop=["before", "sum"],
        ),
        trades,
        tmp_path / "data",
    )
    assert [one.name for one in made.manifest.features] == ["move", "risk", "hour"]


@pytest.mark.parametrize(
    ("feature", "error", "said"),
    [
        ({"op": "rolling_sum", "of": "price", "window": 4}, OnchainDiffers, "of type Float64"),
        ("price * price", None, None),
        ("price // (price - before)", None, None),
    ],
)
def test_others_are_refused(trades, tmp_path, feature, error, said):
    given = {"op": "column", "of": feature} if isinstance(feature, str) else feature
    made = task({"name": "f"} | given | ON)
    if error is None:
        build(made, trades, tmp_path / "data")
        return
    with pytest.raises((error, SettingsUnfit), match=said):
        build(made, trades, tmp_path / "data")


def test_numbers_that_the_contracts_bits_do_not_hold_are_refused(trades, tmp_path):
    feature = {"name": "f", "op": "column", "of": "price - before"} | ON
    with pytest.raises(SettingsUnfit, match=r"price .* 1 to 2\^56 - 1"):
        build(task(feature, price="p * 1000000"), trades, tmp_path / "data")
    with pytest.raises(SettingsUnfit, match="return of"):
        build(task(feature, price="CASE WHEN p % 50 = 0 THEN 1 ELSE p END"), trades, tmp_path / "data")


@pytest.mark.parametrize("wrap", [False, True])
def test_a_volume_that_wraps_around_on_the_chain_ends_no_history(trades, tmp_path, wrap):
    made = pl.read_csv(trades / "t.csv")
    made.with_columns(pl.when(pl.int_range(pl.len()) % 100 == 50).then(2**48 + 5).otherwise("v").alias("v")).write_csv(
        trades / "t.csv"
    )
    move = {"name": "move", "op": "column", "of": "price - before"} | ON
    build(task(move), trades, tmp_path / "without")
    flow = {"name": "flow", "op": "column", "of": "traded % 281474976710656" if wrap else "traded"} | ON
    if wrap:
        build(task(move, flow), trades, tmp_path / "data")
        return
    with pytest.raises(OnchainDiffers, match="the contract would say") as caught:
        build(task(move, flow), trades, tmp_path / "data")
    assert "modulo" in caught.value.todo


def test_a_difference_names_its_row():
    from assay.data.features.onchain import hold

    ends = [START + dt.timedelta(hours=n) for n in range(6)]
    frame = pl.DataFrame({"at": ends, "price": [5, 7, 9, 9, 4, 4], "traded": [0] * 6, "f": [None, 2, 2, 1, -5, 0]})
    made = task({"name": "f", "op": "difference", "of": "price"} | ON).data
    with pytest.raises(OnchainDiffers, match="f is 1 in row 4, and the contract would say 0"):
        hold(frame, made, "at")
    hold(frame, made, "at", newest=True)
    apart = frame.filter(pl.col("price") != 7)
    with pytest.raises(SettingsUnfit, match="bars were set aside"):
        hold(apart, made, "at")


def test_what_a_contracts_256_bits_do_not_hold_is_no_value():
    from assay.data.features.onchain import State
    from assay.task.onchain import Apply, Stored, Whole

    known = State([12, 24], {"x": [2**255 - 1, 2**255]})
    assert [known.value(Stored("x"), bar) for bar in (0, 1)] == [2**255 - 1, None]
    assert known.value(Apply("//", (Apply("*", (Stored("x"), Whole(2))), Whole(2))), 0) is None
    assert known.value(Apply("-", (Whole(0), Stored("x"))), 0) == 1 - 2**255
