"""A switchback on a real node: started once, opened in time, read back, stopped; with what goes wrong."""

import hashlib
import shutil
from dataclasses import replace

import pytest
from tests.unit.compare.staged import NEW_FEE, OLD_FEE, Stage
from tests.unit.serve.small import another
from tests.unit.settle.killed import forked

from assay.chain.node import LocalNode
from assay.compare import assign, draws, guard, running, start
from assay.compare.arms import Sides, existing_digest, require_named
from assay.compare.errors import (
    ArmUnfit,
    ExperimentRuns,
    NotComparable,
    OutcomesUnfit,
    PlanChanged,
    PlanNotOnChain,
    PlanUnfit,
    StartPassed,
)
from assay.compare.observed import Observer
from assay.compare.outcomes import bring
from assay.compare.plan import PLAN_FILE, parse, read
from assay.compare.result import result
from assay.compare.start import CONTRACTS, require_plan
from assay.compare.stop import stopped
from assay.core.errors import AssayError
from assay.record import journal, transactions
from assay.record.database import Database
from assay.release import alias
from assay.settle.contracts import build
from assay.settle.network import selector
from assay.settle.node import Node
from assay.task.chains import ContractSpec
from assay.task.sections import Existing


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One node and one project with its release for all of them."""
    # Compiled here, once: a process that is killed could not keep it for the next.
    build(
        CONTRACTS,
        [ContractSpec(name="one", source=f"experiments/{name}.sol:{name}") for name in ("Switchback", "SwitchbackFee")],
    )
    with LocalNode() as node:
        yield Stage(tmp_path_factory.mktemp("home"), node.url)


@pytest.fixture
def stage(home, tmp_path):
    """The project as it was before anything started, on the chain as it was."""
    snapshot = home.node.ask("evm_snapshot")
    folder = tmp_path / "project"
    home.database.scrub()
    shutil.copytree(home.folder, folder)
    fresh = object.__new__(Stage)
    fresh.__dict__ |= home.__dict__ | {"folder": folder, "database": Database.of_project(folder), "said": []}
    yield fresh
    fresh.database.close()
    home.node.ask("evm_revert", snapshot)


def played(stage, one, until, skip=()):
    """Look after it block by block, but for the periods that are skipped; the router's fee at each period's end."""
    steward, of, fees = stage.steward(), one.plan.terms.switchback, {}
    while stage.node.head() < until:
        block = stage.node.head()
        if of.period_of(block) not in skip:
            steward.step()
        period = of.period_of(block)
        if period is not None and block == of.first_of(period + 1) - 1:
            fees[period] = stage.fee(one.router)
        stage.to(block + 1)
    steward.step()
    return fees


def kinds(stage, kind):
    return [event.what for event in journal.read(stage.database, "fee", [kind])]


def test_a_switchback_from_its_plan_to_its_end(stage, monkeypatch):
    start = stage.plan()
    one = stage.starter().run()
    assert one.started
    assert one.block < start
    require_plan(stage.on, one.draw, one.plan)
    assert stage.starter().run().draw == one.draw  # again it is the same
    assert len(transactions.find(stage.database, "local", purpose="deploy")) == 2
    for number in range(6):
        stage.answered(start + 6 * number + 1, 1.0, 2.0)
    fees = played(stage, one, one.plan.terms.end_block + 3, skip={3})
    found = result(stage.database, stage.folder, one, stage.on)
    assert [unit.name for unit in found.units] == [str(number) for number in range(1, 7)]
    secret = running.secret_of(stage.database, one)
    for unit, link in zip(found.units, assign.links(secret, 6)[1:], strict=True):
        first = one.plan.terms.switchback.first_of(int(unit.name))
        mixed = bytes.fromhex(stage.node.block_hash(first - 1)[2:])
        assert unit.new == assign.period_is_new(bytes.fromhex(one.plan.digest), int(unit.name), link, mixed, 500_000)
        # What the pool was charged is what was drawn; of a withheld link, the existing process's fee.
        assert fees[int(unit.name)] == (NEW_FEE if unit.new and not unit.withheld else OLD_FEE)
        decides = unit.new and not unit.withheld
        assert unit.outcome == pytest.approx(1.0 if decides else 2.0)  # the existing process says 0
    asked, ask = [], Node.block_hash
    monkeypatch.setattr(Node, "block_hash", lambda node, number: asked.append(number) or ask(node, number))
    blocks = [one.plan.terms.switchback.first_of(period) - 1 for period in range(1, 7)]
    # What is final and kept is not asked of the node again, unless it is to be; a log that says otherwise is looked at.
    for anew, wanted in ((False, blocks[2:3]), (True, blocks)):
        assert result(stage.database, stage.folder, one, stage.on, anew=anew).units == found.units
        assert asked == wanted
        asked.clear()
    logs = draws.opened(stage.on, one, one.plan.terms.end_block)
    kept = running.mixed_of(stage.database, "fee", one) | {1: bytes(32)}
    assert len(draws.drawn(stage.on, one, logs, assign.links(secret, 6)[0], final=kept)) == 6
    assert asked == [blocks[0], blocks[2]]
    assert [unit.withheld for unit in found.units] == [number == 3 for number in range(1, 7)]
    assert any("1 periods were not opened" in one for one in found.said)
    assert [what["period"] for what in kinds(stage, "experiment.opened")] == [1, 2, 4, 5, 6]
    assert [what["period"] for what in kinds(stage, "experiment.withheld")] == [3]
    assert len(kinds(stage, "experiment.ended")) == 1
    assert found.verdict == "too early"
    assert journal.verify(stage.database, "fee") > 8


def test_the_secret_is_shown_nowhere_before_its_time(stage):
    stage.plan()
    one = stage.starter().run()
    secret = running.secret_of(stage.database, one)
    hidden = [secret, *assign.links(secret, 6)[1:]]
    text = repr([one, *stage.said, *journal.read(stage.database, "fee")])
    text += repr(transactions.find(stage.database, "local"))
    assert all(link.hex() not in text for link in hidden)
    assert assign.links(secret, 6)[0].hex() in text  # but the anchor is in what was deployed


def test_a_start_that_is_killed_anywhere_goes_on(stage):
    stage.plan(ahead=60)

    def begin():
        found = Database.of_project(stage.folder)
        starter = stage.starter()
        starter.database = found
        starter.run()

    point = 0
    while forked(begin, point):
        point += 1
    assert point > 3
    one = running.running(stage.database, "fee")
    assert one.started
    assert len(kinds(stage, "experiment.agreed")) == len(kinds(stage, "experiment.started")) == 1
    assert stage.fee(one.router) == OLD_FEE


def test_a_chain_whose_contracts_count_other_blocks_is_refused(stage, monkeypatch):
    stage.plan()
    monkeypatch.setattr(start, "network", lambda *_: replace(stage.on, chain_id=42161))
    with pytest.raises(PlanUnfit, match="counts other blocks than the node"):
        stage.starter().prepare()


def test_what_a_start_refuses(stage):
    stage.plan(start=stage.node.head() + 1)
    with pytest.raises(StartPassed, match="too late"):
        stage.starter().run()
    stage.plan()
    text = (stage.folder / PLAN_FILE).read_text()
    for before, after, error, said in (
        (stage.new, "consumer", ArmUnfit, "without it an arm has no traffic"),
        (stage.new, stage.old, ArmUnfit, "both arms decide by the contract"),
        (stage.new, "0x" + "12" * 20, ArmUnfit, "there is no contract"),
        ("[arms]", '[arms]\nnew = "7"', ArmUnfit, "no version 7"),
        ("[arms]", f'[arms]\nnew_sha256 = "{"0" * 64}"', PlanUnfit, f"and it is {stage.release.digest[:16]}"),
        ("[arms]", f'[arms]\nold_sha256 = "{"0" * 64}"', PlanUnfit, "task.toml says it whole"),
        ("[arms]", f'[arms]\nnew_sha256 = "{stage.release.digest}"', None, ""),
        ("[arms]", '[arms]\nold = "1"', ArmUnfit, "both arms are fee@1"),
        ("period_blocks = 6", "period_blocks = 4", None, ""),
        ("burn_in_blocks = 0", "burn_in_blocks = 6", PlanUnfit, "nothing of a period"),
    ):
        (stage.folder / PLAN_FILE).write_text(text.replace(before, after))
        if error is None:
            stage.starter().prepare()
            continue
        with pytest.raises(error, match=said):
            stage.starter().run()
    assert running.found(stage.database, "fee") == []
    assert transactions.find(stage.database, "local") == []


def test_a_plan_is_not_changed_after_its_start_and_no_other_runs_beside_it(stage):
    start = stage.plan()
    one = stage.starter().run()
    text = (stage.folder / PLAN_FILE).read_text()
    (stage.folder / PLAN_FILE).write_text(text.replace("smallest_effect = 0.5", "smallest_effect = 0.1"))
    with pytest.raises(PlanChanged, match="was agreed as plan"):
        stage.starter().run()
    stage.plan(name="two", start=start + 500)
    with pytest.raises(ExperimentRuns, match="one runs on local"):
        stage.starter().run()
    stage.plan(name="three", start=start)
    changed = read(stage.folder / PLAN_FILE)
    with pytest.raises(PlanNotOnChain, match="is of the plan"):
        require_plan(stage.on, one.draw, changed)


def test_of_two_that_start_at_once_one_agrees_and_of_two_plans_one_runs(stage, monkeypatch):
    stage.plan(ahead=60)
    one = stage.starter().run()
    # What a process sees that looked before the other one had agreed.
    monkeypatch.setattr(start.Starter, "_there", lambda *_: None)
    assert stage.starter().run() == one
    assert [len(kinds(stage, f"experiment.{kind}")) for kind in ("agreed", "started")] == [1, 1]
    stage.plan(name="two", ahead=60)
    with pytest.raises(ExperimentRuns, match="one was started on local meanwhile"):
        stage.starter().run()
    assert running.running(stage.database, "fee").name == "one"


def test_it_is_stopped_for_ever_by_hand(stage):
    start = stage.plan()
    one = stage.starter().run()
    played(stage, one, start + 13)
    event = stopped(stage.database, "fee", stage.folder, one, stage.on, who="me", by="person", why="enough", poll=0.02)
    assert (event.what["by"], event.why) == ("person", "enough")
    assert running.running(stage.database, "fee") is None
    assert int(stage.node.call({"to": one.draw, "data": selector("stopped()")}).hex(), 16) == 1
    assert stage.fee(one.router) == OLD_FEE
    stage.to(start + 40)
    stage.steward().step()
    assert stage.fee(one.router) == OLD_FEE


GUARD = """[[guardrails]]
metric = "missed"
at_most = 0.25
last = 4
then = "tell"

