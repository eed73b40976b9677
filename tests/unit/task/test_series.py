"""What rows say of time: readings of a column, columns that look like times, how far a label looks."""

import datetime as dt
import random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.task import series, times

FIRST = dt.datetime(2024, 1, 25, tzinfo=dt.UTC)
DAYS = [FIRST + dt.timedelta(days=day) for day in range(120)]


def excel(day):
    return (day.date() - dt.date(1899, 12, 30)).days


def unix(day, per=1):
    return int(day.timestamp()) * per


def written(values, **options):
    return [one.written for one in times.readings(pl.Series("x", values), **options)]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (unix, ['time_unit = "s"']),
        (lambda day: unix(day, 1_000), ['time_unit = "ms"']),
        (lambda day: unix(day, 1_000_000), ['time_unit = "us"']),
        (lambda day: unix(day, 1_000_000_000), ['time_unit = "ns"']),
        (lambda day: float(unix(day)) + 0.25, ['time_unit = "s"']),
        (lambda day: int(day.strftime("%Y%m%d")), ['time_format = "%Y%m%d"']),
        (lambda day: float(day.strftime("%Y%m%d")), ['time_format = "%Y%m%d"']),
        (lambda day: int(day.strftime("%Y%m%d%H%M")), ['time_format = "%Y%m%d%H%M"']),
        (lambda day: int(day.strftime("%Y%m%d%H%M%S")), ['time_format = "%Y%m%d%H%M%S"']),
        (lambda day: int(day.strftime("%Y%m")), ['time_format = "%Y%m"']),
        # Of these two only a person, or the calendar on the wall, knows.
        (excel, ['time_unit = "d"', 'time_unit = "excel"']),
        (lambda day: int(day.strftime("%Y%m%d%H")), ['time_unit = "s"', 'time_format = "%Y%m%d%H"']),
        (lambda day: day.strftime("%d/%m/%Y"), ['time_format = "%d/%m/%Y"']),
        (lambda day: day.strftime("%m/%d/%Y %H:%M"), ['time_format = "%m/%d/%Y %H:%M"']),
        (lambda day: day.strftime("%d.%m.%Y"), ['time_format = "%d.%m.%Y"']),
        (lambda day: day.strftime("%b %d, %Y"), ['time_format = "%b %d, %Y"']),
        (lambda day: day.strftime("%m/%d/%y %I:%M %p"), ['time_format = "%m/%d/%y %I:%M %p"']),
        (lambda day: day.strftime("%Y-%m-%d"), [""]),
        (lambda day: day.isoformat(), [""]),
        (lambda day: "Zürich", []),
        (lambda day: "192.168.10.1", []),
        (lambda day: day.day, []),
        (lambda day: 10**18 * day.day, []),
    ],
)
def test_a_column_reads_as_times_only_where_all_its_values_do(make, said):
    assert written([make(day) for day in DAYS]) == said


def test_what_is_read_is_the_day_that_was_written():
    for make in (unix, excel, lambda day: int(day.strftime("%Y%m%d")), lambda day: day.strftime("%d/%m/%Y")):
        values = pl.Series("x", [make(day) for day in DAYS])
        reading = times.readings(values, end=series.lately())[0]
        assert times.moments(values, reading).to_list() == DAYS


def test_two_orders_of_day_and_month_are_both_named():
    assert written(["01/02/2024", "02/03/2024"]) == ['time_format = "%d/%m/%Y"', 'time_format = "%m/%d/%Y"']


@given(st.integers(315_532_800, 4_102_444_799), st.sampled_from(times.UNITS))
def test_a_number_is_plausible_in_one_unit_only(seconds, unit):
    number = pl.Series("x", [int(seconds * times.PER_SECOND[unit])])
    found = [one.unit for one in times.readings(number) if one.unit is not None]
    assert found == [unit]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d/%m", "names no year"),
        ("%Y-%Q", "%Q is no part of a time"),
        ("%Y %", "% is no part of a time"),
        ("%Y%f", "write a fraction of a second as %.f"),
        ("%Y-%m-%dT%H:%M:%S%.f%#z", None),
        ("%d/%m/%y %I:%M %p", None),
        ("100%% %Y", None),
    ],
)
def test_a_form_that_cannot_be(form, words):
    problem = times.problem(form)
    assert problem == words if words is None else words in problem


TABLE = {"close": [100.0 + (day * 37 % 11) for day in range(120)]}


