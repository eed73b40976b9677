"""Explorations of small real datasets, from a task to a front."""

import json
import shutil

import numpy as np
import pytest
from tests.unit.models.small import Made

from assay.core.errors import ArtefactVersion, NotFound
from assay.models.candidate import Candidate
from assay.models.errors import CandidateDamaged, ExistingFailed, MetricUnsuitable, NothingToExplore
from assay.models.families.tree import DecisionTree
from assay.models.metrics import loss_of
from assay.models.search.explore import explore, told
from assay.models.search.front import Front, flagged


def found(front):
    """All of a front but the seconds that training took."""
    content = front.model_dump(mode="json", by_alias=True)
    for one in content["candidates"]:
        del one["fit_seconds"]
    return content


@pytest.fixture(scope="module")
def explored(made, calibration, tmp_path_factory):
    """An exploration of each kind, made once."""
    known = {}

    def make(kind="binary", *, timed=False):
        if (kind, timed) not in known:
            own = made(kind, timed=timed)
            out = tmp_path_factory.mktemp("explored") / "candidates"
            steps = []
            front = explore(own.task, own.dataset, out, own.folder, calibration=calibration, progress=steps.append)
            known[kind, timed] = (own, out, front, steps)
        return known[kind, timed]

    return make


@pytest.mark.parametrize(("kind", "timed"), [("binary", False), ("multiclass", False), ("regression", True)])
def test_from_a_task_to_a_front(explored, kind, timed):
    own, out, front, steps = explored(kind, timed=timed)
    assert Front.load(out) == front
    assert front.dataset == own.dataset.hash
    assert front.best
    assert all(one.provable and one.predicted.gas > 100_000 for one in front.best)
    assert "existing" in {one.family for one in front.references}
    if timed:
        assert {one.family for one in front.references} == {"existing", "ewma", "garch", "har"}
    losses = [loss_of(one.metric, one.cv.mean) for one in front.candidates]
    assert losses == sorted(losses)
    existing = next(one for one in front.candidates if one.family == "existing")
    assert losses[0] < loss_of(existing.metric, existing.cv.mean)
    assert any("Trial 7 of 7" in step and "front of" in step for step in steps)
    assert len(list(told(front))) == len(front.best) + len(front.references)


@pytest.mark.parametrize(("kind", "timed"), [("binary", False), ("multiclass", False), ("regression", True)])
def test_a_candidate_predicts_from_its_folder(explored, kind, timed):
    own, out, front, _ = explored(kind, timed=timed)
    frame = own.dataset.frame("validation")
    y = own.dataset.arrays("validation")[1]
    for summary in front.candidates:
        candidate = Candidate.load(out / summary.id, own.folder)
        assert candidate.summary == summary.model_copy(update={"front": False})
        predicted = candidate.predict(frame)
        assert predicted.shape == ((len(y), 3) if kind == "multiclass" else (len(y),))
        if summary.provable and kind == "binary":
            assert np.mean((predicted >= 0.5) == y) == pytest.approx(summary.validation["accuracy"])
    best = Candidate.load(out / front.best[0].id, own.folder)
    with pytest.raises(CandidateDamaged, match="lack the feature"):
        best.predict(frame.drop(own.dataset.features[0]))


def test_the_test_rows_are_not_touched(made, calibration, tmp_path, monkeypatch):
    own = made()
    arrays, frame = type(own.dataset).arrays, type(own.dataset).frame

    def guarded(read):
        def reads(self, split=None):
            assert split in {"train", "validation"}
            return read(self, split)

        return reads

    monkeypatch.setattr(type(own.dataset), "frame", guarded(frame))
    monkeypatch.setattr(type(own.dataset), "arrays", guarded(arrays))
    task = own.with_(explore={"trials": 2, "folds": 2, "families": ["tree"]})
    assert explore(task, own.dataset, tmp_path, own.folder, calibration=calibration).best