[[guardrails]]
metric = "missed"
at_most = 0.5
last = 4
"""


def test_a_guardrail_stops_it_and_the_consumer_falls_back(stage):
    start = stage.plan(more=GUARD, periods=40)
    one = stage.starter().run()
    for number in range(6):
        stage.answered(start + 6 * number + 1, 1.0, 2.0, settled=False)
    played(stage, one, start + 8)
    passed = kinds(stage, "experiment.guardrail")
    # At the same block: each is kept, and the stop is the second one's, no person's.
    assert [(each["guardrail"], each["value"]) for each in passed] == [("1:missed", 1.0), ("2:missed", 1.0)]
    (over,) = kinds(stage, "experiment.stopped")
    assert over["by"] == "guardrail"
    assert any("came to nothing" in text for text in stage.said)
    assert running.running(stage.database, "fee") is None
    assert stage.fee(one.router) == OLD_FEE


def test_what_another_release_decided_is_not_compared_and_ends_it(stage, monkeypatch):
    start = stage.plan(more='[[guardrails]]\nmetric = "gas"\nat_most = 1e9\nlast = 1\n', periods=40)
    one = stage.starter().run()
    other = another(stage.database, stage.release)
    stage.answered(start + 1, 1.0, 2.0)
    stage.answered(start + 7, 1.0, 2.0, ended="cancelled")
    for number in range(2, 7):
        stage.answered(start + 6 * number + 1, 1.0, 2.0, release=other)
    observer = Observer(stage.database, stage.folder, one)
    # The newest few are all of the other release: a guardrail looks further, for as many as it counts.
    assert (observer.decisions("champion", most=4), observer.all) == ([], False)
    assert [each.answer.period for each in guard._recent(observer)] == [start + 1, start + 7]
    found = observer.decisions("champion")
    assert observer.all
    assert [each.answer.period for each in found] == [start + 1, start + 7]
    # The empty transfer that took it back was mined without a fault, and settled nothing.
    assert [(each.settled is not None, each.missed) for each in found] == [(True, False), (False, True)]
    losses = observer.losses(found, [], {1: True, 2: True, 3: True})
    assert {period: list(each) for period, each in losses.items()} == {1: [1.0], 2: [2.0]}
    said = result(stage.database, stage.folder, one, stage.on).said
    assert any("5 answers of champion are of another release" in text for text in said)
    steward = stage.steward()
    with monkeypatch.context() as wrong:
        wrong.setattr("assay.compare.steward.passed", lambda *_: [].index(0))
        steward.step()
    assert "this is a mistake in Assay" in stage.said[-1]
    steward.step()
    assert kinds(stage, "experiment.guardrail") == []
    alias.promote(stage.database, other, who="me", why="a mistake")
    while running.running(stage.database, "fee") is not None:
        stage.to(stage.node.head() + 1)
        steward.step()
    (over,) = journal.read(stage.database, "fee", ["experiment.stopped"])
    assert over.what["by"] == "guardrail"
    assert over.why == "fee@2 decides on local, and fee@1 was agreed as the champion"
    assert stage.fee(one.router) == OLD_FEE


def test_an_existing_process_that_was_changed_since_is_not_compared(stage):
    """What would have decided is computed by the project's own function: that is part of what was agreed."""
    start = stage.plan(periods=40)
    one = stage.starter().run()
    assert one.existing is None  # a constant is in the release's task.toml
    stage.answered(start + 1, 1.0, 2.0)
    file = stage.folder / "existing.py"
    file.write_text("def decide(rows):\n    return [0.5] * len(rows)\n")
    process = Existing(kind="function", function="existing.py:decide")
    task = stage.task.model_copy(update={"existing": process})
    agreed = existing_digest(task, stage.folder)
    assert agreed == hashlib.sha256(file.read_bytes()).hexdigest()
    observer = Observer(stage.database, stage.folder, replace(one, existing=agreed))
    observer.task = task
    found = observer.decisions("champion")
    assert list(observer.losses(found, [], {1: False})[1]) == [1.5]
    file.write_text("def decide(rows):\n    return [9.0] * len(rows)\n")
    with pytest.raises(NotComparable, match=r"existing\.py:decide was changed since one was agreed"):
        observer.losses(found, [], {1: False})
    both = Sides(stage.release, None)
    named = parse(one.plan.text.replace("[arms]", f'[arms]\nold_sha256 = "{agreed}"'), "plan").terms
    require_named(named, both, agreed)
    with pytest.raises(PlanUnfit, match="old_sha256 says"):
        require_named(named, both, "0" * 64)
    # What the plan does not name is said to be by the records alone.
    said = result(stage.database, stage.folder, one, stage.on).said
    assert any(text.startswith("arms: the plan names them by no digest: that champion was") for text in said)


