"""From a task to a dataset: what it holds, and that it repeats byte for byte."""

import json
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.core.errors import ArtefactDamaged, ArtefactVersion, WrongKindOfFile
from assay.data import rows as rows_of
from assay.data.build import build
from assay.data.dataset.dataset import Dataset
from assay.data.errors import (
    ColumnMissing,
    DataError,
    Duplicated,
    MixedTypes,
    NoDataset,
    SettingsUnfit,
    TimeBackwards,
)
from assay.data.features import features
from assay.data.opened import open_tables

from .small import CSV, SECONDS, SWAP, built, content, log, make_task, swaps, tabular, write_chain

ROW_NUMBER = pl.int_range(pl.len())


def test_a_table_with_a_target_and_nothing_else(project):
    dataset = built(project, tabular(500))
    about = dataset.manifest
    assert dataset.features == ["a", "b"]
    assert [feature.kind for feature in about.features] == ["float32", "integer"]
    assert {part: info.rows for part, info in about.rows.items()} == {"train": 300, "validation": 100, "test": 100}
    X, y = dataset.arrays("train")
    assert (X.dtype, X.shape, y.dtype, y.shape) == (np.float32, (300, 2), np.float64, (300,))
    assert dataset.frame().columns == ["a", "b", "y", "split"]
    assert dataset.frame("test").height == 100
    assert dataset.profile()["columns"]["a"]["missing"] == 0


def test_the_same_inputs_give_the_same_bytes_in_any_folder(project, tmp_path):
    first = built(project, tabular())
    other = tmp_path / "other"
    other.mkdir()
    second = built(other, tabular())
    assert content(first.folder) == content(second.folder)
    changed = built(other, tabular(seed=1))
    assert changed.hash != first.hash


def test_the_same_inputs_give_the_same_bytes_on_any_number_of_cores(project):
    rows, _ = swaps(0, 1999, per_block=5)
    write_chain(project / "chain" / "pool", rows, 0, 1999, chunk=130)
    (project / "task.json").write_text(chain_task().model_dump_json(by_alias=True))
    program = (
        "import sys; from pathlib import Path; from assay.data.build import build; from assay.task.task import Task;"
        "task = Task.model_validate_json(Path('task.json').read_text()); build(task, '.', sys.argv[1])"
    )
    found = []
    for cores in ("1", "3"):
        command = [sys.executable, "-c", program, f"out-{cores}"]
        subprocess.run(command, cwd=project, env=os.environ | {"POLARS_MAX_THREADS": cores}, check=True)
        found.append(content(project / f"out-{cores}"))
    assert found[0] == found[1]


def test_nothing_is_done_when_nothing_has_changed(project):
    dataset = built(project, tabular())
    before = {path.name: path.stat().st_mtime_ns for path in dataset.folder.iterdir()}
    steps = []
    build(make_task({"sources": [CSV]}), project, project / "data", steps.append)
    assert steps[-1] == "Nothing has changed"
    assert {path.name: path.stat().st_mtime_ns for path in dataset.folder.iterdir()} == before
    again = build(make_task({"sources": [CSV], "drop": ["b"]}), project, project / "data", steps.append)
    assert again.features == ["a"]


