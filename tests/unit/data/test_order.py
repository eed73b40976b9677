"""Rows in time: what numbers count, times that repeat, copies across the parts, labels that are there already."""

import datetime as dt
import random

import polars as pl
import pytest

from assay.data.build import build
from assay.data.check import check
from assay.data.errors import Duplicated, Leaks, MixedTypes, SettingsUnfit

from .small import make_task

START = dt.datetime(2024, 12, 29, 12, tzinfo=dt.UTC)
HOURS = [START + dt.timedelta(hours=hour) for hour in range(120)]
CSV = {"name": "rows", "kind": "csv", "path": "rows.csv"}


def ms(moment):
    return int(moment.timestamp()) * 1000


def numbers(rows=120, seed=1):
    random.seed(seed)
    return pl.DataFrame({"x": [random.random() for _ in range(rows)], "y": [random.random() for _ in range(rows)]})


def built(project, frame, source=None, **data):
    frame.write_csv(project / "rows.csv")
    return build(make_task({"sources": [CSV | (source or {})], **data}), project, project / "data")


def test_files_that_change_their_unit_are_read_each_in_its_own(project):
    new = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    frame = numbers().with_columns(t=pl.Series([ms(one) * (1000 if one >= new else 1) for one in HOURS]))
    (project / "k").mkdir()
    frame.head(60).write_csv(project / "k" / "2024-12.csv")
    frame.tail(60).write_csv(project / "k" / "2025-01.csv")
    data = {"sources": [CSV | {"path": "k/*.csv"}], "time": "t"}
    dataset = build(make_task(data), project, project / "data")
    assert dataset.frame()["t"].to_list() == HOURS
    assert dataset.manifest.notes == (
        "t of rows counts ms in 60 and us in 60 rows: each value is read in the unit in which it is plausible",
    )
    assert "note: t of rows counts ms in 60" in str(check(make_task(data), project))
    declared = make_task({**data, "sources": [CSV | {"path": "k/*.csv", "time_unit": "ms"}]})
    with pytest.raises(MixedTypes, match=r"lies in no year"):
        build(declared, project, project / "other")
    declared = make_task({**data, "sources": [CSV | {"path": "k/*.csv", "time_unit": "us"}]})
    with pytest.raises(MixedTypes, match="counts in another unit than us, which others are plausible in"):
        build(declared, project, project / "other")


def test_quotes_of_two_units_are_joined_by_their_times(project):
    new = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    quotes = {"t": [ms(one) * (1000 if one >= new else 1) for one in HOURS], "hour": list(range(120))}
    pl.DataFrame(quotes).write_csv(project / "q.csv")
    sources = [CSV, {"name": "q", "kind": "csv", "path": "q.csv", "time": "t"}]
    numbers().with_columns(at=pl.Series([one.isoformat() for one in HOURS])).write_csv(project / "rows.csv")
    data = {"sources": sources, "time": "at", "joins": [{"table": "q"}]}
    assert build(make_task(data), project, project / "data").frame()["hour"].to_list() == list(range(120))


@pytest.mark.parametrize(
    ("make", "todo", "source"),
    [
        (lambda day: int(day.strftime("%Y%m%d")), 'time_format = "%Y%m%d"', {"time_format": "%Y%m%d"}),
        (lambda day: (day - dt.date(1899, 12, 30)).days, 'time_unit = "excel"', {"time_unit": "excel"}),
        (lambda day: (day - dt.date(1970, 1, 1)).days, 'time_unit = "d"', {"time_unit": "d"}),
        (lambda day: int(day.strftime("%Y%m%d") + "120000"), '"%Y%m%d%H%M%S"', {"time_format": "%Y%m%d%H%M%S"}),
        (lambda day: day.strftime("%d/%m/%Y"), 'time_format = "%d/%m/%Y"', {"time_format": "%d/%m/%Y"}),
        (lambda day: day.strftime("%b %d, %Y"), 'time_format = "%b %d, %Y"', {"time_format": "%b %d, %Y"}),
        (lambda day: int(day.strftime("%d%m%Y")), "Correct it", {"time_format": "%d%m%Y"}),
    ],
)
def test_dates_as_numbers_are_refused_with_what_to_write_and_read_once_it_is_written(project, make, todo, source):
    days = [dt.date(2024, 1, 1) + dt.timedelta(days=day) for day in range(120)]
    frame = numbers().with_columns(date=pl.Series([make(day) for day in days]))
    with pytest.raises(MixedTypes) as caught:
        built(project, frame, time="date")
    assert todo in str(caught.value)
    assert "row 1" in str(caught.value)
    assert [at.date() for at in built(project, frame, source=source, time="date").frame()["date"]] == days


