"""Series side by side: what is made of many is what is made of each alone, and nothing passes between them."""

import datetime as dt
import re
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.data.small import SWAP, log, make_task, write_chain
from tests.unit.data.targets.test_labels_and_splits import OPS

from assay.data.build import _labelled, build
from assay.data.check import check
from assay.data.dataset.dataset import Dataset
from assay.data.errors import (
    ColumnMissing,
    ContractBroken,
    DataError,
    Duplicated,
    Leaks,
    MixedTypes,
    SettingsUnfit,
    TimeBackwards,
    TooFewRows,
)
from assay.data.features import leakage, series
from assay.data.features.features import make
from assay.data.rows import Rows
from assay.data.tables.gates import Quarantine
from assay.data.targets import labels
from assay.data.targets.splits import PARTS, split
from assay.task.data import Label, Split
from assay.task.errors import TaskContradiction

from .test_features import ALL, HONEST, LEAKING, specs, write

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
NAMES = {
    "text": ["B", "a", "ü", "", "zz"],
    "numbers": [7, -3, 0, 10**12, 4],
    "addresses": [bytes([n]) * 20 for n in (255, 0, 17, 128, 3)],
}
# A part of the time is of its row alone; and polars divides a lone number otherwise, in the last bit.
LISTED = specs(*({"name": f"f{index}"} | spec for index, spec in enumerate(ALL) if spec["op"] != "calendar"))


def panel(seed, lengths, names="text", moments=80):
    """Series of these lengths, at times of their own, with holes in their values; by time, then pool."""
    random = np.random.default_rng(seed)
    frames = []
    for name, length in zip(NAMES[names], lengths, strict=False):
        times = np.sort(random.choice(moments, length, replace=False))
        price = np.exp(np.cumsum(random.normal(0, 0.1, length)))
        price = [None if hole < 0.05 else p for hole, p in zip(random.random(length), price, strict=True)]
        columns = {
            "time": [START + dt.timedelta(minutes=37 * int(t)) for t in times],
            "pool": [name] * length,
            "price": [float("nan") if p and p > 1.5 else p for p in price],
            "bought": random.lognormal(size=length),
            "sold": random.lognormal(size=length),
            "count": random.integers(0, 50, length),
            "kind": random.choice(["a", "b", "c"], length).tolist(),
        }
        frames.append(pl.DataFrame(columns, schema_overrides={"time": pl.Datetime("us", "UTC"), "price": pl.Float64}))
    return series.in_time(pl.concat(frames), "time", "pool")


def stacked(frame, change):
    """What is made of each series alone, one after the other."""
    return pl.concat([change(part) for part in frame.partition_by("pool", maintain_order=True)])


panels = st.builds(
    panel,
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
    st.sampled_from(sorted(NAMES)),
)


@settings(max_examples=60)
@given(panels)
def test_features_are_those_of_each_series_alone(frame):
    found = make(frame, LISTED, time="time", project=None, entity="pool").frame
    alone = stacked(frame, lambda part: make(part, LISTED, time="time", project=None).frame)
    # To the last bit, and in the rows' own order.
    assert found.equals(series.in_time(alone, "time", "pool"), null_equal=True)
    assert found.select(frame.columns).equals(frame, null_equal=True)


@settings(max_examples=60)
@given(
    panels,
    st.sampled_from([*OPS, "forward_min", "forward_realised_volatility"]),
    st.integers(1, 6),
    st.integers(0, 4),
    st.sampled_from([(), (0.5, 1.0)]),
)
def test_labels_are_those_of_each_series_alone(frame, op, horizon, gap, edges):
    spec = Label.model_validate({"op": op, "of": "price", "horizon": horizon, "gap": gap, "edges": edges})
    found = labels.make(series.together(frame, "pool"), spec, "y", "pool")
    alone = stacked(series.together(frame, "pool"), lambda part: labels.make(part, spec, "y"))
    assert found.equals(alone, null_equal=True)