def test_digits_beyond_64_bits_are_said_to_be_lost_or_kept_by_a_scale(project):
    amounts = [(10**18 * n + 7) * 1000 for n in range(1, 301)]
    frame = tabular(300).with_columns(pl.Series("wei", [str(amount) for amount in amounts]))
    source = {"types": {"wei": "text"}}
    listed = [{"name": "wide", "op": "column", "of": "CAST(wei AS uint256)"}, {"name": "a", "op": "column"}]
    lost = built(project, frame, source=source, features=listed)
    said = {one.what: one for one in lost.manifest.left_out}["digits of the feature wide"]
    assert said.count > 280
    assert "give the feature a `scale`" in said.reason
    kept = built(project, frame, source=source, features=[listed[0] | {"scale": 5}, listed[1]])
    assert set(kept.frame()["wide"].to_list()) == {amount // 10**5 for amount in amounts}
    assert not [one for one in kept.manifest.left_out if one.what.startswith("digits")]


def test_a_feature_that_is_dropped_is_a_step_to_others(project):
    twice = {"name": "twice", "op": "column", "of": "2 * a"}
    more = {"name": "more", "op": "column", "of": "twice + b"}
    dataset = built(project, tabular(), features=[twice, more], drop=["twice"])
    assert dataset.features == ["more"]
    assert "twice" not in dataset.frame().columns
    with pytest.raises(SettingsUnfit, match="leaves no feature"):
        built(project, tabular(), features=[twice], drop=["twice"])
    with pytest.raises(ColumnMissing, match=r"Did you mean twice\?"):
        built(project, tabular(), features=[twice, more], drop=["twic"])


def test_a_dataset_that_was_altered_is_noticed_and_made_anew(project):
    dataset = built(project, tabular())
    rows = dataset.folder / "rows.parquet"
    good = rows.read_bytes()
    rows.write_bytes(good[:-1] + b"x")
    with pytest.raises(ArtefactDamaged):
        Dataset.load(dataset.folder)
    build(make_task({"sources": [CSV]}), project, project / "data")
    assert rows.read_bytes() == good
    manifest = dataset.folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace("assay-dataset/1", "assay-dataset/2"))
    with pytest.raises(ArtefactVersion, match="assay-dataset/2"):
        Dataset.load(dataset.folder)
    for text in ("", "[]", '{"schema": "assay-dataset/1"}'):
        manifest.write_text(text)
        with pytest.raises(ArtefactDamaged):
            Dataset.load(dataset.folder)
    with pytest.raises(NoDataset):
        Dataset.load(project / "absent")


def test_classes_are_numbered_and_named(project):
    frame = tabular(300).with_columns(pl.when(pl.col("y") > 1).then(pl.lit("up")).otherwise(pl.lit("down")).alias("y"))
    dataset = built(project, frame, kind="binary")
    assert dataset.manifest.classes == ("down", "up")
    assert set(dataset.arrays("test")[1]) == {0.0, 1.0}


def test_missing_features_stay_missing(project):
    frame = tabular(300).with_columns(pl.when(pl.col("b") > 6).then(None).otherwise(pl.col("a")).alias("a"))
    dataset = built(project, frame)
    missing = sum(np.isnan(dataset.arrays(part)[0][:, 0]).sum() for part in ("train", "validation", "test"))
    assert missing == dataset.manifest.features[0].missing == frame["a"].null_count() > 0


def test_what_is_left_out_is_said(project):
    frame = tabular(300).with_columns(
        pl.lit("x").alias("text"), pl.lit(1).alias("one"), pl.int_range(pl.len()).alias("id")
    )
    about = built(project, frame, source={"key": ["id"]}, keep=["id"]).manifest
    assert about.keep == ("id",)
    assert [feature.name for feature in about.features] == ["a", "b"]
    assert [(left.what, left.reason) for left in about.left_out] == [
        ("column text", "its type is String, not a number"),
        ("column one", "it has one value only"),
    ]


def test_columns_that_the_task_names_are_kept_by_themselves(project):
    frame = tabular(300).with_columns(pl.lit("low").alias("grade"), pl.col("a").alias("asset"), pl.lit("x").alias("as"))
    frame.write_csv(project / "rows.csv")
    sections = {"existing": {"kind": "rule", "rule": "CASE WHEN grade = 'low' THEN 0.1 ELSE 0.5 END"}}
    data = {"sources": [CSV], "features": [{"name": "b", "op": "column"}]}
    dataset = build(
        make_task(data, value={"loss": "ABS(y - prediction) * asset"}, **sections), project, project / "data"
    )
    assert dataset.manifest.keep == ("grade", "asset")


