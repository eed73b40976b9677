"""Bars against a plain Python loop; and what they may not depend on."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.errors import ColumnMissing, ContractBroken, Duplicated, MixedTypes, TimeBackwards, TooFewRows
from assay.data.features.bars import bars
from assay.data.tables.table import Table
from assay.task.data import Bars

GENESIS = 1_700_006_400  # on the hour
MICRO = 1_000_000

COLUMNS = [
    {"name": "swaps", "op": "count"},
    {"name": "buys", "op": "count", "where": "side = 1"},
    {"name": "volume", "op": "sum", "of": "amount"},
    {"name": "bought", "op": "sum", "of": "amount", "where": "side = 1"},
    {"name": "open", "op": "first", "of": "price"},
    {"name": "close", "op": "last", "of": "price"},
    {"name": "high", "op": "max", "of": "price"},
    {"name": "low", "op": "min", "of": "price"},
    {"name": "mean", "op": "mean", "of": "price"},
    {"name": "middle", "op": "median", "of": "price"},
    {"name": "spread", "op": "std", "of": "price"},
]


def trades(count=300, seed=0, seconds=86_400):
    """Rows of (second, price, amount, side), in order of time; seconds may repeat."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(0, seconds, count))
    return [
        (int(t), float(p), float(a), int(s))
        for t, p, a, s in zip(
            times, random.lognormal(size=count), random.lognormal(size=count), random.integers(0, 2, count), strict=True
        )
    ]


