"""The replay of twenty years of retraining knows no tomorrow."""

import numpy as np
import polars as pl
from benchmarks import results, retraining

from assay.task.task import Task


def test_a_row_of_the_replay_knows_its_own_day_and_the_label_the_next():
    table = retraining.days()
    assert table.height > 5000
    day = table["volatility_day"].to_numpy()[1:] / 1e6
    assert np.allclose(day, table["volatility_next"].to_numpy()[:-1], atol=1e-6)
    assert table["day"].is_sorted()
    assert table.select(pl.col(retraining.FEATURES)).null_count().sum_horizontal().item() == 0


def test_the_guide_says_what_the_replay_found():
    result, page = results.read(retraining.NAME), retraining.GUIDE.read_text(encoding="utf-8")
    assert retraining.table(result) in page, "run `python -m benchmarks.retraining --render`"
    text = " ".join(page.split())
    yearly = [one for one in result["settings"] if one["setting"]["years"] == 1]
    [seldom] = [one for one in result["settings"] if one["setting"]["years"] == 4]
    figures, sparse = [one["figures"] for one in yearly], seldom["figures"]
    assert sum(one["promoted"] + one["by_alarm"] + one["taken_back"] for one in figures) == 0
    assert f"Of {sum(one['retrained'] for one in figures)} retrainings none was promoted" in text
    assert f"`existing` refused {sum(one['refused_by']['existing'] for one in figures)} of them" in text
    fresh = [run["fresh"] for one in yearly for run in one["retrainings"]]
    assert f"the {min(fresh):,} to {max(fresh):,} fresh rows" in text
    spent = sum(one["processor_seconds"] for one in [*figures, sparse])
    assert f"{spent / sum(one['retrained'] for one in [*figures, sparse]):.0f} s of processor time each" in text
    errors = [f"{one['setting']['alpha'] / one['setting']['looks']:.2%}" for one in yearly]
    assert errors == ["0.25%", "1.00%", "2.00%"]
    assert seldom["setting"]["alpha"] / seldom["setting"]["looks"] == 0.1
    days = [run["day"][:4] for run in seldom["retrainings"] if run["outcome"] == "challenger"]
    assert (days, sparse["retrained"], sparse["taken_back"]) == (["2009", "2013"], 4, 0)
    less = sparse["less_than_never"]["gated"]
    assert (
        f"{less['mean'] / sparse['loss']['never']:.1%}".replace("%", " %") + " below that of never retraining" in text
    )
    assert f"{less['mean']:.4f} less a day, with a standard error of {less['standard_error']:.4f}" in text
    assert f"{1e6 * less['mean'] / 10_000 * 100:.0f} cents a day" in text
    most = figures[0]["less_than_never"]["always"]["mean"] / figures[0]["loss"]["never"]
    assert f"{most:.1%}".replace("%", " %") + " with a model a year" in text
    assert f"all {sparse['days']:,} days" in text


def test_a_setting_is_a_task_that_has_no_contradiction_of_its_own(tmp_path):
    for setting in retraining.SETTINGS:
        (tmp_path / "task.toml").write_text(setting.task(), encoding="utf-8")
        found = Task.load(tmp_path).retrain
        assert (found.alpha, found.looks, found.every) == (setting.alpha, setting.looks, f"{365 * setting.years}d")
    assert retraining.SETTINGS[-1].ends(2018) == [f"{year}-12-31" for year in (2005, 2009, 2013, 2017)]


def test_the_replay_counts_what_each_way_would_have_lost(tmp_path):
    (tmp_path / "task.toml").write_text(retraining.SETTINGS[0].task(), encoding="utf-8")
    world = retraining.World(retraining.days(), Task.load(tmp_path))
    fixed = np.full(world.days.height, retraining.FIXED)
    better = world.days["volatility_next"].to_numpy()
    world.models = {0: fixed, 1: better}
    begin, last = world.until(retraining.FIRST) + 1, world.until("2004-12-31")
    run = {"day": "2003-12-31", "trigger": "x", "outcome": "challenger", "taken_back": None, "refused_by": []}
    since = world.until("2003-12-31") + 1
    found = retraining._figures(world, [(begin, 0), (since, 1)], [run], "2004-12-31")
    assert found["loss"]["fixed"] == found["loss"]["never"] > found["loss"]["gated"]
    own = np.concatenate([world.loss(fixed)[begin:since], world.loss(better)[since:last]])
    assert np.isclose(found["loss"]["gated"], own.mean())
    assert (found["promoted"], found["days"]) == (1, last - begin)
