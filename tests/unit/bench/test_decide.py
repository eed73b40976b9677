"""From a CSV to a decision, by the commands: real models, proofs, contracts and a real node."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from tests.unit.data.small import make_task

import assay
from assay.bench import calibrate
from assay.bench.calibrate import cache_path
from assay.bench.decide import decide, scales_of
from assay.bench.decision import Decision
from assay.bench.errors import FrontOutdated
from assay.cli.main import run
from assay.data.dataset.dataset import Dataset
from assay.models.cost.cost import Calibration
from assay.models.search.front import Front, flagged
from assay.project.project import Project
from assay.task.task import Task

from .own import project_in, recorded


@pytest.fixture(scope="module", autouse=True)
def cache_of_its_own(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("cache")):
        yield


@pytest.fixture(scope="module")
def project(cache_of_its_own, tmp_path_factory):
    """A project whose dataset is built, in a place with an awkward name."""
    return project_in(tmp_path_factory.mktemp("projects") / "ü own")


@pytest.fixture(scope="module")
def decided(project):
    Project(project).step("explore")
    Project(project).step("decide")
    return Decision.load(project / "decision")


def test_a_candidate_is_chosen_and_said_why(decided, project):
    assert decided.chosen is not None
    chosen = next(row for row in decided.rows if row.id == decided.chosen)
    assert chosen.qualifies
    assert chosen.improvement >= 0.05
    assert chosen.id in decided.reasons[0]
    assert decided.test_looks == 1
    assert decided.test_rows == Dataset.load(project / "data").frame("test").height


def test_what_was_measured_is_of_a_real_proof_and_transaction(decided):
    proven = [row for row in decided.rows if row.provable]
    assert proven
    for row in proven:
        assert row.fidelity.ok
        assert row.fidelity.rows == decided.test_rows
        assert 0 < row.measured.prove_seconds < 60
        assert 100_000 < row.measured.gas < 1_000_000
        assert row.usd_per_inference == pytest.approx(row.measured.gas * 1e-9 * 3000, rel=0.01)
    assert [row.id for row in proven] == [row.id for row in sorted(proven, key=lambda one: one.usd_per_inference)]


def test_the_chosen_one_can_be_proven_and_verified_by_hand(decided, project, tmp_path):
    chosen = project / "decision" / "chosen"
    keys = assay.Keys.load(chosen)
    inputs = json.loads((chosen / "row.json").read_text())["inputs"]
    proof = assay.prove(keys.proving_key, inputs)
    assay.verify(keys.verifying_key, proof)
    assert run(["prove", str(chosen), "--input", str(chosen / "row.json"), "--out", str(tmp_path / "proof.json")]) == 0


def test_keys_have_a_folder_of_their_own(decided, project):
    folder = project / "keys" / decided.modelId
    assert (project / "decision" / "chosen").readlink() == Path("..", "keys", decided.modelId)
    keys = assay.Keys.load(folder)
    assert keys.model_id == decided.modelId
    assert keys.proving_key.max_batch == Task.load(project).protocol.max_batch == 128
    assert "up to 128 rows a proof" in decided.key
    # Those that were made to measure the others are not kept.
    assert [path.name for path in (project / "keys").iterdir() if path.is_dir()] == [decided.modelId]
    assert len(list((project / "keys").rglob("*.key"))) == 2


def test_batches_of_other_sizes_have_other_keys(decided, project, tmp_path):
    own = tmp_path / "own"
    shutil.copytree(project, own)  # follows the link: `chosen` is a folder in the copy
    text = (own / "task.toml").read_text()
    (own / "task.toml").write_text(text.replace("[limits]", "[protocol]\nmax_batch = 16\n[limits]"))
    dataset, front = Dataset.load(own / "data"), Front.load(own / "candidates")
    found = decide(Task.load(own), dataset, front, own / "decision", own)
    assert found.modelId != decided.modelId
    assert "it is for 128 rows a proof, and 16 are wanted" in found.key
    assert assay.Keys.load(own / "decision" / "chosen").proving_key.max_batch == 16
    assert assay.Keys.load(own / "keys" / decided.modelId) == assay.Keys.load(project / "keys" / decided.modelId)
    # Costs are of proofs with such keys, so they were measured again.
    before = {row.id: row.measured for row in decided.rows if row.measured}
    assert all(row.measured != before[row.id] for row in found.rows if row.measured)


def test_large_integers_are_proven_as_they_are(project, decided):
    trees = [row for row in decided.rows if row.family in {"tree", "xgboost"} and row.provable]
    front = Front.load(project / "candidates")
    assert trees
    assert all(one.size.wide for one in front.candidates if one.family in {"tree", "xgboost"})


def test_other_limits_are_decided_from_what_was_measured(decided, project, tmp_path):
    place = tmp_path / "decision"
    shutil.copytree(project / "decision", place)
    text = (project / "task.toml").read_text()
    (tmp_path / "task.toml").write_text(text.replace("better_than_existing = 0.05", "better_than_existing = 0.99"))
    steps = []
    dataset, front = Dataset.load(project / "data"), Front.load(project / "candidates")
    found = decide(Task.load(tmp_path), dataset, front, place, project, progress=steps.append)
    assert (found.chosen, found.binding) == (None, "better_than_existing")
    assert [row.measured for row in found.rows] == [row.measured for row in decided.rows]
    assert not any("Proving" in step for step in steps)
    assert found.test_looks == 1
    assert not (place / "chosen").exists()  # what was chosen before is no longer
    assert found.modelId is None
    kept = project / "keys" / decided.modelId
    assert assay.Keys.load(kept).model_id == decided.modelId  # but its keys stay

    # And with the old limits again it is the very same key, which contracts may have pinned.
    again = decide(Task.load(project), dataset, front, place, project)
    assert (again.chosen, again.modelId) == (decided.chosen, decided.modelId)
    assert "is kept" in again.key
    assert (place / "chosen").resolve() == kept


def test_looking_again_with_other_models_is_counted_and_said(decided, project, tmp_path):
    dataset, front = Dataset.load(project / "data"), Front.load(project / "candidates")
    assert len(front.best) > 1
    fewer = tuple(one for one in front.candidates if one != front.best[-1])
    first = front.model_copy(update={"candidates": fewer})
    looks = [decide(Task.load(project), dataset, one, tmp_path, project).test_looks for one in (first, first)]
    assert looks == [1, 1]
    again = decide(Task.load(project), dataset, front, tmp_path, project)
    assert again.test_looks == 2
    assert "no longer unseen" in again.reasons[-1]


def test_what_cannot_be_proven_hides_nothing_that_can(project, decided, tmp_path):
    own = project_in(tmp_path / "outlier")
    seen = Dataset.load(own / "data").frame("test")["c"][3]
    rows = pl.read_csv(own / "rows.csv")
    far = pl.when((pl.col("c") - seen).abs() < 1e-6).then(1e20).otherwise(pl.col("c")).alias("c")
    rows.with_columns(far).write_csv(own / "rows.csv")
    assert run(["data", "build", str(own)]) == 0
    Project(own).step("explore")
    found = Front.load(own / "candidates")
    best = next(one for one in found.candidates if one.family == "logistic")
    # Nothing is as accurate and as cheap as this one, so it stands alone on the front.
    alone = best.model_copy(update={"cv": best.cv.model_copy(update={"mean": 0.0})})
    others = [one for one in found.candidates if one.id != best.id]
    front = found.model_copy(update={"candidates": tuple(flagged([alone, *others]))})
    assert [one.id for one in front.best] == [best.id]
    decision = decide(Task.load(own), Dataset.load(own / "data"), front, own / "decision", own)
    rows = {row.id: row for row in decision.rows}
    assert rows[best.id].measured is None
    assert any(text.startswith("logistic") and "cannot be proven" in text for text in decision.reasons)
    assert decision.chosen is not None
    assert rows[decision.chosen].family in {"tree", "xgboost"}
    assert {row.id for row in decision.rows if row.measured} == {one.id for one in front.without({best.id}).best}


def test_candidates_of_another_dataset_are_refused(project, decided, tmp_path):
    front = Front.load(project / "candidates").model_copy(update={"dataset": "0" * 64})
    with pytest.raises(FrontOutdated):
        decide(Task.load(project), Dataset.load(project / "data"), front, tmp_path / "out", project)
    assert not (tmp_path / "out").exists()


def test_the_commands_say_it(project, decided, capfd):
    assert run(["explore", str(project), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["fresh"] is True
    assert {"existing", "logistic"} <= {one["family"] for one in found["candidates"]}
    assert run(["explore", str(project)]) == 0
    assert "on the front" in capfd.readouterr().out
    assert run(["decide", str(project)]) == 0
    shown = capfd.readouterr().out
    assert f"chosen: {decided.chosen}" in shown
    assert "not proven" in shown
    assert run(["decide", str(project), "--json"]) == 0
    assert Decision.model_validate_json(capfd.readouterr().out) == decided


def test_none_qualifies_is_exit_code_3(project, decided, tmp_path, capfd):
    own = tmp_path / "strict"
    shutil.copytree(project, own)
    (own / "task.toml").write_text((own / "task.toml").read_text().replace("= 0.05", "= 0.99"))
    assert run(["explore", str(own), "--json"]) == 0
    capfd.readouterr()
    assert run(["decide", str(own), "--json"]) == 3
    found = json.loads(capfd.readouterr().out)
    assert (found["chosen"], found["binding"]) == (None, "better_than_existing")
    assert found["nearest"]["id"] in {row["id"] for row in found["rows"]}


def test_the_machine_is_measured_again_when_asked(project, decided, tmp_path, monkeypatch, capfd):
    own = tmp_path / "again"
    shutil.copytree(project, own)
    before = Front.load(own / "candidates")
    known = Calibration.load(cache_path("public"))
    points = tuple(point.model_copy(update={"prove_seconds": 2 * point.prove_seconds}) for point in known.points)
    slower = known.model_copy(update={"points": points})
    monkeypatch.setattr(calibrate, "measure_calibration", lambda *_, **__: slower)
    try:
        assert run(["explore", str(own), "--calibrate", "--json"]) == 0
        assert json.loads(capfd.readouterr().out)["fresh"] is False
        assert Calibration.load(cache_path("public")) == slower
    finally:
        known.save(cache_path("public"))
    front = Front.load(own / "candidates")
    times = [{one.family: one.predicted.prove_seconds for one in found.candidates} for found in (before, front)]
    assert times[1]["logistic"] == pytest.approx(2 * times[0]["logistic"], rel=0.01)


def test_the_chosen_circuit_says_by_what_its_features_were_divided():
    data = {
        "sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}],
        "features": [{"name": "wei", "op": "column", "scale": 12}, {"name": "n", "op": "column"}],
    }
    task = make_task(data)
    assert scales_of(task, ["wei", "n", "wei@-3", "n@-3"]) == {"wei": 12, "wei@-3": 12}