def chain_task(**sections):
    data = {
        "sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool"}],
        "events": [{"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}}],
        "bars": {
            "every": "10 blocks",
            "columns": [
                {"name": "swaps", "op": "count"},
                {"name": "volume", "op": "sum", "of": "amountIn"},
                {"name": "fee", "op": "last", "of": "fee"},
            ],
        },
        "features": [
            {"name": "swaps_now", "op": "column", "of": "swaps", "unit": "swaps"},
            {"name": "volume_5", "op": "volume", "of": "volume", "window": 5},
        ],
        "label": {"op": "forward_sum", "of": "volume", "horizon": 3},
        "keep": ["fee"],
    } | sections
    return make_task(data, target="volume_next")


def test_chain_data_from_a_folder_to_a_dataset(project):
    rows, values = swaps(0, 999)
    write_chain(project / "chain" / "pool", rows, 0, 999)
    dataset = build(chain_task(), project, project / "data")
    about = dataset.manifest
    assert about.blocks == (0, 999)
    assert about.keep == ("block_number", "fee")
    # 100 bars: 4 for the window, 3 for the label, and 3 before each of two boundaries.
    assert dataset.frame().height == 100 - 4 - 3 - 6
    assert {left.count for left in about.left_out} == {4, 3, 6}
    assert about.embargo == 3
    row = dataset.frame().row(0, named=True)
    assert row["block_number"] == 49
    volume = [sum(a for b, _, a, *_ in values if b // 10 == bar) / 1e18 for bar in range(8)]
    assert row["volume_5"] == pytest.approx(sum(volume[:5]), rel=1e-6)
    assert row["volume_next"] == pytest.approx(sum(volume[5:8]), rel=1e-12)
    assert row["swaps_now"] == sum(b // 10 == 4 for b, *_ in values)
    assert about.features[0].unit == "swaps"


def test_amounts_of_all_256_bits_are_gathered_exactly(project):
    """Sums, products and differences of what no Int128 holds."""
    random = np.random.default_rng(3)
    amounts = [2**255 + int(random.integers(1 << 62)) for _ in range(800)]
    rows = [log(place, 0, [amount, -(2**254) + place, 1, True]) for place, amount in enumerate(amounts)]
    write_chain(project / "chain" / "pool", rows, 0, 799)
    bars = [
        {"name": "total", "op": "sum", "of": "amountIn"},
        {"name": "largest", "op": "max", "of": "amountIn"},
        {"name": "last", "op": "last", "of": "amountIn - POW(2, 255)"},
        {"name": "root", "op": "last", "of": "SQRT((amountIn - POW(2, 255)) * amountIn) / 1e40"},
    ]
    features = [
        {"name": "above", "op": "column", "of": "total - 5 * POW(2, 255)"},
        {"name": "moved", "op": "difference", "of": "largest"},
        {"name": "last_one", "op": "column", "of": "last"},
        {"name": "root", "op": "column"},
    ]
    data = {
        "sources": [{"name": "pool", "kind": "cryo", "folder": "chain/pool"}],
        "events": [{"name": "swap", "signature": SWAP}],
        "bars": {"every": "5 blocks", "columns": bars},
        "features": features,
        "label": {"op": "forward_value", "of": "last"},
    }
    frame = build(make_task(data), project, project / "data").frame()
    first = 1  # the first bar has nothing before it to differ from
    groups = [amounts[place : place + 5] for place in range(0, 800, 5)][first:]
    for row, group in enumerate(groups[:90]):
        assert frame["above"][row] == np.float32(sum(group) - 5 * 2**255)
        before = max(amounts[5 * (row + first - 1) : 5 * (row + first)])
        assert frame["moved"][row] == max(group) - before
        assert frame["last_one"][row] == group[-1] - 2**255
    product = (groups[0][-1] - 2**255) * groups[0][-1]
    assert frame["root"][0] == pytest.approx(product**0.5 / 1e40, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda blocks: blocks.drop("timestamp"), "have no timestamp"),
        (lambda blocks: blocks.with_columns(timestamp=pl.lit("yesterday")), "no timestamp that counts seconds"),
        (
            lambda blocks: blocks.with_columns(timestamp=pl.lit(None, dtype=pl.UInt32)),
            "no timestamp that counts seconds",
        ),
        (lambda blocks: blocks.with_columns(timestamp=pl.lit([1])), "counts seconds since 1970"),
        (lambda blocks: blocks.drop("block_number"), "block_number"),
    ],
)
def test_blocks_that_do_not_say_when_they_were(project, change, words):
    rows, _ = swaps(0, 99)
    folder = write_chain(project / "chain" / "pool", rows, 0, 99)
    for file in folder.glob("*blocks*"):
        change(pl.read_parquet(file)).write_parquet(file)
    with pytest.raises(DataError, match=words):
        build(chain_task(), project, project / "data")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1), st.integers(120, 480))