@settings(max_examples=40)
@given(panels, st.integers(1, 12), st.integers(0, 8))
def test_rows_without_windows_or_labels_are_left_out_of_each_series(frame, window, horizon):
    label = {"op": "forward_sum", "of": "bought", "horizon": horizon} if horizon else {"of": "bought"}
    task = make_task({"sources": [{"name": "rows", "kind": "csv", "path": "-"}], "label": label})
    listed = specs({"name": "f", "op": "rolling_sum", "of": "count", "window": window})

    def made_of(part, entity):
        rows = Rows(part, "time", {}, Quarantine(), entity=entity)
        made = make(part, listed, time="time", project=None, entity=entity)
        try:
            frame = _labelled(task, rows, made).drop(series.KNOWN, strict=False)
        except TooFewRows:
            frame = None
        return frame, {one.reason: one.count for one in rows.left_out}

    found, counts = made_of(frame, "pool")
    alone = [made_of(part, None) for part in frame.partition_by("pool")]
    kept = [part for part, _ in alone if part is not None]
    assert (found is None) == (not kept)
    if kept:
        assert found.equals(series.in_time(pl.concat(kept), "time", "pool"), null_equal=True)
    reasons = {reason for _, own in alone for reason in own}
    assert counts == {reason: sum(own.get(reason, 0) for _, own in alone) for reason in reasons}
    # Whatever is not there is counted.
    assert sum(counts.values()) == frame.height - (0 if found is None else found.height)


@settings(max_examples=30)
@given(panels, st.data())
def test_changing_the_future_of_all_series_moves_no_feature(frame, data):
    cut = data.draw(st.sampled_from(frame["time"].unique().sort().to_list()))
    past, future = frame.filter(pl.col("time") < cut), frame.filter(pl.col("time") >= cut)
    other = future.with_columns(pl.col("price") * 1000, pl.col("count") + 100)
    changed = pl.concat([past, other.sample(fraction=0.5, seed=1)])
    before, after = (
        make(one, LISTED, time="time", project=None, entity="pool").frame.filter(pl.col("time") < cut)
        for one in (frame, series.in_time(changed, "time", "pool"))
    )
    assert before.equals(after, null_equal=True)


def test_a_series_that_has_just_begun_is_no_leak(project):
    write(project, "import polars as pl\ndef f(rows):\n    return (pl.col('price') - 0.3) / 0.7\n")
    listed = specs({"name": "f", "op": "function", "function": "features.py:f"}, *LISTED)
    for seed in range(8):
        # Every pool begins at some time, and a moment may be cut off right behind that.
        frame = pools(tuple(range(40)), rows=12, seed=seed).filter(pl.int_range(pl.len()) % 7 < 2)
        frame = frame.rename({"at": "time"}).with_columns(
            pl.col("time").str.to_datetime(time_unit="us", time_zone="UTC"),
            bought=1.0,
            sold=2.0,
            count=3,
            kind=pl.lit("a"),
        )
        made = make(frame, listed, time="time", project=project, entity="pool")
        assert leakage.future(frame, made, listed, time="time", project=project, entity="pool", seed=seed) == []


def test_a_function_sees_one_series_at_a_time(project):
    write(project, HONEST)
    frame = panel(3, [40, 30, 20]).with_columns(pl.col("price").fill_null(1.0))
    listed = specs(
        {"name": "a", "op": "function", "function": "features.py:swing"},
        {"name": "b", "op": "function", "function": "features.py:plain"},
    )
    made = make(frame, listed, time="time", project=project, entity="pool")
    alone = stacked(frame, lambda part: make(part, listed, time="time", project=project).frame)
    assert made.frame.equals(series.in_time(alone, "time", "pool"), null_equal=True)
    assert leakage.future(frame, made, listed, time="time", project=project, entity="pool") == []


@pytest.mark.parametrize("body", LEAKING.values(), ids=LEAKING)
def test_functions_that_see_the_future_of_their_series_are_caught(project, body):
    write(project, f"import polars as pl\ndef f(rows):\n    return {body}\n")
    listed = specs({"name": "f", "op": "function", "function": "features.py:f"}, {"name": "g", **ALL[0]})
    frame = panel(1, [78, 75, 70, 66]).with_columns(pl.col("price").fill_null(1.0).fill_nan(1.5))
    made = make(frame, listed, time="time", project=project, entity="pool")
    found = leakage.future(frame, made, listed, time="time", project=project, entity="pool")
    assert [(leak.feature, leak.kind) for leak in found] == [("f", "future")]
    # The future begins with a time, not within one.
    cut = int(re.search(r"rows after row (\d+) were changed", found[0].what)[1])
    assert frame["time"][cut - 1] < frame["time"][cut]