def test_it_goes_on_after_an_interruption_and_finds_the_same(explored, calibration, tmp_path):
    own, _, front, _ = explored()

    def stops(step):
        if step.startswith("Trial 4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(own.task, own.dataset, tmp_path, own.folder, calibration=calibration, progress=stops)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*/candidate.json")}
    assert not (tmp_path / "front.json").exists()
    stamps = {path.parent.name: path.stat().st_mtime_ns for path in tmp_path.glob("*/candidate.json")}
    again = explore(own.task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert found(again) == found(front)
    assert kept
    assert all((tmp_path / name / "candidate.json").stat().st_mtime_ns == stamp for name, stamp in stamps.items())


@pytest.mark.parametrize("damage", ["deleted", "no record", "another release's", "a model cut short", "no model"])
def test_a_lost_candidate_is_trained_again(explored, calibration, tmp_path, damage):
    own, out, front, _ = explored()
    shutil.copytree(out, tmp_path / "copy")
    lost = tmp_path / "copy" / front.best[0].id
    record, (model,) = lost / "candidate.json", [path for path in lost.iterdir() if path.name != "candidate.json"]
    {
        "deleted": lambda: shutil.rmtree(lost),
        "no record": lambda: record.write_text("{"),
        "another release's": lambda: record.write_text('{"schema": "assay-candidate/9"}'),
        "a model cut short": lambda: model.write_bytes(model.read_bytes()[:99]),
        "no model": model.unlink,
    }[damage]()
    again = explore(own.task, own.dataset, tmp_path / "copy", own.folder, calibration=calibration)
    assert found(again) == found(front)
    assert Candidate.load(lost, own.folder).id == lost.name


def test_processes_find_the_same(explored, calibration, tmp_path):
    own, _, front, _ = explored()
    beside = explore(own.task, own.dataset, tmp_path, own.folder, calibration=calibration, workers=2)
    assert found(beside) == found(front)


def test_a_hard_limit_prunes_before_training(made, calibration, tmp_path):
    own = made()
    task = own.with_(limits={"gas": 185_000})
    front = explore(task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert {one.family for one in front.best} == {"logistic"}
    assert {one.family for one in front.pruned} <= {"tree", "forest", "xgboost", "lightgbm"}
    assert all(one.limits == ("gas",) for one in front.pruned)
    assert len(front.pruned) >= 4
    # Only the first of a family comes before the limit's slack; no folder of a pruned trial is made.
    assert len(list(tmp_path.glob("*/candidate.json"))) == len(front.candidates)
    again = explore(task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert found(again) == found(front)


def test_parameters_that_a_library_refuses_are_a_failed_trial(made, calibration, tmp_path, monkeypatch):
    own = made()
    fit = DecisionTree.fit

    def refuses(self, params, problem, rows, seed):
        if params["depth"] > 4:
            raise ValueError("too deep for me")
        return fit(self, params, problem, rows, seed)

    monkeypatch.setattr(DecisionTree, "fit", refuses)
    task = own.with_(explore={"trials": 6, "folds": 2, "families": ["tree"]})
    front = explore(task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert front.best
    assert front.failed
    assert {one.what for one in front.failed} == {"ValueError: too deep for me"}
    assert len({one.trial for one in front.failed}) == len(front.failed) < 6


def test_all_pruned_is_a_front_without_candidates(made, calibration, tmp_path):
    own = made()
    task = own.with_(limits={"gas": 50_000, "latency_blocks": 1})
    front = explore(task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert not front.best
    assert {limit for one in front.pruned for limit in one.limits} == {"gas", "latency_blocks"}


def test_what_cannot_be_explored(made, calibration, tmp_path):
    own = made()

    def refused(error, what, **sections):
        with pytest.raises(error, match=what):
            explore(own.with_(**sections), own.dataset, tmp_path / "out", own.folder, calibration=calibration)
        assert not (tmp_path / "out" / "front.json").exists()

    refused(NothingToExplore, "har is not for a binary target", explore={"families": ["har", "linear"]})
    refused(MetricUnsuitable, "rmse", limits={"metric": "rmse"})
    refused(ExistingFailed, "absent", existing={"kind": "column", "column": "absent"})


def test_a_front_of_another_release_or_none(explored, tmp_path):
    _, _, front, _ = explored()
    front.save(tmp_path)
    content = json.loads((tmp_path / "front.json").read_text())
    (tmp_path / "front.json").write_text(json.dumps(content | {"schema": "assay-front/9"}))
    with pytest.raises(ArtefactVersion, match="assay-front/9"):
        Front.load(tmp_path)
    (tmp_path / "front.json").write_text("[]")
    with pytest.raises(CandidateDamaged):
        Front.load(tmp_path)
    with pytest.raises(NotFound):
        Candidate.load(tmp_path / "absent")


def test_the_front_is_what_nothing_else_beats(explored):
    _, _, front, _ = explored()
    one = front.best[0]

    def other(name, loss, seconds, gas):
        cost = one.predicted.model_copy(update={"prove_seconds": seconds, "gas": gas})
        score = one.cv.model_copy(update={"mean": loss})
        return one.model_copy(update={"id": name, "cv": score, "predicted": cost, "metric": "rmse"})

    marked = flagged(
        [
            other("slow", 1.0, 0.5, 300),
            other("fast", 2.0, 0.1, 300),
            other("worse", 2.5, 0.1, 300),
            other("frugal", 3.0, 0.2, 200),
            other("as-cheap", 1.5, 0.495, 300),  # one per cent faster is not faster
            other("twin", 1.0, 0.5, 300),
        ]
    )
    assert [row.id for row in marked if row.front] == ["slow", "fast", "frugal"]


def test_a_loss_of_the_users_own(made, calibration, tmp_path):
    own = made()
    value = {"loss": "today * ABS(y - prediction) + 1", "unit": "USD"}
    task = own.with_(value=value, explore={"trials": 2, "folds": 2, "families": ["tree"]})
    front = explore(task, own.dataset, tmp_path, own.folder, calibration=calibration)
    assert front.metric == "value"
    assert all(one.cv.mean >= 1 for one in front.candidates)


def test_in_a_folder_of_an_awkward_name(calibration, tmp_path):
    own = Made(tmp_path / "100 % ü ?", explore={"trials": 2, "folds": 2, "families": ["tree"]})
    out = own.folder / "candi dates"
    front = explore(own.task, own.dataset, out, own.folder, calibration=calibration)
    assert Candidate.load(out / front.best[0].id, own.folder).id == front.best[0].id
