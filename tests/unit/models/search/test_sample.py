"""Many rows: the search learns from a sample, judges on all, and has its front learn from all."""

import numpy as np
import pytest
from tests.unit.models.small import Made, problem, rows

from assay.models.candidate import Candidate, Score, Summary
from assay.models.cost.cost import Cost
from assay.models.families.registry import family
from assay.models.families.tree import DecisionTree
from assay.models.search import sample
from assay.models.search.explore import explore
from assay.models.search.front import contenders
from assay.models.search.trial import Job, Study, run

FAMILIES = {"families": ["logistic", "tree", "xgboost"], "trials": 5, "folds": 2, "seed": 5}


@pytest.fixture
def few_are_many(monkeypatch):
    monkeypatch.setattr(sample, "SAMPLE", 60)
    monkeypatch.setattr(sample, "MANY", 120)


def test_a_sample_keeps_order_and_classes():
    asked, known = problem("multiclass"), rows("multiclass", count=1000)
    known.y[:] = np.where(np.arange(1000) < 5, 2, known.y % 2)
    index = np.arange(3, 1000)
    found = sample.drawn(asked, known, index, 100, 7)
    assert (np.diff(found) > 0).all()
    assert set(found) <= set(index.tolist())
    assert 100 <= len(found) <= 103
    shares = np.bincount(known.y[found].astype(int), minlength=3)
    assert shares[2] == 1
    assert shares[0] == pytest.approx(100 * np.mean(known.y[index] == 0), abs=1)
    assert np.array_equal(found, sample.drawn(asked, known, index, 100, 7))
    assert not np.array_equal(found, sample.drawn(asked, known, index, 100, 8))
    for size in (0, 997, 2000):
        assert sample.drawn(asked, known, index, size, 7) is index


def test_a_rhythm_of_the_rows_is_not_sampled_away():
    """Every twelfth of 600,000 rows would always be of the same hours."""
    asked = problem("regression")
    found = sample.drawn(asked, rows(count=24), np.arange(24 * 500), 1000, 7)
    hours = np.bincount(found % 24, minlength=24)
    assert hours.min() > 20


def test_few_rows_are_all_learned_from():
    assert sample.sample_of(sample.MANY) == 0
    assert sample.sample_of(sample.MANY + 1) == sample.SAMPLE == 50_000
    for name, wanted in (("xgboost", True), ("har", False), ("existing", False)):
        assert sample.learns_from_sample(family(name), 10) == wanted
        assert not sample.learns_from_sample(family(name), 0)


def test_models_learn_from_few_and_are_judged_on_all(tmp_path, monkeypatch):
    known = rows("binary", count=400)
    seen = []
    whole = DecisionTree.fit
    monkeypatch.setattr(
        DecisionTree, "fit", lambda self, params, *given: seen.append(len(given[1])) or whole(self, params, *given)
    )
    study = Study(problem("binary"), known.between(0, 300), known.between(300, 400), 3, 5, tmp_path, sample=50)
    params = family("tree").defaults(study.problem)
    first = run(study, Job(0, "tree", params))
    assert all(50 <= count <= 52 for count in seen)
    assert (len(seen), first.sample, first.whole) == (4, 50, False)
    seen.clear()
    last = run(study, Job(0, "tree", params, whole=True))
    assert (seen, last.sample, last.whole) == ([200, 200, 200, 300], 0, True)
    assert (
        last.cv == run(Study(study.problem, study.train, study.validation, 3, 5, tmp_path), Job(0, "tree", params)).cv
    )
    # The folds are those of all rows, and so is what judges: the loss of a sample of all rows is the loss itself.
    seen.clear()
    every = run(Study(study.problem, study.train, study.validation, 3, 5, tmp_path, sample=400), Job(0, "tree", params))
    plain = run(Study(study.problem, study.train, study.validation, 3, 5, tmp_path), Job(0, "tree", params))
    assert every.cv == plain.cv
    assert (every.whole, plain.sample) == (True, 0)