@settings(max_examples=80)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(20, 70), min_size=2, max_size=5),
    st.integers(0, 5),
    st.one_of(st.none(), st.integers(0, 7)),
)
def test_no_time_is_in_two_parts_and_no_label_passes_a_boundary(seed, lengths, reach, embargo):
    frame = panel(seed, lengths)
    known = series.together(frame, "pool").with_columns(series.known("time", "pool", reach))
    frame = series.in_time(known.filter(series.after("pool") >= reach), "time", "pool")
    spec = Split.model_validate({"embargo": embargo})
    try:
        parts = split(frame, spec, timed=True, target="count", classes=False, reach=reach, time="time", entity="pool")
    except TooFewRows:
        return
    rows = frame.with_columns(parts.alias("part"))
    times = frame["time"].unique().sort().to_list()
    spans = [rows.filter(pl.col("part") == part)["time"] for part in PARTS]
    for earlier, later in pairwise(spans):
        between = times.index(later.min()) - times.index(earlier.max()) - 1
        assert between >= max(reach, embargo or 0)
    for part, later in zip(PARTS, spans[1:], strict=False):
        own = rows.filter(pl.col("part") == part)
        assert (own[series.KNOWN] < later.min()).all()
    # Nothing but the embargo and late labels is left out, and shares are as near as whole times allow.
    most = rows.group_by("time").len()["len"].max()
    for boundary, share in ((spans[1].min(), 0.6), (spans[2].min(), 0.8)):
        assert abs((rows["time"] < boundary).sum() - share * rows.height) <= most / 2 + 1
        left = rows.filter(pl.col("part").is_null() & (pl.col("time") < boundary))
        gone = times[max(times.index(boundary) - max(reach, embargo or 0), 0) : times.index(boundary)]
        if boundary == spans[1].min():
            assert ((pl.Series(left["time"]).is_in(gone)) | (left[series.KNOWN] >= boundary)).all()


def test_too_few_times_says_how_many_rows():
    frame = panel(0, [9] * 5, moments=9)
    with pytest.raises(TooFewRows, match=r"would have 0 of 45 rows, and needs 10\..*about 100 rows"):
        split(
            frame,
            Split.model_validate({"embargo": 2}),
            timed=True,
            target="count",
            classes=False,
            reach=0,
            time="time",
            entity="pool",
        )


POOL = {"name": "rows", "kind": "csv", "path": "rows.csv"}
FEATURES = [
    {"name": "ret", "op": "log_return", "of": "price"},
    {"name": "mean_3", "op": "rolling_mean", "of": "size", "window": 3},
]
NEXT = {"op": "forward_sum", "of": "size", "horizon": 2}


def pools(names=("A", "B", "C"), rows=60, seed=0):
    """A complete panel: every pool has every hour."""
    random = np.random.default_rng(seed)
    count = rows * len(names)
    return pl.DataFrame(
        {
            "at": [(START + dt.timedelta(hours=hour)).isoformat() for hour in range(rows) for _ in names],
            "pool": list(names) * rows,
            "price": np.exp(random.normal(0, 0.1, count)),
            "size": random.lognormal(size=count),
        }
    )


def built(project, frame, **data):
    frame.write_csv(project / "rows.csv")
    listed = {"sources": [POOL], "time": "at", "entity": "pool", "features": FEATURES, "label": NEXT} | data
    return build(make_task(listed, target="next"), project, project / "data")


def test_a_panel_becomes_a_dataset(project):
    dataset = built(project, pools())
    about, frame = dataset.manifest, dataset.frame()
    assert (about.entity, about.series, about.keep) == ("pool", 3, ("pool",))
    assert frame.columns == ["at", "pool", "ret", "mean_3", "next", "split"]
    assert {left.reason[:12]: left.count for left in about.left_out} == {
        "the features": 3 * 2,
        "their label ": 3 * 2,
        "embargo betw": 3 * 2 * 2,
    }
    assert frame.height == 180 - 24
    assert frame.select("at", "pool").equals(frame.select("at", "pool").sort("at", "pool"))
    alone = built(
        project, pools().filter(pl.col("pool") == "B"), split={"train": 0.5, "validation": 0.25, "test": 0.25}
    )
    own = alone.frame().drop("split").join(frame.drop("split"), on=["at", "pool"], suffix="_there")
    assert own.height > 40
    for name in ("ret", "mean_3", "next"):
        assert own[name].equals(own[f"{name}_there"])


