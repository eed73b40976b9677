"""Windows: they hold a row and those before it in its own series, and never anything later."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.data.small import make_task

from assay.data.build import build
from assay.data.errors import SettingsUnfit, TooFewRows
from assay.data.features import sequences
from assay.data.targets.splits import PARTS
from assay.task.check import check_windows
from assay.task.errors import TaskContradiction

CSV = {"name": "rows", "kind": "csv", "path": "rows.csv", "time_unit": "s"}


def panel(counts, seed=0, hole=0.0):
    """Series of these lengths at times of their own; `a` tells a row's series and place apart from all others."""
    random = np.random.default_rng(seed)
    frames = []
    for number, count in enumerate(counts):
        times = np.sort(random.choice(3 * max(counts), count, replace=False))
        place = 1000 * number + np.arange(count)
        frames.append(pl.DataFrame({"time": times, "pool": [f"p{number}"] * count, "a": place, "b": place / 2 + 0.25}))
    rows = pl.concat(frames).with_columns(y=pl.Series(random.normal(size=sum(counts))))
    return rows.filter(pl.Series(random.random(rows.height) >= hole)).sort("time", "pool")


def built(project, frame, *, window, entity=True, label=None, **data):
    frame.write_csv(project / "rows.csv")
    series = {"entity": "pool"} if entity else {"drop": ["pool"]}
    features = [{"name": name, "op": "column"} for name in ("a", "b")]
    content = {"time": "time", "window": window, "features": features, "sources": [CSV], **series, **data}
    return build(make_task(content | ({"label": label} if label else {})), project, project / "data")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=4),
    st.integers(1, 6),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.2]),
)
def test_a_window_is_the_row_and_those_before_it_in_its_series(counts, window, seed, hole):
    frame = panel(counts, seed, hole=0.0)
    frame = sequences_place(frame)
    kept = frame.filter(pl.Series(np.random.default_rng(seed).random(frame.height) >= hole))
    full = sequences.whole(kept, window, "pool")
    random = np.random.default_rng(seed + 1)
    own = full & (random.random(kept.height) < 0.7)
    held = sequences.seen(kept, own, window, "pool")
    X = sequences.windows(kept.filter(held), ["a", "b"], own[held], window, "pool")
    wanted = []
    there = set(kept["a"].to_list())
    for a, is_own, is_full in zip(kept["a"], own, full, strict=True):
        rows = [a - back for back in reversed(range(window))]
        # One row of a series follows another if their numbers do: 1000 apart are the series.
        assert is_full == (all(row in there for row in rows) and rows[0] // 1000 == a // 1000 and rows[0] >= 0)
        if is_own:
            wanted.append([value for row in rows for value in (row, row % 1000 / 2 + 500 * (row // 1000) + 0.25)])
    assert X.shape == (len(wanted), 2 * window)
    assert np.array_equal(X, np.array(wanted, dtype=np.float32).reshape(-1, 2 * window))
    # Nothing is kept that no window holds.
    assert int(held.sum()) == len({row for a in kept["a"].to_numpy()[own] for row in range(a - window + 1, a + 1)})


def sequences_place(frame):
    """The rows with their numbers in their series, as the build adds them."""
    return frame.with_columns(pl.int_range(pl.len()).over("pool").alias(sequences.PLACE))


def test_names_go_from_the_oldest_row_to_the_row_itself():
    assert sequences.names(["a", "b"], 3) == ["a@-2", "b@-2", "a@-1", "b@-1", "a", "b"]
    assert sequences.names(["a", "b"], 1) == ["a", "b"]


@pytest.mark.parametrize("entity", [True, False])
def test_a_dataset_has_windows_that_are_those_of_the_source(project, entity):
    frame = panel([120, 90, 4] if entity else [300])
    dataset = built(project, frame, window=5, entity=entity)
    about = dataset.manifest
    assert (about.window, about.embargo) == (5, 4)
    assert dataset.inputs == sequences.names(["a", "b"], 5)
    assert dataset.frame().height == sum(part.rows for part in about.rows.values())
    for part in PARTS:
        rows = dataset.frame(part)
        S, y = dataset.sequences(part)
        X, same = dataset.arrays(part)
        assert S.shape == (rows.height, 5, 2)
        assert np.array_equal(S.reshape(rows.height, 10), X)
        assert np.array_equal(y, same)
        assert np.array_equal(S[:, -1, 0], rows["a"].to_numpy())
        # Whoever is in a window is of the same series, and as many rows before as the place says.
        assert np.array_equal(S[:, :, 0], rows["a"].to_numpy()[:, None] + np.arange(-4, 1))
        assert dataset.windows(part).select(dataset.inputs).to_numpy() == pytest.approx(X)
    first = sum(min(4, count) for count in ([120, 90, 4] if entity else [300]))
    assert {"what": "rows", "count": first, "reason": "the window of 5 rows is not full yet"} in [
        one.model_dump() for one in about.left_out
    ]
    counted = sum(one.count for one in about.left_out if one.what == "rows")
    assert counted + dataset.frame().height == frame.height


def test_windows_of_one_series_are_a_view(project):
    dataset = built(project, panel([300]), window=20, entity=False)
    X, _ = dataset.arrays("train")
    S, _ = dataset.sequences("train")
    for found in (X, S):
        assert not found.flags.writeable
        assert found.base is not None
        assert found.strides[0] == 2 * 4  # the next row's window begins one row later in the same array
    assert S[3, -1, 0] == S[4, -2, 0]


@pytest.mark.parametrize("label", [{"op": "forward_mean", "of": "y", "horizon": 3, "gap": 1}, None])
@pytest.mark.parametrize("entity", [True, False])
def test_no_window_holds_a_row_that_a_label_of_an_earlier_part_sees(project, entity, label):
    """The embargo counts the window: between parts, rows that are seen as labels are not seen as features."""
    frame = panel([200, 150, 40], seed=3) if entity else panel([300])
    dataset = built(project, frame, window=4, entity=entity, label=label)
    reach = 4 if label else 0
    assert dataset.manifest.embargo == reach + 3
    for before, after in (("train", "validation"), ("validation", "test"), ("train", "test")):
        labels, windows = dataset.frame(before)["a"].to_numpy(), dataset.sequences(after)[0][:, :, 0]
        seen = {int(a) + ahead for a in labels for ahead in range(reach + 1)}
        assert not seen & {int(a) for a in windows.ravel()}
        assert windows.size


def test_the_future_moves_no_window(project):
    """Rows after a moment are changed, and every window up to it stays as it was."""
    frame = panel([150, 150], seed=5)
    before = built(project, frame, window=6)
    cut = sorted(frame["time"].to_list())[200]
    later = pl.col("time") > cut
    changed = frame.with_columns(pl.when(later).then(pl.col("a") * 3 + 7).otherwise(pl.col("a")).alias("a"))
    (project / "other").mkdir()
    after = built(project / "other", changed, window=6)
    kept = 0
    for part in PARTS:
        old, new = ((d.frame(part)["time"].to_physical().to_numpy(), d.sequences(part)[0]) for d in (before, after))
        assert np.array_equal(old[0], new[0])
        early = old[0] <= cut * 1_000_000
        assert np.array_equal(old[1][early], new[1][early])
        kept += int(early.sum())
        if part == "test":
            assert not np.array_equal(old[1], new[1])
    assert kept > 100


def test_rows_that_were_set_aside_are_in_no_window_and_gaps_are_named(project):
    frame = panel([300]).with_columns(time=pl.int_range(pl.len()) * 3600)
    frame = frame.with_columns(b=pl.when(pl.col("a") == 70).then(-5.0).otherwise(pl.col("b"))).filter(
        pl.col("a") != 100
    )
    # `late` is made, so that its check comes after the features.
    late = {"name": "late", "op": "column", "of": "b * 2"}
    features = [{"name": name, "op": "column"} for name in ("a", "b")] + [late]
    check = {"column": "late", "rule": "at least 0", "on_fail": "quarantine"}
    dataset = built(project, frame, window=4, entity=False, features=features, checks=[check])
    ends = np.concatenate([dataset.sequences(part)[0][:, :, 0] for part in PARTS])
    assert 70 not in ends
    assert not {71, 72, 73} & set(ends[:, -1].astype(int))
    assert 74 in ends[:, -1]
    assert {"what": "rows", "count": 3, "reason": "the window of 4 rows holds one that was set aside"} in [
        one.model_dump() for one in dataset.manifest.left_out
    ]
    # Row 100 was never there: its neighbours follow each other, and the note says that time does not.
    assert [note for note in dataset.manifest.notes if "gap" in note] == [
        "3 of 286 windows span a gap: rows are usually 1:00:00 apart"
    ]


def test_whole_numbers_beyond_float32_are_rounded_and_named(project):
    frame = panel([300]).with_columns(a=pl.col("a") + 2**24 + 1)
    dataset = built(project, frame, window=3, entity=False)
    assert dataset.manifest.features[0].kind == "float32"
    found = [one for one in dataset.manifest.left_out if one.what == "digits of the feature a"]
    assert found[0].count == 150
    assert "2^24" in found[0].reason


def test_without_a_window_nothing_changes(project):
    dataset = built(project, panel([300]), window=1, entity=False)
    text = (dataset.folder / "manifest.json").read_text(encoding="utf-8")
    assert '"window"' not in text
    assert '"before"' not in text
    assert dataset.inputs == dataset.features
    assert dataset.sequences("test")[0].shape == (60, 1, 2)
    assert np.array_equal(dataset.sequences("test")[0][:, 0], dataset.arrays("test")[0])


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"time": None}, "needs rows in time"),
        ({"may_repeat": ["times"]}, "one moment"),
        ({"split": {"by": "random"}}, "would know each other"),
        ({"entity": "pool", "split": {"by": "group", "group": "a"}}, "would know each other"),
    ],
)
def test_windows_that_cannot_be_are_contradictions(project, data, words):
    content = {"time": "time", "window": 4, "sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}], **data}
    task = make_task({key: value for key, value in content.items() if value is not None})
    found = list(check_windows(task))
    assert [one.severity for one in found] == ["contradiction"]
    assert words in found[0].what
    panel([300]).write_csv(project / "rows.csv")
    with pytest.raises(TaskContradiction, match=words):
        build(task, project, project / "data")


def test_parts_that_divide_the_series_may_have_windows(project):
    frame = panel([60] * 12)
    dataset = built(project, frame, window=5, split={"by": "group", "group": "pool"})
    assert dataset.manifest.embargo == 0
    pools = {part: set(dataset.frame(part)["pool"].to_list()) for part in PARTS}
    assert not pools["train"] & pools["test"]
    for part in PARTS:
        assert {f"p{int(a) // 1000}" for a in dataset.sequences(part)[0][:, :, 0].ravel()} == pools[part]


def test_windows_that_no_row_fills_or_no_proof_reads(project):
    with pytest.raises(TooFewRows, match="window of 30 rows"):
        built(project, panel([20, 20]), window=30)
    features = [{"name": f"f{n}", "op": "column", "of": f"b * {n + 1}"} for n in range(20)]
    with pytest.raises(SettingsUnfit, match="80000 numbers, and a proof reads 65536"):
        built(project, panel([4100]), window=4000, entity=False, features=features)
