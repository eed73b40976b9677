"""A retrained model on a chain with a registry: proposed, its delay stands, and taken back by the same registry."""

import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.serve.small import keep, parts

from assay.chain.node import LocalNode
from assay.keep.retrain import plan as plans
from assay.keep.retrain.alone import GUARD, RETRAIN
from assay.keep.retrain.due import Trigger
from assay.keep.retrain.errors import RetrainBusy
from assay.keep.retrain.promote import guard, propose
from assay.keep.watch.alarms import Alarm, Rows, raise_
from assay.keep.watch.look import Watcher
from assay.record import journal, leases
from assay.record.database import Database
from assay.record.journal import Event
from assay.release import alias
from assay.settle.deploy import prepare
from assay.settle.promote import registrar
from assay.task.task import Task

CONTRACTS = Path(__file__).parents[4] / "contracts" / "src"
DELAY = 3600
TASK = """
name = "credit"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "y", type = "binary"}}
data = {{sources = [{{name = "rows", kind = "csv", path = "rows.csv"}}]}}
protocol = {{chain = "local"}}
retrain = {{policy = "automatic"}}

[chains.local]
rpc = ["{url}"]

[[chains.local.contracts]]
name = "registry"
source = "contracts/registry/ModelRegistry.sol:ModelRegistry"
arguments = [
    "0x0000000000000000000000000000000000000000000000000000000000000000",
    "$account", "$account", "$account", {delay}, "0x0000000000000000000000000000000000000000",
]
"""


@pytest.mark.slow
def test_a_challenger_is_proposed_waits_out_the_delay_and_is_taken_back(tmp_path, monkeypatch):
    shutil.copytree(CONTRACTS, tmp_path / "contracts")
    with LocalNode() as node, closing(Database.of_project(tmp_path)) as database:
        (tmp_path / "task.toml").write_text(TASK.format(url=node.url, delay=DELAY))
        task = Task.load(tmp_path)
        first, second = (keep(database, parts(tmp_path, seed, compiled=True)) for seed in (7, 8))
        prepare(database, tmp_path, task, first, None, who="test").run()
        calls = registrar(database, tmp_path, task, "local", who="test", why="first")
        calls.poll = 0.02
        _until(lambda: calls.promote(first).state == "default", calls)
        one = _retraining(database, first, second)
        arguments = {"who": "retrain", "told": lambda _: None}
        said = propose(database, tmp_path, task, one, **arguments)
        assert "is proposed on local; the registry's delay has 3," in said
        assert alias.champion(database, "credit") == first.digest
        assert guard(database, tmp_path, task, who="retrain") is None
        _until(lambda: "decides on local" in propose(database, tmp_path, task, one, **arguments), calls)
        assert alias.champion(database, "credit") == second.digest
        assert "promoted already" in propose(database, tmp_path, task, one, **arguments)
        assert guard(database, tmp_path, task, who="retrain") is None
        raise_(database, "credit", Alarm("latency", second.digest, "Answers come late: look at it.", Rows(2), 0.0))
        monkeypatch.setattr("assay.keep.retrain.promote._PATIENCE", 0.0)
        training, looking = (leases.take(database, f"{name}:credit", "another", 600) for name in (RETRAIN, GUARD))
        with pytest.raises(RetrainBusy, match="another process looks whether a model of credit has to be taken back"):
            guard(database, tmp_path, task, who="retrain")
        leases.give_back(database, looking)
        back = guard(database, tmp_path, task, who="retrain")  # a training that runs keeps nobody from it
        leases.give_back(database, training)
        assert (back.release, "version 1 of the registry on local" in back.to) == ("credit@2", True)
        last = alias.moves(database, "credit")[-1]
        assert (last.back, last.after, last.event.who) == (True, first.digest, "retrain")
        assert "watch/latency within 7d of its promotion" in last.event.why
        assert guard(database, tmp_path, task, who="retrain") is None
        third = keep(database, parts(tmp_path, 9, compiled=True))
        two = _retraining(database, first, third, [one])
        compared = replace(two, champion=second.digest)
        assert "credit@1 decides now, with which it was not" in propose(database, tmp_path, task, compared, **arguments)
        assert len(calls.registry.versions()) == 2
        _until(lambda: calls.registry.next()[0] or not propose(database, tmp_path, task, two, **arguments), calls)
        calls.withdraw()
        sent = _sent(calls)
        for _ in range(2):
            assert "its proposal on local was withdrawn" in propose(database, tmp_path, task, two, **arguments)
        assert (_sent(calls), calls.registry.next()[0]) == (sent, 0)
        calls.freeze(first)
        seen = Watcher(database, task, "local").look()
        assert (seen.release, "has no default that counts" in seen.notes[1]) == (None, True)


def _sent(calls):
    return calls.registry.on.node.count(calls.outbox.account)


def _until(done, calls):
    for _ in range(4):
        if done():
            return
        calls.registry.on.node.ask("evm_increaseTime", DELAY)
        calls.registry.on.node.ask("anvil_mine", "0x1")
    raise AssertionError("the registry's delays never ended")


def _retraining(database, champion, release, before=()):
    """One that ended with a challenger, as its events say."""
    number = len(before) + 1
    text = plans.text_of(number, champion.digest, Trigger("asked", "test"), "0" * 64, {})
    plans.agree(database, "credit", before, text, "test")
    released = {"step": "released", "release": release.digest, "version": release.version}
    journal.append(database, "credit", Event(plans.STEP, plans.subject(number), "test", released))
    ended = Event(plans.ENDED, plans.subject(number), "test", {"outcome": plans.CHALLENGER}, "test")
    journal.append(database, "credit", ended)
    return plans.retrainings(database, "credit")[-1]