def test_the_order_of_the_source_does_not_matter(project):
    frame = pools()
    whole = built(project, frame).hash
    assert built(project, frame.sort("pool", maintain_order=True)).hash == whole
    mixed = frame.sample(fraction=1.0, shuffle=True, seed=3)
    with pytest.raises(TimeBackwards, match=r"rows goes backwards in at at row \d+ \(pool [ABC]\)"):
        built(project, mixed)
    sorts = {"column": "at", "rule": "increasing", "on_fail": "repair:sort"}
    assert built(project, mixed, checks=[sorts]).hash == whole


def test_one_series_in_a_panel_is_one_series(project):
    frame = pools(("A",), rows=120)
    dataset = built(project, frame)
    rows = dataset.frame().drop("pool")
    assert (dataset.manifest.entity, dataset.manifest.series) == ("pool", 1)
    plain = built(project, frame, entity=None)
    assert plain.frame().equals(rows)
    # What is of one series says nothing of series.
    assert '"entity"' not in (plain.folder / "manifest.json").read_text()
    assert plain.hash != dataset.hash


def test_a_series_too_short_for_its_windows_is_left_out_and_counted(project):
    short = pools(("D",), rows=3, seed=1)
    dataset = built(project, pl.concat([pools(), short]).sort("at", maintain_order=True))
    assert dataset.manifest.series == 3
    assert [left.count for left in dataset.manifest.left_out][:2] == [3 * 2 + 2, 3 * 2 + 1]
    assert Dataset.load(dataset.folder).manifest.entity == "pool"


def test_by_default_the_entity_is_no_feature_and_listed_it_is(project):
    frame = pools((5, 9, 11)).with_columns(next=pl.col("size").shift(-3))
    frame = frame.head(frame.height - 3)
    dataset = built(project, frame, features=[], label={})
    assert dataset.features == ["price", "size"]
    assert dataset.manifest.left_out == ()
    dataset = built(project, frame, features=[{"name": "pool", "op": "column"}, FEATURES[0]], label={})
    assert dataset.features == ["pool", "ret"]
    assert set(dataset.frame()["pool"]) == {5, 9, 11}
    category = {"name": "number", "op": "category", "of": "pool", "values": ["A", "B", "C"]}
    assert built(project, pools(), features=[category, FEATURES[0]]).features == ["number", "ret"]


@pytest.mark.parametrize("names", sorted(NAMES))
def test_parts_may_divide_the_series(project, names):
    frame = pools(tuple(range(30)), rows=8).with_columns(pl.col("at").str.to_datetime(time_zone="UTC"))
    values = pl.Series([f"pool {n}" for n in range(30)])
    if names == "addresses":
        values = pl.Series([bytes([250 - n]) * 20 for n in range(30)])
    if names != "numbers":
        frame = frame.with_columns(values[frame["pool"]].alias("pool"))
    frame.write_parquet(project / "rows.parquet")
    data = {"time": "at", "entity": "pool", "features": FEATURES, "label": NEXT}
    source = {"name": "rows", "kind": "parquet", "path": "rows.parquet"}
    task = make_task(data | {"sources": [source], "split": {"by": "group", "group": "pool"}}, target="next")
    dataset = build(task, project, project / "data")
    found = dataset.frame().group_by("pool").agg(pl.col("split").n_unique())
    assert found["split"].to_list() == [1] * 30
    assert dataset.manifest.embargo == 0
    with pytest.raises(SettingsUnfit, match="2 rows ahead"):
        build(
            make_task(data | {"sources": [source], "split": {"by": "random"}}, target="next"), project, project / "out"
        )