def test_a_value_that_is_not_of_the_form_is_named(project):
    frame = numbers().with_columns(date=pl.Series(["31/01/2024"] * 60 + ["2024-02-01"] * 60))
    with pytest.raises(MixedTypes, match=r"'2024-02-01' of date in row 61 of .* does not have the form '%d/%m/%Y'"):
        built(project, frame, source={"time_format": "%d/%m/%Y"}, time="date")
    frame.with_columns(t=pl.Series(HOURS)).write_parquet(project / "rows.parquet")
    source = {"name": "rows", "kind": "parquet", "path": "rows.parquet", "time_unit": "s"}
    with pytest.raises(SettingsUnfit, match=r"time_unit is given, and the time column t of .* is of type Datetime"):
        build(make_task({"sources": [source], "time": "t"}), project, project / "data")


def test_blocks_order_rows_without_being_times(project):
    frame = numbers().with_columns(block_number=pl.Series([19_000_000 + 7200 * row for row in range(120)]))
    source = {"time_unit": "order"}
    label = {"op": "forward_value", "of": "x", "horizon": 3}
    dataset = built(project, frame, source=source, time="block_number", label=label)
    assert (dataset.manifest.split, dataset.manifest.embargo) == ("time", 3)
    found = dataset.frame()
    assert found["block_number"].is_sorted()
    following = dict(zip(frame["block_number"], frame["x"].shift(-3), strict=True))
    assert found["y"].to_list() == [following[block] for block in found["block_number"]]
    assert dataset.manifest.rows["train"].first_time == "19000000"
    for data, words in (
        ({"features": [{"name": "h", "op": "calendar", "part": "hour"}]}, "the feature h needs moments"),
        ({"bars": {"every": "1h", "columns": [{"name": "y", "op": "last", "of": "y"}]}}, "only orders rows"),
    ):
        with pytest.raises(SettingsUnfit, match=words):
            built(project, frame, source=source, time="block_number", **data)


def test_rows_that_look_like_a_series_are_split_at_random_only_on_request(project):
    frame = numbers().with_columns(
        date=pl.Series([str(one.date() - dt.timedelta(days=i)) for i, one in enumerate(HOURS)])
    )
    with pytest.raises(SettingsUnfit, match="the column date looks like times") as caught:
        built(project, frame)
    assert 'Write [data] time = "date"; if the rows have no order, [data.split] by = "random".' in str(caught.value)
    dataset = built(project, frame, split={"by": "random"})
    assert dataset.features == ["x"]
    assert built(project, frame, drop=["date"]).manifest.split == "random"
    unix = numbers().with_columns(open_time=pl.Series([ms(one) for one in HOURS]))
    dataset = built(project, unix, split={"by": "random"})
    assert dataset.features == ["x"]
    assert [one.reason for one in dataset.manifest.left_out if "open_time" in one.what] == ["it looks like times"]
    told = built(
        project, unix, split={"by": "random"}, features=[{"name": n, "op": "column"} for n in ("x", "open_time")]
    )
    assert told.features == ["x", "open_time"]


def test_a_second_column_of_times_is_named(project):
    frame = numbers().with_columns(
        at=pl.Series([ms(one) for one in HOURS]), close_time=pl.Series([ms(o) + 9 for o in HOURS])
    )
    dataset = built(project, frame, time="at")
    assert dataset.features == ["x"]
    assert "close_time looks like times and is not used" in dataset.manifest.notes
    assert "close_time" in str(check(make_task({"sources": [CSV], "time": "at"}), project))


