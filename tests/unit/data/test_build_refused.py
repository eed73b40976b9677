"""Input that no dataset is made of, each in one sentence; and what a task can have done about it."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from assay.core.errors import DiskFull, ReadOnly, StorageError
from assay.data.build import build
from assay.data.check import check
from assay.data.errors import (
    ColumnMissing,
    ConstantColumn,
    DataError,
    Duplicated,
    Leaks,
    MixedTypes,
    NotFinite,
    OneClass,
    SourceUnknown,
    TimeBackwards,
    TooFewRows,
)

from .small import CSV, SECONDS, built, content, make_task, tabular

FEATURES = [{"name": "a", "op": "column"}, {"name": "b", "op": "column"}]


def _with(**columns):
    return tabular(300).with_columns(**columns)


ROW = pl.int_range(pl.len())
BAD = {
    "a constant target": (tabular().with_columns(y=pl.lit(2.5)), {}, ConstantColumn, "the target y has one value only"),
    "an infinite feature": (
        _with(a=pl.when(ROW == 7).then(float("inf")).otherwise(pl.col("a"))),
        {},
        NotFinite,
        "row 8",
    ),
    "a feature too large for float32": (
        _with(a=pl.when(ROW == 7).then(1e39).otherwise(pl.col("a"))),
        {},
        NotFinite,
        "a",
    ),
    "a target that is NaN": (
        _with(y=pl.when(ROW == 3).then(float("nan")).otherwise(pl.col("y"))),
        {},
        NotFinite,
        "1 of 300",
    ),
    "a target that is missing": (_with(y=pl.when(ROW == 3).then(None).otherwise(pl.col("y"))), {}, NotFinite, "row 4"),
    "a target that is not there": (tabular().rename({"y": "z"}), {}, ColumnMissing, "needs the column y"),
    "a target of text": (_with(y=pl.lit("x")), {}, MixedTypes, "needs numbers"),
    "numbers with text among them": (
        _with(a=pl.when(ROW == 9).then(pl.lit("?")).otherwise(pl.col("a").cast(str))),
        {},
        MixedTypes,
        r"'\?' in row 10",
    ),
    "a constant feature": (
        _with(b=pl.lit(4)),
        {"features": FEATURES},
        ConstantColumn,
        "the feature b has one value only",
    ),
    "only constant features": (_with(b=pl.lit(4)).drop("a"), {}, DataError, "no features"),
    "the target as a feature": (_with(c=pl.col("y") * 2 + 1), {}, Leaks, "the feature c alone nearly is the target"),
    "one class": (_with(y=pl.lit(1)), {"kind": "binary"}, OneClass, "one class only"),
    "one class in a part": (
        _with(y=(ROW < 200).cast(int), t=ROW),
        {"kind": "binary", "time": "t", "source": SECONDS},
        OneClass,
        "the train part has no row of class 0",
    ),
    "one row of a class": (
        _with(y=(ROW == 5).cast(int)),
        {"kind": "binary"},
        OneClass,
        r"no row of class 1, which has 1 row in all\. Collect more of them",
    ),
    "too many classes": (_with(y=ROW % 7), {"kind": "binary"}, DataError, "7 values"),
    "too few rows": (tabular(30), {}, TooFewRows, "validation part would have 6 of 30"),
    "one row": (tabular(1), {}, DataError, "no features"),
    "time going backwards": (
        _with(t=pl.when(ROW == 5).then(0).otherwise(ROW + 10)),
        {"time": "t", "source": SECONDS},
        TimeBackwards,
        "row 6",
    ),
    "rows without a time": (
        _with(t=pl.when(ROW == 5).then(None).otherwise(ROW + 10)),
        {"time": "t", "source": SECONDS},
        TimeBackwards,
        "no time",
    ),
    "a feature called split": (_with(split=pl.col("b") + 1), {}, Duplicated, "rename"),
    "a feature made as split": (
        tabular(),
        {"features": [{"name": "split", "op": "column", "of": "a + b"}]},
        Duplicated,
        "which the dataset calls the part",
    ),
    "a target called split": (tabular().rename({"y": "split"}), {"target": "split"}, Duplicated, "rename"),
    "a column to keep called split": (_with(split=pl.lit("x")), {"keep": ["split"]}, Duplicated, "rename"),
    "a condition of text": (
        _with(c=pl.lit("x")),
        {"source": {"where": "c"}},
        MixedTypes,
        "'c': a condition is true or false",
    ),
    "a duplicated key called len": (
        tabular().rename({"b": "len"}),
        {"source": {"key": ["len"]}},
        Duplicated,
        "rows have len 0, which is a key",
    ),
    "duplicated keys": (_with(k=ROW // 2), {"source": {"key": ["k"]}}, Duplicated, "2 rows have k 0"),
    "a table that is not there": (tabular(), {"table": "rowz"}, SourceUnknown, "rowz"),
    "a time that is not there": (tabular(), {"time": "when"}, ColumnMissing, "when"),
    "a column to keep that is not there": (tabular(), {"keep": ["aa"]}, ColumnMissing, r"Did you mean a\?"),
    "a column to drop that is not there": (tabular(), {"drop": ["bb"]}, ColumnMissing, r"Did you mean b\?"),
}


@pytest.mark.parametrize(("frame", "options", "error", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_leaves_nothing(project, frame, options, error, words):
    with pytest.raises(error, match=words) as caught:
        built(project, frame, **options)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in project.iterdir()) == ["rows.csv"]


def test_bad_rows_can_be_set_aside_instead(project):
    frame = _with(
        y=pl.when(ROW == 3).then(None).otherwise(pl.col("y")),
        a=pl.when(ROW == 7).then(float("inf")).otherwise(pl.col("a")),
    )
    checks = [
        {"column": "y", "rule": "not missing", "on_fail": "quarantine"},
        {"column": "a", "rule": "finite", "on_fail": "repair:missing"},
    ]
    dataset = built(project, frame, checks=checks)
    assert (dataset.frame().height, dataset.manifest.quarantined) == (299, 1)
    assert dataset.manifest.features[0].missing == 1


def test_a_label_made_at_a_horizon_can_be_checked_too(project):
    frame = _with(t=ROW, p=pl.when(ROW == 50).then(0.0).otherwise(pl.col("a").abs() + 1))
    options = {
        "time": "t",
        "source": SECONDS,
        "label": {"op": "forward_log_return", "of": "p"},
        "features": [{"name": "b", "op": "column"}],
    }
    with pytest.raises(NotFinite, match="target r is no finite value in 2"):
        built(project, frame, target="r", **options)
    checks = [{"column": "r", "rule": "finite", "on_fail": "quarantine"}]
    assert built(project, frame, target="r", checks=checks, **options).manifest.quarantined == 2


def test_time_can_be_sorted_by_a_check(project):
    frame = _with(t=pl.int_range(pl.len() - 1, -1, -1))
    checks = [{"column": "t", "rule": "increasing", "on_fail": "repair:sort"}]
    dataset = built(project, frame, time="t", source=SECONDS, checks=checks)
    assert dataset.frame()["t"].is_sorted()


def test_an_honest_strong_feature_can_be_trusted(project):
    frame = _with(c=pl.col("y") * 2 + 1)
    assert built(project, frame, trusted=["c"]).features == ["a", "b", "c"]


def test_a_function_that_sees_the_future_stops_the_build(project):
    (project / "features.py").write_text("def f(rows):\n    return rows['a'].shift(-1)\n")
    frame = _with(t=ROW)
    features = [*FEATURES, {"name": "f", "op": "function", "function": "features.py:f"}]
    with pytest.raises(Leaks, match="the feature f of row"):
        built(project, frame, time="t", source=SECONDS, features=features)
    assert not (project / "data").exists()
    report = check(make_task({"sources": [CSV | SECONDS], "time": "t", "features": features}), project)
    assert [(leak.feature, leak.kind) for leak in report.leaks] == [("f", "future")]
    assert not report.ok


def test_a_file_that_a_function_imports_is_part_of_the_code(project):
    listed = [{"name": "f", "op": "function", "function": "features.py:f"}]
    (project / "features.py").write_text("import of_mine\ndef f(rows):\n    return rows['a'] * of_mine.K\n")
    found = []
    for factor in (2, 3):
        (project / "of_mine.py").write_text(f"K = {factor}\n")
        found.append(built(project, tabular(200), features=listed))
    assert found[0].manifest.content_hash != found[1].manifest.content_hash
    assert found[0].manifest.code_hash != found[1].manifest.code_hash


def test_the_check_finds_nothing_in_honest_data_and_names_what_is_broken(project):
    _with(t=ROW).write_csv(project / "rows.csv")
    report = check(make_task({"sources": [CSV | SECONDS], "time": "t"}), project)
    assert (report.ok, report.rows, report.features) == (True, 300, 2)
    checks = [{"column": "a", "rule": "at least 100"}]
    report = check(make_task({"sources": [CSV | SECONDS], "time": "t", "checks": checks}), project)
    assert not report.ok
    assert "at least 100" in report.broken
    assert sorted(path.name for path in project.iterdir()) == ["rows.csv"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to(project):
    tabular().write_csv(project / "rows.csv")
    project.chmod(0o500)
    try:
        with pytest.raises(ReadOnly):
            build(make_task({"sources": [CSV]}), project, project / "data")
    finally:
        project.chmod(0o700)


def test_a_read_only_file_system(project):
    tabular().write_csv(project / "rows.csv")
    # The kernel's own files may not be written by anybody, root included.
    with pytest.raises(StorageError, match="cannot write /proc/assay-data"):
        build(make_task({"sources": [CSV]}), project, Path("/proc/assay-data"))


def _no_larger_than(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_full_disk_leaves_the_old_dataset(project):
    first = built(project, tabular())
    before = content(first.folder)
    tabular(20_000, seed=2).write_csv(project / "rows.csv")
    (project / "task.json").write_text(make_task({"sources": [CSV]}).model_dump_json(by_alias=True))
    program = (
        "import signal, resource; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from pathlib import Path; from assay.core.errors import AssayError; from assay.data.build import build;"
        "from assay.task.task import Task; task = Task.model_validate_json(Path('task.json').read_text());"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, SIZE))\n"
        "try:\n    build(task, '.', 'data')\nexcept AssayError as error:\n    print(error.code, error)"
    )
    for size in (2_000, 150_000):
        command = [sys.executable, "-c", program.replace("(SIZE, SIZE)", f"({size}, {size})")]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        assert done.stdout.startswith(DiskFull.code), (done.stdout, done.stderr)
        assert content(first.folder) == before
        assert {path.name for path in project.iterdir()} == {"rows.csv", "task.json", "data"}