def test_contracts_stay_within_a_series(project):
    frame = pools().with_columns(total=pl.int_range(pl.len()).over("pool") + 1000 * (pl.col("pool") == "B"))
    gone = (pl.col("pool") == "C") & (pl.int_range(pl.len()).over("pool") == 5)
    frame = frame.with_columns(size=pl.when(gone).then(-1.0).otherwise("size"))
    rules = [
        {"column": "total", "rule": "increasing"},
        {"column": "size", "rule": "at least 0", "on_fail": "repair:previous"},
    ]
    dataset = built(project, frame, checks=rules, keep=["size"])
    own = frame.filter(pl.col("pool") == "C")["size"]
    hour = START + dt.timedelta(hours=5)
    found = dataset.frame().filter((pl.col("pool") == "C") & (pl.col("at") == hour))["size"]
    assert found.to_list() == [own[4]]
    fallen = frame.with_columns(total=pl.when(gone).then(0).otherwise("total"))
    with pytest.raises(ContractBroken, match="1 of 180 rows"):
        built(project, fallen, checks=rules)


def test_the_check_of_a_panel(project):
    write(project, "def f(rows):\n    return rows['price'].shift(-1)\n")
    seen = {"name": "f", "op": "function", "function": "features.py:f"}
    with pytest.raises(Leaks, match="the feature f of row"):
        built(project, pools(), features=[*FEATURES, seen])
    data = {"sources": [POOL], "time": "at", "entity": "pool", "label": NEXT}
    report = check(make_task(data | {"features": [*FEATURES, seen]}, target="next"), project)
    assert [(leak.feature, leak.kind) for leak in report.leaks] == [("f", "future")]
    assert check(make_task(data | {"features": FEATURES}, target="next"), project).ok


def test_a_join_may_be_of_the_series(project):
    owners = pl.DataFrame({"pool": ["A", "B", "C"], "fee": [1, 5, 30]})
    owners.write_csv(project / "fees.csv")
    sources = [POOL, {"name": "fees", "kind": "csv", "path": "fees.csv"}]
    joins = [{"table": "fees", "on": ["pool"]}]
    frame = built(project, pools(), sources=sources, joins=joins, keep=["fee"]).frame()
    assert dict(frame.select("pool", "fee").unique().rows()) == {"A": 1, "B": 5, "C": 30}


def test_a_join_by_time_takes_the_same_series_from_a_table_in_any_order_of_series(project):
    quotes = pools(seed=5).select("at", "pool", quote="price").filter(pl.int_range(pl.len()) % 4 > 0)
    sources = [POOL, {"name": "quotes", "kind": "csv", "path": "quotes.csv"}]
    joins = [{"table": "quotes", "on": ["pool"], "delay": "90m"}]
    for ordered in (quotes, quotes.sort("pool", maintain_order=True)):
        ordered.write_csv(project / "quotes.csv")
        frame = built(project, pools(), sources=sources, joins=joins, keep=["quote"]).frame()
        for at, pool, quote in frame.select("at", "pool", "quote").head(60).rows():
            known = quotes.filter(pl.col("pool") == pool).filter(
                pl.col("at").str.to_datetime(time_zone="UTC") <= at - dt.timedelta(minutes=90)
            )
            assert quote == (known["quote"][-1] if known.height else None)


def _with(**columns):
    return pools().with_columns(**columns)