@pytest.mark.usefixtures("few_are_many")
def test_the_front_learns_from_all_rows_and_the_rest_says_that_it_did_not(tmp_path, calibration):
    made = Made(tmp_path / "project", "binary", rows=400, explore=FAMILIES)
    steps = []
    out = tmp_path / "candidates"
    front = explore(made.task, made.dataset, out, made.folder, calibration=calibration, progress=steps.append)
    assert "Learning from 60 of 240 rows first, judging on all" in steps
    assert front.best
    assert all(one.whole for one in front.best)
    assert (front.best[0].sample, front.best[0].sample_cv is not None) == (0, True)
    assert all((one.sample == 0) == (one.sample_cv is not None) for one in front.candidates if one.provable)
    assert all((one.sample, one.sample_cv) == (60, None) for one in front.candidates if not one.whole)
    existing = next(one for one in front.candidates if one.family == "existing")
    assert (existing.sample, existing.whole) == (0, True)
    for one in front.candidates:
        assert Candidate.load(out / one.id, made.folder).summary == one.model_copy(update={"front": False})
    # What has learned from all rows is another model, and is judged anew; it is the one that all rows alone make.
    best = front.best[0]
    direct = family(best.family).fit(
        best.params, Candidate.load(out / best.id).problem, _all(made), made.task.explore.seed
    )
    frame = made.dataset.frame("validation")
    found = Candidate.load(out / best.id).predict(frame)
    assert np.array_equal(found, direct.predict(_all(made, "validation")))
    # An exploration that goes on finds the same, and trains nothing again.
    steps.clear()
    again = explore(made.task, made.dataset, out, made.folder, calibration=calibration, progress=steps.append)
    assert again == front
    assert not [step for step in steps if "all rows" in step]


def _all(made, part="train"):
    from assay.models.rows import rows_of

    return rows_of(made.dataset, part)


@pytest.mark.usefixtures("few_are_many")
def test_the_choice_is_that_of_learning_from_all_rows_at_once(tmp_path, calibration, monkeypatch):
    made = Made(tmp_path / "project", "binary", rows=400, explore=FAMILIES)
    fronts = []
    for name, many in (("sample", 120), ("all", 10**9)):
        monkeypatch.setattr(sample, "MANY", many)
        fronts.append(explore(made.task, made.dataset, tmp_path / name, made.folder, calibration=calibration))
    # The same trials, and of what learned from all rows the same figures, so that the best is the same model.
    first, all_ = ({(one.family, str(one.params)): one for one in front.candidates} for front in fronts)
    assert set(first) == set(all_)
    for key, one in first.items():
        if one.sample == 0 and one.provable:
            assert (one.cv, one.validation, one.size) == (all_[key].cv, all_[key].validation, all_[key].size)
    best = [front.best[0] for front in fronts]
    assert (best[0].family, best[0].params) == (best[1].family, best[1].params)


def summary(name, folds, *, sampled=None, sample=60):
    def score(values):
        return Score(mean=float(np.mean(values)), std=0.0, folds=tuple(values))

    cost = Cost(prove_seconds=0.1, memory_mb=1.0, gas=300_000, setup_seconds=1.0)
    return Summary(
        id=name,
        family="tree",
        title="",
        params={},
        provable=True,
        metric="log_loss",
        cv=score(folds),
        sample_cv=None if sampled is None else score(sampled),
        validation={},
        size=None,
        predicted=cost,
        predicted_before=cost,
        fit_seconds=1.0,
        sample=sample if sampled is None else 0,
        whole=sampled is not None,
    )


def contending(*candidates):
    return [one.id for one in contenders(list(candidates))]


def test_what_may_be_the_most_accurate_is_judged_again():
    lucky = summary("lucky", (0.40, 0.48, 0.48))
    steady = summary("steady", (0.47, 0.48, 0.48))
    worse = summary("worse", (0.60, 0.61, 0.60))
    # First the best, so that its luck is gone before others are compared with it.
    assert contending(lucky, steady, worse) == ["lucky"]
    # Then what the folds leave open: one fold's luck is within the interval, and what each fold says is not.
    sure = summary("lucky", (0.40, 0.48, 0.48), sampled=lucky.cv.folds)
    behind = summary("behind", (0.41, 0.49, 0.49))
    assert contending(sure, steady, worse) == ["steady"]
    assert contending(sure, behind) == []
    # Judged again, luck is gone, and those behind it come forward; they are judged again too.
    judged = summary("lucky", (0.49, 0.5, 0.5), sampled=lucky.cv.folds)
    assert contending(judged, behind, worse) == ["behind"]
    # What one gained by all rows, any may gain.
    gained = summary("gained", (0.39, 0.39, 0.39), sampled=(0.41, 0.41, 0.41))
    for loss, wanted in ((0.405, ["near"]), (0.415, [])):
        assert contending(gained, summary("near", (loss,) * 3)) == wanted
    # Of a single fold nothing is known; what has no finite loss is not asked, nor what was judged on all rows.
    assert contending(summary("a", (0.1,), sampled=(0.1,)), summary("b", (0.9,))) == ["b"]
    assert contending(sure, summary("broken", (float("inf"),) * 3)) == []
    assert contending(summary("a", (0.1,), sample=0)) == contending() == []