def test_a_reorg_across_a_boundary_is_read_as_it_then_is(stage):
    start = stage.plan(periods=3)
    one = stage.starter().run()
    steward = stage.steward()
    stage.to(start - 2)
    # Of a block without it the same would come again.
    stage.sent({"from": stage.node.ask("eth_accounts")[1], "to": "0x" + "11" * 20, "value": "0x1"})
    stage.to(start)
    steward.step()  # period 1 is opened in the next block
    stage.to(start + 1)
    steward.step()
    before = stage.node.block_hash(start - 1)
    # As deep as that block, wherever the head is by now.
    stage.node.ask("anvil_reorg", stage.node.head() - start + 2, [])
    assert stage.node.block_hash(start - 1) != before
    played(stage, one, one.plan.terms.end_block + 3)
    found = result(stage.database, stage.folder, one, stage.on)
    assert len(found.units) + found.undrawn == 3
    for what in kinds(stage, "experiment.opened"):
        first = one.plan.terms.switchback.first_of(what["period"])
        assert what["mixed"] == stage.node.block_hash(first - 1)[2:]


def test_outcomes_come_once_for_units_that_are_over(stage, tmp_path):
    start = stage.plan(metric="recorded", periods=3)
    one = stage.starter().run()
    file = tmp_path / "outcomes.csv"

    def brought(text, **more):
        file.write_text(text)
        return bring(stage.database, stage.folder, one, stage.on, file, who="me", **more)

    with pytest.raises(OutcomesUnfit, match="period 1 is not over"):
        brought("unit,outcome\n1,0.5\n")
    played(stage, one, start + 20)
    assert brought("unit,outcome\n1,0.5\n2,0.25\n") == (2, 0)
    assert brought("unit,outcome,before\n1,0.5,\n3,0.75,0.1\n") == (1, 1)
    for text, said in (
        ("unit,outcome\n9,1\n", "is no period"),
        ("unit,outcome\n1,0.5\n1,0.75\n", "two outcomes"),
        ("unit,outcome\n1,nan\n", "line 2"),
        ("unit\n1\n", "line 2"),
        ("unit,outcome\n1,0.75\n", "is 0.5 already"),
        ("unit,outcome\n01,0.75\n", "of 1 is 0.5 already"),
        ("unit,outcome\n1,0.5\n001,0.75\n", "two outcomes"),
        (f"unit,outcome\n{'1' * 5000},1\n", "is no period"),
        # A decimal comma is no second column, and what only Python reads is no number.
        ("unit,outcome\n1,0,5\n", "line 2: 3 values, and 2 columns"),
        ("unit,outcome\n1,1_000\n", "line 2"),
        (f"unit,outcome\n1,{'1' * 200_000}\n", "line 2"),
        ('unit,outcome\n1,"0.5\n', "unexpected end of data"),
        ("unit,unit,outcome\n1,2,3\n", "a column is there twice"),
    ):
        with pytest.raises(OutcomesUnfit, match=said):
            brought(text)
    file.write_bytes("unit,outcome\n1,1\n".encode("utf-16"))
    with pytest.raises(OutcomesUnfit, match="is not UTF-8 text"):
        bring(stage.database, stage.folder, one, stage.on, file, who="me")
    found = result(stage.database, stage.folder, one, stage.on)
    assert [unit.outcome for unit in found.units] == [0.5, 0.25, 0.75][: len(found.units)]
    assert brought("unit,outcome\n1,0.75\n", correct="read wrongly") == (1, 0)
    assert [what["corrected"] for what in kinds(stage, "experiment.outcomes")] == [0, 0, 1]


def test_a_metric_that_follows_from_the_records_takes_no_others(stage, tmp_path):
    stage.plan()
    one = stage.starter().run()
    (tmp_path / "o.csv").write_text("unit,outcome\n1,1\n")
    with pytest.raises(AssayError, match="follow from the records"):
        bring(stage.database, stage.folder, one, stage.on, tmp_path / "o.csv", who="me")
