"""Values that are probably not what they seem: found where they stand apart, left alone where they do not."""

import datetime as dt
import random

import numpy as np
import polars as pl
import pytest
from tests.unit.data.small import make_task

from assay.data.build import build
from assay.data.check import check as check_data
from assay.data.errors import MixedTypes
from assay.task.check import check
from assay.task.init import init
from assay.task.suspects import counters, fills, named, names, no_time, words
from assay.task.task import Task

RNG = np.random.default_rng(5)
ROWS = 600
LARGEST = 1.7976931348623157e308
COLUMNS = {
    "normal": RNG.normal(size=ROWS),
    "degrees": RNG.normal(15, 8, ROWS).round(1),
    "counts": RNG.poisson(3, ROWS).astype(float),
    "ages": RNG.integers(18, 80, ROWS).astype(float),
    "prices": np.exp(RNG.normal(size=ROWS)) * 100,
}


def found(values, **more):
    return [(one.value, one.rows) for one in fills(pl.DataFrame({"a": pl.Series("a", values, **more)}))]


def filled(values, fill, rows=4):
    made = np.array(values)
    made[RNG.choice(len(made), rows, replace=False)] = fill
    return made


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(
    "fill", [-999, -9999, -999.9, 99999, 1e20, -1e30, 2**31 - 1, -(2**31), -32768, 9.969209968386869e36, LARGEST]
)
def test_a_fill_value_is_found_in_any_column(column, fill):
    assert found(filled(COLUMNS[column], fill)) == [(repr(fill) if isinstance(fill, float) else str(fill), 4)]
    assert found(COLUMNS[column]) == []


@pytest.mark.parametrize(
    ("values", "fill"),
    [
        (COLUMNS["prices"], "-1"),  # the only whole number, and the only one below 0
        (COLUMNS["ages"], "-1"),  # far below all others
        (np.minimum(COLUMNS["counts"], 999) % 28, "999"),
        (COLUMNS["prices"], "-99"),
    ],
)
def test_small_fill_values_are_found_where_nothing_is_near_them(values, fill):
    assert [one for one, _ in found(filled(values, float(fill)))] == [fill]


def test_the_value_is_written_so_that_a_rule_finds_it_in_float32():
    (one,) = fills(pl.DataFrame({"a": pl.Series("a", filled(COLUMNS["degrees"], 9999.9), dtype=pl.Float32)}))
    assert float(one.value) == float(np.float32(9999.9))


@pytest.mark.parametrize(
    "values",
    [
        [-1, 0, 1] * 50,
        [-1, 1] * 50,
        np.minimum(np.random.default_rng(0).exponential(400, 800).round(), 999),  # a counter that stops
        np.clip(np.random.default_rng(1).normal(size=500) * 2, -1, 1),
        np.random.default_rng(2).poisson(8, 900) - 1,
        np.random.default_rng(3).normal(12, 4, 2000).round(),  # degrees of a mild place: -1 is the next below 0
        [9.99, 19.99, 49.99, 99.99, 199.99] * 40,
        [10**18] * 40 + [10**15 + n * 10**13 for n in range(100)],  # an ether among less, in wei
        [0.0, 0.3, 0.5, 1.0] * 50,
        [5.0] * 40 + [-999.0],  # once is an outlier
    ],
)
def test_numbers_like_others_are_not_found(values):
    assert found(values) == []


def test_hardly_anything_is_found_in_random_columns():
    for seed in range(150):
        made = np.random.default_rng(seed)
        size = int(made.integers(20, 2000))
        rows = {
            "normal": made.normal(size=size),
            "rounded": (made.normal(size=size) * made.uniform(1, 500)).round(),
            "heavy": made.standard_t(2, size).round(1),
            "counts": made.poisson(made.uniform(0.2, 30), size) - int(made.integers(0, 2)),
            "geometric": made.geometric(0.2, size) - 1,
            "log": np.exp(made.normal(size=size) * 2).round(),
            "wei": np.where(made.random(size) < 0.1, 1e18, 10.0 ** made.uniform(15, 17, size)),
            "whole": made.integers(-50, 1000, size),
        }
        assert fills(pl.DataFrame(rows)) == []


def test_a_time_far_from_all_others_is_found():
    hours = [dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=n) for n in range(50)]
    for odd in (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC)):
        fill = no_time(pl.Series("at", [odd, odd, *hours]))
        assert (fill.rows, fill.of, fill.repair) == (2, 52, "quarantine")
    assert no_time(pl.Series("at", hours)) is None
    assert no_time(pl.Series("at", [dt.datetime(1970, 1, day, tzinfo=dt.UTC) for day in range(1, 31)])) is None


def test_a_saved_index_is_found_and_ids_are_not():
    rows = {
        "Unnamed: 0": [4, 2, 9],
        "index": [0, 1, 2],
        "__index_level_0__": [0, 5, 7],
        "row_id": [8, 3, 5],
        "id": [1, 2, 3],
    }
    assert counters(pl.DataFrame(rows)) == ["Unnamed: 0", "index", "__index_level_0__"]