ROW = pl.int_range(pl.len())
BAD = {
    "a column that is not there": (pools(), {"entity": "pol"}, ColumnMissing, r"Did you mean pool\?"),
    "a column of fractions": (_with(pool=pl.col("price")), {}, MixedTypes, "is of type Float64"),
    "a row of no series": (
        _with(pool=pl.when(ROW != 7).then("pool")),
        {},
        ContractBroken,
        r"1 rows of rows have no pool \(\[data\] entity\), first row 8",
    ),
    "a row that is there twice": (
        pl.concat([pools(), pools().tail(1)]),
        {},
        Duplicated,
        r"rows has pool C at at 2024-01-03 11:00:00\+00:00 more than once \(row 181\)",
    ),
    "a time that goes backwards": (
        pl.concat([pools(), pools(("A",), rows=1, seed=1)]),
        {},
        TimeBackwards,
        r"backwards in at at row 181 \(pool A\): 2024-01-01 00:00:00\+00:00 after 2024-01-03 11:00:00",
    ),
    "no time": (pools(), {"time": None}, TaskContradiction, r"^\[data\] entity: the series have no time"),
    "the target": (pools(), {"entity": "next"}, TaskContradiction, r"^\[data\] entity: next is the target"),
    "the time": (pools(), {"entity": "at"}, TaskContradiction, r"^\[data\] entity: at is the time"),
    "a category in the entity's place": (
        pools(),
        {"features": [{"name": "pool", "op": "category", "values": ["A"]}]},
        Duplicated,
        "the feature pool has the name of a column",
    ),
    "windows that no series fills": (
        pools(),
        {"features": [{"name": "f", "op": "lag", "of": "size", "periods": 70}]},
        TooFewRows,
        "no row has both",
    ),
    "a function that fails on one series": (
        pools(),
        {"features": [{"name": "f", "op": "function", "function": "features.py:f"}]},
        DataError,
        "the feature f of pool B failed",
    ),
}


@pytest.mark.parametrize(("frame", "options", "error", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_leaves_nothing(project, frame, options, error, words):
    write(project, "def f(rows):\n    return rows['price'] / (1 // (rows['pool'][0] != 'B'))\n")
    with pytest.raises(error, match=words) as caught:
        built(project, frame, **options)
    assert "\n" not in str(caught.value)
    assert not (project / "data").exists()


def test_events_without_blocks_have_no_time(project):
    write_chain(project / "chain" / "pool", [log(block, 0, [5, -5, 1, True]) for block in range(99)])
    source = {"name": "pool", "kind": "cryo", "folder": "chain/pool", "datasets": ["logs"]}
    data = {"sources": [source], "events": [{"name": "swap", "signature": SWAP}], "entity": "address"}
    with pytest.raises(SettingsUnfit, match=r"\[data\] entity is address, and the rows of swap have no time"):
        build(make_task(data, target="fee"), project, project / "data")


def test_rows_of_no_series_can_be_set_aside(project):
    frame = _with(pool=pl.when(ROW != 7).then("pool"))
    there = {"column": "pool", "table": "rows", "rule": "not missing", "on_fail": "quarantine"}
    dataset = built(project, frame, checks=[there])
    assert (dataset.manifest.quarantined, dataset.manifest.series) == (1, 3)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_pools_of_a_chain(tmp_path_factory, seed):
    """From the logs of two pools to rows, each as if the other pool were not there."""
    random = np.random.default_rng(seed)
    pools = ["0x" + name * 20 for name in ("fe", "0a")]
    rows = []
    for block in range(600):
        for index in range(int(random.integers(0, 3))):
            pool = pools[int(random.integers(0, 2))]
            values = [int(random.integers(1, 1 << 60)), -5, int(random.integers(1, 9000)), True]
            rows.append(log(block, index, values, address=pool))
    project = tmp_path_factory.mktemp("pools")
    write_chain(project / "chain" / "pool", rows, 0, 599, chunk=170)

    def dataset(name, **changes):
        data = {
            "sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool"}],
            "events": [{"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}} | changes],
            "bars": {
                "every": "5 blocks",
                "columns": [
                    {"name": "volume", "op": "sum", "of": "amountIn"},
                    {"name": "fee", "op": "last", "of": "fee"},
                ],
            },
            "features": [{"name": "volume_5", "op": "volume", "of": "volume", "window": 5}],
            "label": {"op": "forward_sum", "of": "volume", "horizon": 3},
            "keep": ["fee"],
            "entity": None if changes else "address",
        }
        return build(make_task(data, target="next"), project, project / name).frame()

    both = dataset("both")
    for pool in pools:
        own = both.filter(pl.col("address") == bytes.fromhex(pool[2:])).drop("address", "split")
        alone = dataset(pool, contract=pool).drop("split")
        # Alone it has every bar of the chain, and here from its own first row on.
        alone = alone.filter(pl.col("time").is_in(own["time"].to_list()))
        assert own.height > 60
        assert own.join(alone, on="time", how="anti").height < own.height
        shared = own.filter(pl.col("time").is_in(alone["time"].to_list()))
        assert shared.equals(alone, null_equal=True)