def two_pools(rows=80):
    random.seed(3)
    hours = HOURS[:rows]
    made = [(one.isoformat(), "A", 10 + random.random()) for one in hours]
    made += [(one.isoformat(), "Z", 1000 + random.random()) for one in hours[::2]]
    return pl.DataFrame(sorted(made), schema=["at", "pool", "price"], orient="row")


POOLS = {
    "time": "at",
    "keep": ["price"],
    "trusted": ["before"],
    "features": [{"name": "before", "op": "lag", "of": "price"}],
    "label": {"op": "forward_value", "of": "price"},
}


def test_times_that_repeat_are_several_series_or_refused(project):
    with pytest.raises(Duplicated, match=r"40 times of at are in rows more than once \(first 2024-12-29") as caught:
        built(project, two_pools(), **POOLS)
    assert '[data] entity = "pool"' in str(caught.value)
    found = built(project, two_pools(), entity="pool", **POOLS).frame()
    assert all((now > 500) == (before > 500) for now, before in zip(found["price"], found["before"], strict=True))
    assert all((now > 500) == (y > 500) for now, y in zip(found["price"], found["y"], strict=True))


def test_times_that_may_repeat_stay_on_one_side_of_a_boundary(project):
    dataset = built(project, two_pools(), may_repeat=["times"], **POOLS)
    parts = dataset.frame().group_by("at").agg(pl.col("split").n_unique())
    assert parts["split"].max() == 1
    frame = numbers(60).with_columns(at=pl.Series([ms(one) for one in HOURS[:60]]))
    with pytest.raises(Duplicated, match="Some of them are copies of each other"):
        built(project, pl.concat([frame, frame.tail(3)]).sort("at"), time="at")


def test_a_quote_that_is_there_twice_is_not_chosen_in_silence(project):
    numbers().with_columns(at=pl.Series([ms(one) for one in HOURS])).write_csv(project / "rows.csv")
    quotes = two_pools().rename({"price": "quote"})
    quotes.write_csv(project / "q.csv")
    sources = [CSV, {"name": "q", "kind": "csv", "path": "q.csv"}]
    data = {"sources": sources, "time": "at", "joins": [{"table": "q", "columns": ["quote"]}]}
    with pytest.raises(Duplicated, match=r"40 times of at are in q more than once .* only one can be joined"):
        build(make_task(data), project, project / "data")
    last = build(make_task({**data, "may_repeat": ["times"]}), project, project / "data").frame()
    assert last["quote"][0] > 500


def test_copies_of_training_rows_among_those_that_test_are_refused(project):
    frame = pl.concat([numbers()] * 3).sample(fraction=1, shuffle=True, seed=3)
    with pytest.raises(Leaks, match=r"\d+ of 144 rows that validate and test are training rows as well") as caught:
        built(project, frame)
    assert caught.value.code == "data/leak"
    report = check(make_task({"sources": [CSV]}), project)
    assert (report.ok, "training rows as well" in str(report)) == (False, True)
    dataset = built(project, frame, may_repeat=["rows"])
    train = set(dataset.frame("train").select("x", "y").iter_rows())
    judged = [row for part in ("validation", "test") for row in dataset.frame(part).select("x", "y").iter_rows()]
    copies = sum(row in train for row in judged)
    assert copies > 100
    assert dataset.manifest.notes == (
        f"{copies} of 144 rows that validate and test are training rows as well, label included",
    )


def test_one_copy_is_refused_and_named_where_it_is_declared(project):
    frame = numbers(200).with_columns(z=pl.Series([random.random() for _ in range(200)]))
    says = "1 of 80 rows that validate and test are training rows as well, label included"
    twice = pl.concat([frame, frame.head(1)])
    apart = [seed for seed in range(20) if copies_of(project, twice, seed)]
    assert apart, "no seed divides the copy from its row"
    with pytest.raises(Leaks, match=says) as caught:
        built(project, twice, split={"by": "random", "seed": apart[0]})
    assert 'write [data] may_repeat = ["rows"]' in str(caught.value)
    declared = built(project, twice, split={"by": "random", "seed": apart[0]}, may_repeat=["rows"])
    assert declared.manifest.notes == (says,)