def test_changing_the_chain_after_a_block_moves_no_feature_before_it(tmp_path_factory, seed, cut):
    """Point in time from the logs on: another chain after a block, and every bar that had ended keeps its features."""
    task = chain_task()
    made = []
    here, _ = swaps(0, 499, seed=seed)
    other, _ = swaps(0, 499, seed=seed + 1)
    past = [row for row in here if row["block_number"] < cut]
    for rows in (here, past + [row for row in other if row["block_number"] >= cut]):
        project = tmp_path_factory.mktemp("chain")
        write_chain(project / "chain" / "pool", rows, 0, 499, chunk=170)
        (project / "work").mkdir()
        tables = open_tables(task, project, project / "work", lambda _: None)
        found = rows_of.make(task, project, project / "work", tables, lambda _: None)
        made.append(features.make(found.frame, task.data.features, time=found.time, project=project).frame)
    ended = [frame.filter(pl.col("block_number") < cut) for frame in made]
    assert ended[0].height == cut // 10
    assert ended[0].equals(ended[1], null_equal=True)


def test_logs_of_other_shapes_are_quarantined_with_their_reason(project):
    rows, _ = swaps(0, 999)
    odd = log(500, 99, [1, 1, 1], types=["uint256", "int256", "uint32"])
    write_chain(
        project / "chain" / "pool", sorted([*rows, odd], key=lambda r: (r["block_number"], r["log_index"])), 0, 999
    )
    events = [{"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}, "on_mismatch": "quarantine"}]
    dataset = build(chain_task(events=events), project, project / "data")
    assert dataset.manifest.quarantined == 1
    aside = pl.read_parquet(dataset.folder.joinpath("quarantine.parquet").read_bytes())
    assert aside["reason"].to_list() == ["does not fit the event's types"]
    assert json.loads(aside["row"][0])["block_number"] == 500


def test_quotes_of_another_source_are_joined_as_they_were_known(project):
    hours = pl.datetime_range(pl.datetime(2024, 1, 1), pl.datetime(2024, 1, 9), "1h", eager=True)
    frame = pl.DataFrame({"time": hours, "a": range(len(hours))}).with_columns(
        (pl.col("a") * 2.0 + pl.col("a") % 7).alias("y")
    )
    quotes = pl.DataFrame({"at": hours.dt.offset_by("10m"), "quote": [float(n % 11) for n in range(len(hours))]})
    quotes.write_csv(project / "quotes.csv")
    sources = [CSV, {"name": "quotes", "kind": "csv", "path": "quotes.csv", "time": "at"}]
    frame.write_csv(project / "rows.csv")
    for delay, behind in (("0s", 1), ("2h", 3)):
        data = {"time": "time", "sources": sources, "joins": [{"table": "quotes", "delay": delay}], "trusted": ["a"]}
        found = build(make_task(data), project, project / "data").frame()
        expected = [None if n < behind else float((n - behind) % 11) for n in found["a"]]
        assert found["quote"].to_list() == expected
    keyed = {"sources": [CSV, {"name": "names", "kind": "csv", "path": "names.csv"}]}
    (project / "names.csv").write_text("a,size\n1,10\n1,20\n")
    with pytest.raises(Duplicated, match="a 1 is there twice"):
        build(make_task(keyed | {"joins": [{"table": "names", "on": ["a"]}]}), project, project / "out")
    with pytest.raises(ColumnMissing, match="neither a time nor `on`"):
        build(make_task(keyed | {"joins": [{"table": "names"}]}), project, project / "out")


@pytest.mark.parametrize(
    ("column", "options", "least", "greatest"),
    [
        (10**18 + ROW_NUMBER % 5, {"keep": ["w"]}, 1e18, 1e18 + 4),
        (pl.when(ROW_NUMBER % 2 == 0).then(1e308).otherwise(-1e308), {"keep": ["w"]}, -1e308, 1e308),
        (10**18 + ROW_NUMBER % 5, {}, 1e18, 1e18 + 4),
        (10**18 + ROW_NUMBER % 5, {"target": "w"}, 1e18, 1e18 + 4),
        (pl.when(ROW_NUMBER % 3 == 0).then(1e308).otherwise(-1e200), {"target": "w"}, -1e200, 1e308),
    ],
)
def test_numbers_too_near_or_too_far_apart_for_doubles_are_described(project, column, options, least, greatest):
    dataset = built(project, tabular(300).with_columns(w=column), **options)
    found = dataset.profile()["columns"]["w"]
    numbers = [found["mean"], found["std"], *found["quantiles"].values(), *found["histogram"]["edges"]]
    assert np.isfinite(numbers).all()
    assert (found["min"], found["max"], sum(found["histogram"]["counts"])) == (least, greatest, 300)
    assert least <= found["mean"] <= greatest


def test_lists_and_records_can_be_kept(project):
    frame = tabular(200).with_columns(l=pl.concat_list("a", "b"), s=pl.struct("a", "b"))
    frame.write_parquet(project / "rows.parquet")
    source = {"name": "rows", "kind": "parquet", "path": "rows.parquet"}
    hashes = []
    for kept in (["l", "s"], ["l"]):
        dataset = build(make_task({"sources": [source], "keep": kept}), project, project / "data")
        assert dataset.frame()[kept[0]].to_list() == frame["l"].to_list()
        hashes.append(dataset.hash)
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("column", [pl.concat_list("b"), pl.struct("b")])
def test_an_answer_is_one_value(project, kind, column):
    tabular(200).with_columns(y=column).write_parquet(project / "rows.parquet")
    source = {"name": "rows", "kind": "parquet", "path": "rows.parquet"}
    with pytest.raises(MixedTypes, match="each answer is one value"):
        build(make_task({"sources": [source]}, kind=kind), project, project / "data")


@pytest.mark.parametrize("name", ["rows.parquet", "manifest.json", "quarantine.parquet"])
def test_a_folder_in_the_place_of_a_file_stops_it_before_anything_is_written(project, name):
    (project / "data" / name).mkdir(parents=True)
    with pytest.raises(WrongKindOfFile):
        built(project, tabular(200))
    assert [path.name for path in (project / "data").iterdir()] == [name]


@pytest.mark.parametrize(("dtype", "time"), [(pl.UInt8, False), (pl.Int32, True), (pl.Int128, True)])
def test_keys_of_another_width_are_equal_keys(project, dtype, time):
    rows = tabular(200).with_columns(k=ROW_NUMBER % 50, t=ROW_NUMBER)
    other = pl.DataFrame({"k": pl.Series(range(50), dtype=dtype), "w": [float(n * n) for n in range(50)]})
    rows.write_parquet(project / "rows.parquet")
    (other.with_columns(t=0) if time else other).write_parquet(project / "other.parquet")
    task = make_task(
        {
            "time": "t" if time else None,
            "sources": [
                {"name": name, "kind": "parquet", "path": f"{name}.parquet"} | (SECONDS if time else {})
                for name in ("rows", "other")
            ],
            "joins": [{"table": "other", "on": ["k"]}],
            "split": {"by": "random"},
        }
    )
    found = build(task, project, project / "data").frame()
    assert found["w"].to_list() == [float(k * k) for k in found["k"]]


def test_joins_that_can_match_nothing(project):
    tabular(200).with_columns(k=ROW_NUMBER, t=ROW_NUMBER).write_csv(project / "rows.csv")
    pl.DataFrame({"k": ["x", "y"], "w": [1, 2]}).write_csv(project / "names.csv")
    pl.DataFrame({"t": [1, None, 3], "w": [1, 2, 3]}).write_csv(project / "quotes.csv")

    def joined(name, **join):
        sources = [CSV | SECONDS, {"name": name, "kind": "csv", "path": f"{name}.csv", **SECONDS}]
        data = {"sources": sources, "joins": [{"table": name, **join}], "time": "t", "drop": ["k"]}
        return build(make_task(data), project, project / "data")

    with pytest.raises(MixedTypes, match="the column k is Int64 in the rows and String in names"):
        joined("names", on=["k"])
    with pytest.raises(TimeBackwards, match=r"1 rows of quotes have no time \(t\)"):
        joined("quotes")
