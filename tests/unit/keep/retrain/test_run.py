"""A whole retraining: killed at every step it goes on, nothing is done twice, and the champion's project stays."""

import contextlib
import json
import multiprocessing
import re
import shlex
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update
from tests.unit.keep.retrain.conftest import grow, retrain
from tests.unit.keep.retrain.killed import attempt
from tests.unit.keep.retrain.small import ALL, FIRST, TASK, rows

from assay.bench.evidence import bound, judged
from assay.cli.main import run as command
from assay.core.errors import AssayError
from assay.core.hashing import digest_of_file
from assay.keep.retrain.alone import alone
from assay.keep.retrain.begin import note_due, standing
from assay.keep.retrain.errors import ChampionFrozen, NoOrder, NothingDecides, RetrainBusy, SourceElsewhere
from assay.keep.retrain.gates import better, contract, cost, fidelity, key, rehearsed
from assay.keep.retrain.material import Answered, Challenger, fresh
from assay.keep.retrain.plan import retrainings
from assay.keep.retrain.promote import guard, propose
from assay.keep.retrain.run import Run, drop
from assay.keep.watch.alarms import Alarm, raise_
from assay.keep.watch.alarms import Rows as About
from assay.project.project import Project
from assay.prove.keys import VerifyingKey
from assay.record import journal, leases, releases, schema
from assay.record.database import Database
from assay.record.journal import Event
from assay.release import alias
from assay.release.errors import ReleaseError

pytestmark = pytest.mark.slow
GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "retraining.md"
HEAVY = [
    *(
        "polars",
        "duckdb",
        "scipy.stats",
        "sklearn.linear_model",
        "optuna",
        "jinja2",
        "tests.unit.keep.retrain.conftest",
    ),
    *("assay.data.build", "assay.bench.explore", "assay.bench.decide", "assay.report.write", "assay.rehearse.rehearse"),
]
STEPS = ["copied", "data", "looked", "walked", "judged", "released", "rehearsed"]


@contextlib.contextmanager
def records(folder):
    with contextlib.closing(Database.of_project(folder)) as database:
        yield database