@pytest.mark.parametrize(
    ("name", "make", "looks"),
    [
        ("block_time", lambda day: day.strftime("%Y-%m-%d %H:%M:%S.000 UTC"), True),
        ("open_time", lambda day: unix(day, 1000), True),
        ("unix", unix, True),
        ("snapped_at", lambda day: day.strftime("%Y-%m-%d 00:00:00 UTC"), True),
        ("block_number", lambda day: 19_000_000 + 7200 * day.toordinal(), True),
        ("whatever", lambda day: day.strftime("%Y-%m-%d"), True),
        ("x", unix, True),  # grows by equal steps
        ("date", excel, True),
        ("step", lambda day: day.toordinal(), True),
        ("amount", lambda day: unix(day) + day.day * 1_000_003 % 7919, False),
        ("id", lambda day: day.toordinal(), False),
        ("days", lambda day: 20_000 + day.day, False),
        ("price", lambda day: 17e8 + 1e7 * (day.day * 37 % 11), False),
        ("state", lambda day: "ab"[day.day % 2], False),
        ("report_date", lambda day: "2024-01-01", False),  # the same for all
    ],
)
def test_columns_that_look_like_times(name, make, looks):
    for rows in (DAYS, DAYS[::-1]):
        frame = pl.DataFrame({name: [make(day) for day in rows], **TABLE})
        assert [one.column for one in series.time_like(frame)] == [name] * looks


def test_the_likeliest_comes_first():
    frame = pl.DataFrame(
        {
            "block_number": [19_000_000 + i for i in range(120)],
            "close_time": [unix(day, 1000) + 999 for day in DAYS],
            "open_time": [unix(day, 1000) for day in DAYS],
            "listed": [dt.date(2020, 1, 1 + i % 7) for i in range(120)],
        }
    )
    found = series.time_like(frame)
    assert [one.column for one in found] == ["close_time", "open_time", "listed", "block_number"]
    assert found[-1].declared == 'time_unit = "order"'
    assert [one.direction for one in found] == ["up", "up", None, "up"]


def walk(rows=200):
    random.seed(3)
    made = [100.0]
    for _ in range(rows - 1):
        made.append(made[-1] * (1 + random.gauss(0, 0.02)))
    return made


@pytest.mark.parametrize("ahead", [1, 5, 24])
@pytest.mark.parametrize(
    ("how", "make"),
    [
        ("the value", lambda now, later: later),
        ("the change", lambda now, later: round(later - now, 4)),
        ("the return", lambda now, later: round(later / now - 1, 5)),
        ("the direction", lambda now, later: int(later > now)),
    ],
)
def test_how_far_a_ready_made_label_looks_is_found(ahead, how, make):
    price = walk()
    frame = pl.DataFrame({"price": price, "volume": [random.random() for _ in price]}).with_columns(
        y=pl.Series([make(now, later) for now, later in zip(price, price[ahead:], strict=False)] + [None] * ahead)
    )
    assert series.looks_ahead(frame, "y") == (ahead, f"{how} of price {ahead} row{'s' * (ahead > 1)} later")
    noise = frame.with_columns(y=pl.Series([random.random() for _ in price]))
    assert series.looks_ahead(noise, "y") is None


def test_what_tells_series_apart_is_the_column_that_makes_times_unique():
    frame = pl.DataFrame(
        {
            "at": [day for day in DAYS for _ in "ab"],
            "pool": ["a", "b"] * 120,
            "side": (["buy"] * 3 + ["sell"]) * 60,
            "y": [float(i % 7) for i in range(240)],
        }
    )
    assert series.apart(frame, "at", "y") == "pool"
    assert series.apart(frame.drop("pool"), "at", "y") is None


@pytest.mark.parametrize(
    ("columns", "looks"),
    [
        (
            {"year": [2024] * 120, "month": [1 + i // 28 for i in range(120)], "day": [1 + i % 28 for i in range(120)]},
            True,
        ),
        ({"country": [f"c{i % 10}" for i in range(120)], "year": [2000 + i // 10 for i in range(120)]}, True),
        ({"Year": [1900 + i for i in range(120)]}, True),
        ({"year": [2000 + i * 37 % 11 for i in range(120)]}, False),  # of cars that were sold
        ({"year": list(range(120))}, False),
        ({"year": [2024] * 120}, False),
        ({"year_built": [1900 + i for i in range(120)]}, False),
    ],
)
def test_years_are_times_where_they_count_in_a_series(columns, looks):
    found = series.time_like(pl.DataFrame(columns | TABLE))
    assert [one.declared for one in found] == ['time_format = "%Y"'] * looks


@pytest.mark.parametrize("clock", ["Time", "<TIME>", "hour", "Minute"])
def test_the_time_of_day_tells_no_series_apart(clock):
    frame = pl.DataFrame(
        {"Date": [day for day in DAYS for _ in "ab"], clock: ["09:00", "10:00"] * 120, "y": range(240)}
    )
    assert series.apart(frame, "Date", "y") is None
    assert series.clocks(frame.columns) == [clock]


def test_times_with_a_few_other_texts_still_look_like_times():
    days = [day.strftime("%Y-%m-%d") for day in DAYS]
    assert [one.column for one in series.time_like(pl.DataFrame({"date": [*days, "Total"]}))] == ["date"]
    assert not series.time_like(pl.DataFrame({"date": days[:20] + ["soon", "later"] * 10}))
    assert not series.time_like(pl.DataFrame({"name": [*days, "Total"]}))