def test_what_names_a_case_is_found_and_amounts_are_not():
    count = range(12)
    rows = {
        "id": [7 * n + 3 for n in count],
        "customerId": [100 - n * n for n in count],
        "row_id": list(count),  # said elsewhere
        "week": list(count),
        "paid": [n * n for n in count],
        "humid": [31 * n % 13 for n in count],
        "order_id": [n // 2 for n in count],  # several rows of one order
        "loan_no": [float(n) for n in count],
    }
    assert names(pl.DataFrame(rows)) == ["id", "customerId"]
    assert names(pl.DataFrame(rows), skip={"id"}) == ["customerId"]
    assert names(pl.DataFrame(rows).head(5)) == []
    what, todo = named('a "no"')
    assert what.startswith('a "no" is another whole number in every row')
    assert """[data] drop = ['a "no"']""" in todo


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "n/a", "2.5", "-", "n/a"], ["n/a", "-"]),
        (["1", "red", "2"], []),
        (["n/a", "-"], []),
        (["1", "2"], []),
    ],
)
def test_texts_that_stand_for_no_value_are_found_among_numbers(values, expected):
    assert words(pl.Series("a", values)) == expected


def written(folder, rows):
    lines = ["size,paid", *(f"{size},{paid}" for size, paid in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    init(folder / "p", "blank", {"file": str(folder / "rows.csv"), "target": "paid", "existing": "nothing"})
    return folder / "p"


def sized(rows=300):
    random.seed(4)
    return [(round(random.uniform(0, 80), 2), round(random.gauss(0, 1), 3)) for _ in range(rows)]


CHECK = '\n[[data.checks]]\ncolumn = "size"\nrule = "size <> -999"\non_fail = "repair:missing"\n'


def test_a_fill_value_is_named_before_and_by_building_and_declared_missing_as_it_says(tmp_path):
    rows = sized()
    project = written(tmp_path, [(-999 if at % 40 == 0 else size, paid) for at, (size, paid) in enumerate(rows)])
    (finding,) = check(project).findings
    assert finding.severity == "warning"
    assert "size is -999 in 8 of 300 rows" in finding.what
    assert 'column = "size", rule = "size <> -999", on_fail = "repair:missing"' in finding.todo
    assert any("size is -999 in 8 of 300 rows" in note for note in check_data(Task.load(project), project).notes)
    with (project / "task.toml").open("a") as file:
        file.write(CHECK)
    task = Task.load(project)
    assert check(project).findings == []
    data = build(task, project, tmp_path / "out")
    assert not any("-999" in note for note in data.manifest.notes)
    frame = pl.concat([pl.read_parquet(file) for file in sorted((tmp_path / "out").rglob("*.parquet"))])
    assert frame["size"].null_count() == 8
    assert frame["size"].min() >= 0


def test_a_fill_value_of_the_target_sets_its_row_aside(tmp_path):
    rows = sized()
    project = written(tmp_path, [(size, 1e20 if at % 60 == 0 else paid) for at, (size, paid) in enumerate(rows)])
    (finding,) = check(project).findings
    assert 'on_fail = "quarantine"' in finding.todo


def test_init_writes_texts_that_stand_for_no_value(tmp_path):
    rows = sized()
    project = written(tmp_path, [("n/a" if at % 3 else size, paid) for at, (size, paid) in enumerate(rows)])
    assert Task.load(project).data.sources[0].missing[-1] == "n/a"
    assert check(project).findings == []
    assert build(Task.load(project), project, tmp_path / "out").manifest.features[0].name == "size"
    text = (project / "task.toml").read_text()
    (project / "task.toml").write_text("".join(line for line in text.splitlines(True) if "missing" not in line))
    assert "'n/a', which stands for no value" in check(project).contradictions[0].what
    with pytest.raises(MixedTypes, match=r'Write missing = .*"n/a"'):
        build(Task.load(project), project, tmp_path / "other")


def test_a_saved_index_is_no_feature_and_said(tmp_path):
    random.seed(1)
    lines = [",size,paid", *(f"{at},{random.random()},{random.random()}" for at in range(200))]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    init(tmp_path / "p", "blank", {"file": str(tmp_path / "rows.csv"), "target": "paid", "existing": "nothing"})
    (finding,) = check(tmp_path / "p").findings
    assert "Unnamed: 0 only numbers the rows" in finding.what
    data = build(Task.load(tmp_path / "p"), tmp_path / "p", tmp_path / "out")
    assert [feature.name for feature in data.manifest.features] == ["size"]
    assert [one.what for one in data.manifest.left_out] == ["column Unnamed: 0"]


def test_columns_that_nobody_uses_are_not_spoken_of(tmp_path):
    rows = pl.DataFrame({"a": filled(COLUMNS["normal"], -999), "b": COLUMNS["prices"], "y": COLUMNS["normal"]})
    rows.write_csv(tmp_path / "rows.csv")
    data = {"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}], "drop": ["a"]}
    assert not build(make_task(data), tmp_path, tmp_path / "out").manifest.notes