def copies_of(project, frame, seed):
    """How many rows that validate and test are training rows, counted here."""
    parts = built(project, frame, split={"by": "random", "seed": seed}, may_repeat=["rows"]).frame()
    train = set(parts.filter(pl.col("split") == "train").select("x", "z", "y").iter_rows())
    others = parts.filter(pl.col("split").is_in(["validation", "test"])).select("x", "z", "y")
    return sum(row in train for row in others.iter_rows())


def test_rows_of_few_values_are_no_copies_and_are_named(project):
    random.seed(5)
    few = pl.DataFrame({name: [random.randrange(3) for _ in range(300)] for name in ("a", "b", "y")})
    assert "label included, as chance alone makes rows of so few values" in built(project, few).manifest.notes[0]
    # A pool that mostly stands still: the same state comes again, in time.
    still = numbers(120).with_columns(
        pl.when(pl.int_range(pl.len()) % 3 > 0).then(0.0).otherwise(pl.col("x")).alias("x"),
        pl.when(pl.int_range(pl.len()) % 3 > 0).then(0.0).otherwise(pl.col("y")).alias("y"),
        at=pl.Series([ms(one) for one in HOURS]),
    )
    with pytest.raises(Leaks, match="a state that comes again"):
        built(project, still, time="at")
    assert "training rows as well" in built(project, still, time="at", may_repeat=["rows"]).manifest.notes[-1]


def ready_made(ahead=5, rows=120):
    random.seed(2)
    price = [100 + random.random() for _ in range(rows)]
    later = [*price[ahead:], *[None] * ahead]
    return pl.DataFrame({"at": [ms(one) for one in HOURS[:rows]], "price": price, "y": later})


def test_a_ready_made_label_has_the_horizon_that_the_task_says(project):
    dataset = built(project, ready_made(), time="at", label={"horizon": 5})
    about = dataset.manifest
    assert (about.horizon, about.embargo) == (5, 5)
    # The last rows have no label yet; those before each boundary see rows behind it.
    assert sum(part.rows for part in about.rows.values()) == 120 - 5 - 2 * 5
    assert ("rows", 5, "their label sees beyond the last row") in [(o.what, o.count, o.reason) for o in about.left_out]
    gap = built(project, ready_made(), time="at", label={"horizon": 3, "gap": 2}).manifest
    assert (gap.horizon, gap.embargo) == (5, 5)
    full = built(project, ready_made().fill_null(1.0), time="at", label={"horizon": 5}).manifest
    assert sum(part.rows for part in full.rows.values()) == 120 - 2 * 5
    with pytest.raises(SettingsUnfit, match="the label sees 5 rows ahead"):
        built(project, ready_made().drop("at"), label={"horizon": 5})


def test_the_first_feature_drops_no_other_column_in_silence(project):
    frame = numbers().with_columns(at=pl.Series([ms(one) for one in HOURS]), z=pl.Series([i % 7 for i in range(120)]))
    feature = {"name": "before", "op": "lag", "of": "x"}
    assert built(project, frame, time="at").features == ["x", "z"]
    listed = built(project, frame, time="at", features=[feature])
    assert listed.features == ["before"]
    why = "features are listed, and it is not among them"
    assert [(one.what, one.reason) for one in listed.manifest.left_out if one.what != "rows"] == [("column z", why)]
    assert built(project, frame, time="at", features=[feature], drop=["z"]).manifest.left_out[-1].what == "rows"
    both = built(project, frame, time="at", features=[feature], all_columns=True)
    assert both.features == ["before", "z"]
    with pytest.raises(SettingsUnfit, match="no features"):
        built(project, frame, time="at", all_columns=False)