def table(rows, parts=1, order=("time",)):
    frame = pl.DataFrame(
        {
            "time": [(GENESIS + t) * MICRO for t, *_ in rows],
            "price": [p for _, p, _, _ in rows],
            "amount": [a for _, _, a, _ in rows],
            "side": [s for *_, s in rows],
            "block_number": [t // 12 for t, *_ in rows],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC"), "price": pl.Float64, "amount": pl.Float64},
    )
    size = max(1, -(-frame.height // parts))
    pieces = tuple(frame.lazy().slice(start, size) for start in range(0, frame.height, size))
    return Table("trades", pieces, "", "trades.parquet", order, time="time")


def gathered(rows, every="1h", parts=1, columns=COLUMNS, blocks=None):
    spec = Bars.model_validate({"every": every, "columns": columns})
    return bars(spec, {"trades": table(rows, parts)}, "trades", blocks)


def by_hand(rows, length, high=None):
    """The same bars, one row after another; up to `high` if the data goes on."""
    low, high = rows[0][0], rows[-1][0] if high is None else high
    found, close = [], None
    for number in range(-(-low // length), high // length):
        own = [row for row in rows if number * length <= row[0] < (number + 1) * length]
        prices = [p for _, p, _, _ in own]
        earlier = [p for t, p, _, _ in rows if t < (number + 1) * length and t >= -(-low // length) * length]
        close = earlier[-1] if earlier else None
        found.append(
            (
                len(own),
                sum(s for *_, s in own),
                sum(a for _, _, a, _ in own),
                sum(a for _, _, a, s in own if s == 1),
                prices[0] if own else None,
                close,
                max(prices, default=None),
                min(prices, default=None),
                statistics.fmean(prices) if own else None,
                statistics.median(prices) if own else None,
                statistics.stdev(prices) if len(own) > 1 else None,
            )
        )
    return found


@pytest.mark.parametrize("seed", range(3))
def test_bars_are_those_of_a_loop(seed):
    rows = trades(count=40, seed=seed)  # sparse: some hours are empty
    frame, grid = gathered(rows)
    expected = by_hand(rows, 3600)
    assert frame.height == grid.count == len(expected)
    assert 0 in frame["swaps"].to_list()
    for got, wanted in zip(frame.drop("time").rows(), expected, strict=True):
        for one, other in zip(got, wanted, strict=True):
            assert one == (None if other is None else pytest.approx(other, rel=1e-12))


def test_a_bar_has_the_time_of_its_end_and_nothing_from_then_on():
    rows = [(0, 1.0, 1.0, 1), (3599, 2.0, 1.0, 1), (3600, 3.0, 1.0, 1), (7200, 4.0, 1.0, 1)]
    frame, grid = gathered(rows)
    assert frame["time"].to_physical().to_list() == [(GENESIS + 3600) * MICRO, (GENESIS + 7200) * MICRO]
    assert frame["close"].to_list() == [2.0, 3.0]
    assert grid.incomplete == 1  # the last row begins a bar that is not over


def test_incomplete_bars_at_the_ends_are_left_out_and_counted():
    rows = [(1800, 1.0, 1.0, 1), (3700, 2.0, 1.0, 1), (8000, 3.0, 1.0, 1)]
    frame, grid = gathered(rows)
    assert frame["close"].to_list() == [2.0]
    assert grid.incomplete == 2


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.data())
def test_changing_the_future_moves_no_earlier_bar(seed, parts, data):
    """Point in time, from the raw rows on: everything after a moment is replaced, and bars that ended stay."""
    rows = trades(count=120, seed=seed)
    cut = data.draw(st.integers(1, len(rows) - 1))
    moment = rows[cut][0]
    past = [row for row in rows if row[0] < moment]
    other = trades(count=data.draw(st.integers(1, 80)), seed=seed ^ 1)
    future = [(moment + t, p * 7, a * 3, 1 - s) for t, p, a, s in other]
    before, _ = gathered(rows, parts=parts)
    try:
        after, _ = gathered([*past, *future], parts=parts)
    except TooFewRows:
        return
    ended = pl.col("time").to_physical() <= (GENESIS + moment) * MICRO
    # The first whole bar may be another if nothing is left of the past.
    if past:
        assert before.filter(ended).equals(after.filter(ended), null_equal=True)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_the_parts_that_rows_are_read_in_do_not_matter(seed, parts):
    rows = trades(count=150, seed=seed)
    assert gathered(rows, parts=parts)[0].equals(gathered(rows)[0], null_equal=True)


def test_the_number_of_cores_does_not_matter():
    """To the last bit: sums of floats depend on their order."""
    program = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        "import polars as pl; from unit.data.features.test_bars import gathered, trades;"
        "frame = gathered(trades(count=60000, seconds=20 * 3600), parts=3)[0];"
        "print(json.dumps([pl.thread_pool_size(), frame.drop('time').select(pl.all().cast(pl.Float64)).rows()]))"
    )
    tests = str(Path(__file__).parents[3])
    found = {}
    for cores in (1, 3):
        done = subprocess.run(
            [sys.executable, "-c", program, tests],
            env=os.environ | {"POLARS_MAX_THREADS": str(cores)},
            capture_output=True,
            text=True,
            check=True,
        )
        threads, rows = json.loads(done.stdout)
        found[threads] = rows
    assert set(found) == {1, 3}
    assert found[1] == found[3]


def blocks(last):
    return pl.DataFrame(
        {
            "block_number": range(last + 1),
            "time": pl.Series([(GENESIS + 12 * n) * MICRO for n in range(last + 1)], dtype=pl.Datetime("us", "UTC")),
        }
    )


def test_bars_of_blocks_cover_every_block_and_have_the_last_ones_time():
    rows = trades(count=40, seconds=12 * 100)
    frame, grid = gathered(rows, every="10 blocks", blocks=blocks(104))
    assert frame["block_number"].to_list() == list(range(9, 100, 10))
    assert frame["time"].to_physical().to_list() == [(GENESIS + 12 * n) * MICRO for n in range(9, 100, 10)]
    assert frame["swaps"].to_list() == [sum(n <= t // 12 < n + 10 for t, *_ in rows) for n in range(0, 100, 10)]
    assert grid.incomplete == 1


def test_bars_of_time_know_their_last_block():
    rows = trades(count=40, seconds=12 * 1000)
    frame, _ = gathered(rows, every="20m", blocks=blocks(1000))
    # The block at the bar's end belongs to the next bar.
    assert frame["block_number"].to_list() == [100 * (n + 1) - 1 for n in range(frame.height)]


def test_columns_of_two_tables():
    rows = trades(count=100)
    other = table(trades(count=50, seed=9))
    spec = Bars.model_validate(
        {
            "every": "1h",
            "columns": [{"name": "n", "op": "count"}, {"name": "m", "op": "sum", "of": "amount", "table": "mints"}],
        }
    )
    found, _ = bars(spec, {"trades": table(rows), "mints": other}, "trades", None)
    alone, _ = gathered(rows, columns=[{"name": "n", "op": "count"}])
    assert found["n"].equals(alone["n"])
    assert 0 < found["m"].sum() <= sum(a for _, _, a, _ in trades(count=50, seed=9))


def test_what_an_empty_bar_holds_can_be_chosen():
    rows = [(0, 1.0, 1.0, 1), (3600 * 3, 3.0, 1.0, 1), (3600 * 4, 3.0, 1.0, 1)]
    columns = [{"name": how, "op": "max", "of": "price", "empty": how} for how in ("zero", "previous", "missing")]
    frame, _ = gathered(rows, columns=columns)
    assert frame["zero"].to_list() == [1.0, 0.0, 0.0, 3.0]
    assert frame["previous"].to_list() == [1.0, 1.0, 1.0, 3.0]
    assert frame["missing"].to_list() == [1.0, None, None, 3.0]


def test_rows_out_of_order_are_refused_within_and_between_parts():
    rows = trades(count=50)
    for place in (10, 25):
        wrong = [*rows[:place], rows[0], *rows[place:]]
        for parts in (1, 2, 51):
            with pytest.raises(TimeBackwards, match=f"row {place + 1} of trades.parquet"):
                gathered(wrong, parts=parts)


@pytest.mark.parametrize("row", [0, 150, 299])
def test_a_row_without_a_time_is_refused_and_named(row):
    """It would be in no bar, and take its neighbours along."""
    whole = table(trades()).frame()
    times = [None if number == row else value for number, value in enumerate(whole["time"])]
    frame = whole.with_columns(pl.Series("time", times, dtype=pl.Datetime("us", "UTC")))
    parts = tuple(frame.lazy().slice(start, 100) for start in range(0, 300, 100))
    spec = Bars.model_validate({"every": "1h", "columns": COLUMNS})
    one = Table("trades", parts, "", "trades.parquet", ("time",), time="time")
    with pytest.raises(TimeBackwards, match=f"row {row + 1} of trades has no time"):
        bars(spec, {"trades": one}, "trades", None)


def test_sums_of_large_whole_numbers_do_not_wrap_around():
    rows = trades(count=50, seconds=4 * 3600)
    amounts = [6 * 10**18 + number for number in range(50)]
    sizes = pl.Series("size", amounts, dtype=pl.UInt64)
    frame = table(rows).frame().with_columns(sizes, pl.Series("less", [2 * n for n in amounts[::-1]], dtype=pl.UInt64))
    columns = [
        {"name": "sum", "op": "sum", "of": "size"},
        {"name": "net", "op": "sum", "of": "size - less"},
        {"name": "first", "op": "first", "of": "size"},
        {"name": "swaps", "op": "count"},
    ]
    spec = Bars.model_validate({"every": "1h", "columns": columns})
    one = Table("trades", (frame.lazy(),), "", "x", ("time",), time="time")
    found = bars(spec, {"trades": one}, "trades", None)[0]
    own = [number for number, row in enumerate(rows) if 3600 <= row[0] < 7200]
    assert len(own) > 5
    assert found["sum"][0] == sum(amounts[number] for number in own)
    assert found["net"][0] == sum(amounts[number] - 2 * amounts[49 - number] for number in own)
    assert found["first"][0] == amounts[own[0]]
    assert [found.schema[name] for name in ("sum", "first", "swaps")] == [pl.Int128, pl.Int64, pl.Int64]


def test_a_log_that_is_there_twice():
    frame = pl.DataFrame({"block_number": [1, 2, 2], "log_index": [0, 0, 0]})
    for size in (1, 2, 3):
        parts = tuple(frame.lazy().slice(start, size) for start in range(0, 3, size))
        logs = Table("pool.logs", parts, "", "chain", ("block_number", "log_index"))
        with pytest.raises(Duplicated, match="block_number 2, log_index 0 more than once"):
            list(logs.ordered(unique=True))


def test_too_little_data_and_no_time():
    with pytest.raises(TooFewRows, match="no bar of 1d from beginning to end"):
        gathered(trades(), every="1d")
    untimed = Table("trades", (pl.LazyFrame({"n": [1]}),), "", "trades")
    spec = Bars.model_validate({"every": "1h", "columns": COLUMNS[:1]})
    with pytest.raises(ColumnMissing, match="the table has none"):
        bars(spec, {"trades": untimed}, "trades", None)


def pools(series, parts=1, order="by time"):
    """The trades of several pools as one table: by time, as a chain has them, or pool after pool."""
    frame = pl.concat(table(rows).frame().with_columns(pl.lit(name).alias("pool")) for name, rows in series.items())
    if order == "by time":
        frame = frame.sort("time", maintain_order=True)
    size = max(1, -(-frame.height // parts))
    pieces = tuple(frame.lazy().slice(start, size) for start in range(0, frame.height, size))
    return Table("trades", pieces, "", "trades.parquet", ("time",), time="time")


def gathered_each(series, blocks=None, every="1h", **options):
    spec = Bars.model_validate({"every": every, "columns": COLUMNS})
    return bars(spec, {"trades": pools(series, **options)}, "trades", blocks, entity="pool")


some_series = st.dictionaries(
    st.sampled_from(["A", "b", "ü", "zz"]),
    st.builds(
        lambda count, seed, begin, seconds: [(begin + t, p, a, s) for t, p, a, s in trades(count, seed, seconds)],
        st.integers(1, 60),
        st.integers(0, 99),
        st.integers(0, 40_000),
        st.integers(60, 40_000),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(some_series, st.integers(1, 12), st.sampled_from(["by time", "pool after pool"]))
def test_bars_of_a_series_are_those_of_it_alone_and_go_on_to_the_end_of_the_data(series, parts, order):
    high = max(rows[-1][0] for rows in series.values())
    wanted = {name: by_hand(rows, 3600, high) for name, rows in series.items()}
    try:
        frame, grid = gathered_each(series, parts=parts, order=order)
    except TooFewRows:
        assert not any(wanted.values())
        return
    assert frame.select("time", "pool").equals(frame.select("time", "pool").unique().sort("time", "pool"))
    assert frame.height == sum(len(own) for own in wanted.values())
    assert grid.incomplete == sum(
        max(-(-high // 3600) - rows[0][0] // 3600, 0) - len(wanted[name]) for name, rows in series.items()
    )
    for name, rows in series.items():
        own = frame.filter(pl.col("pool") == name).drop("pool")
        for got, expected in zip(own.drop("time").rows(), wanted[name], strict=True):
            for one, other in zip(got, expected, strict=True):
                assert one == (None if other is None else pytest.approx(other, rel=1e-12))
        try:
            alone, _ = gathered(rows)
        except TooFewRows:
            continue
        # To the last bit, as far as it goes alone.
        assert own.head(alone.height).equals(alone, null_equal=True)


@settings(max_examples=25)
@given(some_series, st.integers(2, 20))
def test_neither_parts_nor_order_of_the_series_matter(series, parts):
    try:
        found, grid = gathered_each(series)
    except TooFewRows:
        return
    for order in ("by time", "pool after pool"):
        again, grid_again = gathered_each(series, parts=parts, order=order)
        assert again.equals(found, null_equal=True)
        assert grid_again == grid


def test_bars_of_blocks_of_several_pools():
    series = {"A": trades(count=40, seconds=12 * 100), "B": [(12 * 57, 1.0, 1.0, 1), (12 * 73, 2.0, 1.0, 0)]}
    frame, grid = gathered_each(series, blocks=blocks(104), every="10 blocks")
    own = frame.filter(pl.col("pool") == "B")
    # It begins within the bar of blocks 50 to 59, and goes on though it trades no more.
    assert own["block_number"].to_list() == [69, 79, 89, 99]
    assert own["close"].to_list() == [None, 2.0, 2.0, 2.0]
    assert own["swaps"].to_list() == [0, 1, 0, 0]
    first = series["A"][0][0] // 12
    assert frame.filter(pl.col("pool") == "A")["block_number"][0] == -(-first // 10) * 10 + 9
    assert grid.incomplete == 2 + 1 + (first % 10 != 0)


def test_what_tables_of_several_series_lack():
    series = {"A": trades(count=60), "B": trades(count=60, seed=1)}
    columns = [{"name": "n", "op": "count"}, {"name": "m", "op": "sum", "of": "amount", "table": "mints"}]
    spec = Bars.model_validate({"every": "1h", "columns": columns})

    def found(mints, trades=None):
        return bars(spec, {"trades": trades or pools(series), "mints": mints}, "trades", None, entity="pool")[0]

    mints = pools({"B": trades(count=30, seed=5)})
    minted = found(mints)
    assert minted.filter(pl.col("pool") == "A")["m"].to_list() == [0.0] * minted.filter(pl.col("pool") == "A").height
    assert minted.filter(pl.col("pool") == "B")["m"].sum() > 0
    with pytest.raises(ColumnMissing, match=r"\[data.bars\] of trades needs the column pool"):
        found(table(trades()))
    numbered = mints.map(lambda part: part.with_columns(pl.lit(1).alias("pool")))
    with pytest.raises(MixedTypes, match="of type Int32, and the bars' own of type String"):
        found(numbered)
    holes = pools(series, parts=4).map(lambda part: part.with_columns(pl.when(pl.col("side") == 1).then("pool")))
    with pytest.raises(ContractBroken, match="rows of trades have no pool"):
        found(mints, holes)


def test_a_series_out_of_order_is_refused_within_and_between_parts():
    series = {"A": trades(count=50), "B": trades(count=50, seed=1)}
    in_turn, mixed = pools(series, order="pool after pool").frame(), pools(series).frame()
    # Behind a row of the other pool too: the one it is compared with may be parts away.
    other = next(row for row in range(40, 100) if mixed["pool"][row - 1] != mixed["pool"][0])
    for frame, place, copied in ((in_turn, 10, 0), (in_turn, 75, 50), (mixed, other, 0)):
        wrong = pl.concat([frame.head(place), frame[copied], frame.tail(100 - place)])
        for size in (101, 50, 7, 1):
            parts = tuple(wrong.lazy().slice(start, size) for start in range(0, 101, size))
            spec = Bars.model_validate({"every": "1h", "columns": COLUMNS})
            disordered = Table("trades", parts, "", "trades.parquet", ("time",), time="time")
            with pytest.raises(TimeBackwards, match=f"row {place + 1} of trades.parquet"):
                bars(spec, {"trades": disordered}, "trades", None, entity="pool")