@pytest.fixture(scope="module")
def retrained(first, tmp_path_factory):
    """A project whose retraining was killed at each of its steps; how often, and the files as they were before."""
    folder = grow(first, tmp_path_factory.mktemp("retrained") / "demand")
    files = _files(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(HEAVY)  # imported once, not by each of some thirty processes
    kills = []
    for how in ("copying", *["before", "after"] * 40, None):
        child = context.Process(target=attempt, args=(folder, how))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL, (how, kills)
        kills.append(how)
    return folder, files, kills


def _files(folder):
    """Everything outside of the service's own folder."""
    found = [path for path in folder.rglob("*") if path.is_file() and ".assay" not in path.relative_to(folder).parts]
    return {path.relative_to(folder): digest_of_file(path) for path in found}


def test_killed_at_each_step_it_goes_on_and_does_nothing_twice(retrained):
    folder, files, kills = retrained
    # In the copy; after each event (a plan, seven steps, the end); before it, or after a step of the walk.
    assert kills.count("after") >= 1 + len(STEPS) + 1
    assert len(kills) >= 19
    with records(folder) as database:
        events = journal.read(database, "demand", ["retrain.planned", "retrain.step", "retrain.ended"])
        assert [event.what.get("step") for event in events] == [None, *STEPS, None]
        assert journal.verify(database, "demand") > 0
        (one,) = retrainings(database, "demand")
        assert [made.version for made in releases.find(database, "demand")] == [1, 2]
        assert alias.champion(database, "demand") == one.champion
        assert (one.outcome, one.error) == ("challenger", 0.01)
        assert [verdict.gate for verdict in one.verdicts if verdict.holds] == [
            *("task", "data", "schema", "sources", "fresh", "looks"),
            *("fidelity", "cost", "existing", "champion", "key", "contract"),
            "rehearsed",
        ]
        assert {path.name for path in (folder / ".assay" / "retrain" / "1").iterdir()} == {"champion", "project"}
        # What it spent, it spent once; the next look has a fifth of alpha, as this one had.
        found = standing(database, Project(folder).task)
        assert (found.look.number, round(found.look.error, 9)) == (2, 0.01)
    assert _files(folder) == files


@pytest.fixture(scope="module")
def facts(retrained):
    """What the gates looked at."""
    folder, _, _ = retrained
    with records(folder) as database:
        (one,) = retrainings(database, "demand")
        champion = releases.by_digest(database, one.champion)
    from assay.keep.retrain.material import Champion

    place = folder / ".assay" / "retrain" / "1"
    return Champion(champion, place / "champion"), Challenger(Project(place / "project"))


def test_each_later_gate_refuses_what_lacks_only_what_it_tests(facts):
    before, now = facts
    rows_, problem, existing = fresh(before, now.dataset).rows, now.candidate.problem, now.existing.fitted
    mine, its, todays = (
        judged(now.task, problem, fitted, rows_, past=now.known)
        for fitted in (
            Answered(now.circuit, problem, existing),
            Answered(before.circuit, problem, existing),
            existing,
        )
    )
    row, compared = now.row, contract.examine(before.key, now.key)
    whole = {
        "fidelity": fidelity.gate(row),
        "cost": cost.gate(now.task, row),
        "existing": better.gate("existing", bound(now.task, problem, rows_, (mine, todays), 0.01), 0.0),
        "champion": better.gate("champion", bound(now.task, problem, rows_, (mine, its), 0.01), 0.0),
        "key": key.gate(before.key, now.key),
        "contract": contract.gate(compared),
        "rehearsed": rehearsed.gate(Event("", "", "", {"passed": True, "periods": 4}), "demand@2", wanted=True),
    }
    assert {name for name, verdict in whole.items() if not verdict.holds} == set()
    unfaithful = row.model_copy(update={"fidelity": row.fidelity.model_copy(update={"ok": False, "differing": 1})})
    assert "1 of" in _refused("fidelity", fidelity.gate(unfaithful))
    dear = row.model_copy(update={"meets": {**row.meets, "gas": False}})
    assert "limit on gas" in _refused("cost", cost.gate(now.task, dear))
    same = bound(now.task, problem, rows_, (mine, mine), 0.01)
    assert "Not surely better" in _refused("champion", better.gate("champion", same, 0.0))
    assert "Not surely better" in _refused("existing", better.gate("existing", same, 0.0))
    enough = bound(now.task, problem, rows_, (mine, its), 0.01)
    assert "is wanted" in _refused("champion", better.gate("champion", enough, enough.improvement))
    other = VerifyingKey(before.key.content[:-128] + bytes(128), before.key.about)
    assert "another ceremony" in _refused("key", key.gate(other, now.key))
    forged = VerifyingKey(now.key.content[:-200] + bytes(72) + now.key.content[-128:], now.key.about)
    assert "refused" in _refused("key", key.gate(before.key, forged))
    assert "compiles to" in _refused("contract", contract.gate(replace(compared, deployed="00" * 32)))
    assert "names the model" in _refused("contract", contract.gate(replace(compared, names="00" * 32)))
    assert "24,576" in _refused("contract", contract.gate(replace(compared, size=30_000)))
    failed = Event("", "", "", {"passed": False, "periods": 4, "failed": ["late"]})
    assert "late" in _refused("rehearsed", rehearsed.gate(failed, "demand@2", wanted=True))
    _refused("rehearsed", rehearsed.gate(None, "demand@2", wanted=True))


def _refused(name, verdict):
    assert (verdict.gate, verdict.holds) == (name, False)
    return verdict.said


OLD, NEW = rows(ALL).splitlines()[: FIRST + 1], rows(ALL).splitlines()[FIRST + 1 :]


def _wei(line, unit=1e6):
    day, a, b, y = line.split(",")
    return f"{day},{a},{float(b) * unit},{y}"


@pytest.mark.parametrize(
    ("gate", "lines", "task", "said"),
    [
        ("data", [*OLD[:50], *OLD[70:], *NEW], TASK, "less data than before: of the champion's 200 rows 20 are gone"),
        ("schema", [*OLD, *map(_wei, NEW)], TASK, "b was between"),
        ("schema", [*OLD, *(_wei(line, 1e-3) for line in NEW)], TASK, "less than a 300th"),
        ("sources", [*OLD[:50], OLD[50] + "1", *OLD[51:], *NEW], TASK, "1 of the champion's 200 rows"),
        ("fresh", [*OLD, *NEW[:40]], TASK, "of 50 that [retrain] wants"),
        ("task", [*OLD, *NEW], TASK.replace("gas = 900000", "gas = 800000"), "[limits] of task.toml"),
        ("schema", [*OLD, *NEW], TASK.replace('"b"\nop', '"c"\nof = "b"\nop'), "the feature b is gone"),
    ],
)
def test_each_gate_on_data_refuses_what_lacks_only_what_it_tests(first, tmp_path, gate, lines, task, said):
    folder = grow(first, tmp_path / "demand", "\n".join(lines) + "\n")
    (folder / "task.toml").write_text(task)
    one = retrain(folder)
    refused = [verdict for verdict in one.verdicts if not verdict.holds]
    assert [verdict.gate for verdict in refused if (gate, verdict.gate) != ("schema", "task")] == [gate]
    assert said in one.said
    # It never looked at a test row, so nothing is spent, and nothing is left but the record.
    assert (one.outcome, one.error, "walked" in one.steps) == ("refused", None, False)


def _commands():
    """The blocks of commands of docs/guides/retraining.md, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    return [[shlex.split(line)[1:] for line in block.splitlines()] for block in blocks]


def test_the_guide_s_commands_refuse_a_model_that_is_no_better(first, tmp_path, monkeypatch, capsys):
    folder = grow(first, tmp_path / "demand", rows(ALL, changed=ALL))
    (settings,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    _changed(folder, TASK.split("[retrain]")[0] + settings.replace("looks = 5", "looks = 1"))
    monkeypatch.chdir(tmp_path)
    assert [command(each) for each in _commands()[0]] == [0, 0, 3, 0]
    said = capsys.readouterr().out
    assert "retraining 1 is planned: the spring is over" in said
    (one,) = json.loads(said.splitlines()[-1])["items"]
    verdicts = [verdict for step in one["steps"].values() for verdict in step.get("verdicts", [])]
    assert [verdict["gate"] for verdict in verdicts if not verdict["holds"]] == ["champion"]
    assert (one["outcome"], one["release"]) == ("refused", None)
    # The look is spent; nothing is due, and what is asked for all the same is refused before it looks.
    assert command(["retrain", "run", "-C", "demand"]) == 0
    assert "Nothing is due before" in capsys.readouterr().out
    assert command(["retrain", "run", "-C", "demand", "--reason", "again"]) == 3
    assert "REFUSES looks: The stated error of 0.05 over 1 looks is spent" in capsys.readouterr().out
    assert command(["retrain", "drop", "-C", "demand", "--reason", "none"]) == 2
    assert not (folder / ".assay" / "retrain" / "1").exists()
    with records(folder) as database:
        assert len(releases.find(database, "demand")) == 1


def test_the_guide_s_commands_promote_what_passed(retrained, tmp_path, monkeypatch, capsys):
    shutil.copytree(retrained[0], tmp_path / "demand", symlinks=True)
    monkeypatch.chdir(tmp_path)
    assert [command(each) for each in _commands()[1]] == [0, 0]
    assert "nothing to take back; Nothing is due before" in capsys.readouterr().out
    # One that came to nothing since does not make forget what waits.
    refused = [["plan", "--reason", "again"], ["drop", "--reason", "no more"], ["run"]]
    assert [command(["retrain", *each, "-C", "demand"]) for each in refused] == [0, 0, 0]
    assert "demand@2 waits for a person" in capsys.readouterr().out


def test_an_alarm_makes_it_due_once_and_takes_a_promoted_model_back(retrained, tmp_path):
    folder = tmp_path / "demand"
    shutil.copytree(retrained[0], folder, symlinks=True)
    task = Project(folder).task
    with records(folder) as database:
        (one,) = retrainings(database, "demand")
        two = releases.by_digest(database, one.release)
        assert "waits for a person" in propose(database, folder, task, one, who="test", told=print)
        automatic = task.model_copy(update={"retrain": task.retrain.model_copy(update={"policy": "automatic"})})
        assert "no registry" in propose(database, folder, automatic, one, who="test", told=print)
        _alarm(database, one.champion)
        assert guard(database, folder, task, who="test") is None  # no retrained model decides
        alias.promote(database, two, who="test", why="the experiment says so")
        assert guard(database, folder, task, who="test") is None
        assert standing(database, task).due.trigger is None  # that alarm was about the release before
        time.sleep(1.1)  # longer than the shorter of the two guards below
        dear = Alarm("money-gas", two.digest, "Gas is dear: wait.", About(3), 0.0)
        assert raise_(database, "demand", dear) is not None
        assert standing(database, task).due.trigger is None  # no training makes gas cheaper, nor the model before
        assert guard(database, folder, task, who="test") is None
        _alarm(database, two.digest)
        due = standing(database, task).due
        assert (due.trigger.kind, "loss-existing" in due.said) == ("alarm", True)
        assert note_due(database, "demand", standing(database, task), who="test")
        assert not note_due(database, "demand", standing(database, task), who="test")
        late = task.model_copy(update={"retrain": task.retrain.model_copy(update={"guard": "1s"})})
        assert guard(database, folder, late, who="test") is None
        assert guard(database, folder, task, who="test").to == "demand@1"
        assert alias.moves(database, "demand")[-1].back
        assert guard(database, folder, task, who="test") is None
        assert "loss-existing" in alias.moves(database, "demand")[-1].event.why


def _alarm(database, release):
    why = "It loses more than the fixed rule: look at it."
    assert raise_(database, "demand", Alarm("loss-existing", release, why, About(3), 0.0)) is not None


def test_a_second_run_waits_and_a_lost_lease_writes_nothing(grown):
    task = Project(grown).task
    with records(grown) as database, alone(database, "demand") as held:
        other = leases.take(database, held.name, "elsewhere:1:2:3", 60)
        assert other is None
        found = standing(database, task)
        assert found.due.trigger is None
        assert "Nothing is due before" in found.due.said
        with database.begin() as connection:
            connection.execute(update(schema.leases).values(holder="elsewhere:1:2:3"))
        with pytest.raises(RetrainBusy), alone(database, "demand"):
            pass
        with pytest.raises(AssayError, match="held by another process"):
            retrain_with(database, grown, task, held)
    with records(grown) as database:
        assert [event.kind for event in journal.read(database, "demand", ["retrain.step"])] == []


def retrain_with(database, folder, task, held):
    from assay.keep.retrain.begin import begin
    from assay.keep.retrain.due import Trigger

    planned = begin(database, folder, task, standing(database, task), Trigger("asked", "now"), who="test")
    try:
        Run(database, folder, task, planned, held, who="test").go()
    finally:
        drop(database, "demand", planned, who="test", why="it was a test")


def test_what_nothing_can_be_compared_with(grown, tmp_path):
    task = Project(grown).task
    empty = Database(f"sqlite:///{tmp_path / 'empty.sqlite'}")
    with contextlib.closing(empty), pytest.raises(NothingDecides):
        standing(empty, task)
    with records(grown) as database:
        model = releases.find(database, "demand")[0].public["model_id"]
        frozen = Event("registry.frozen", "0x1:0", "test", {"model_id": model}, "wrong data", chain="main", block=1)
        journal.append(database, "demand", frozen)
        with pytest.raises(ChampionFrozen, match="frozen on main"):
            standing(database, task)
    _changed(grown, TASK.replace('time = "day"', 'split = {by = "random"}'))
    with pytest.raises((NoOrder, ChampionFrozen)):
        retrain(grown)


def test_a_source_outside_of_the_project_is_refused(grown):
    (grown / "rows.csv").rename(grown.parent / "rows.csv")
    _changed(grown, TASK.replace('"rows.csv"', '"../rows.csv"'))
    with pytest.raises(SourceElsewhere, match=r"rows\.csv"):
        retrain(grown)
    assert not (grown / ".assay" / "retrain" / "1").exists()


def _changed(folder, task):
    (folder / "task.toml").write_text(task)


def test_promoting_twice_is_refused_as_ever(retrained):
    with records(retrained[0]) as database, pytest.raises(ReleaseError):
        alias.promote(database, releases.find(database, "demand")[0], who="test", why="again")
