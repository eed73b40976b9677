"""A challenger beside the champion: each answered, proven and settled in a contract of its own; and a shadow."""

from dataclasses import replace
from types import SimpleNamespace

from tests.unit.serve.small import another
from tests.unit.serve.test_live import answered, chain, contracts, deploy_plain, loops, made, settled_on

from assay.compare.plan import PLAN_FILE
from assay.compare.result import result
from assay.compare.shadow import measured
from assay.compare.start import Starter
from assay.compare.status import about
from assay.record import answers, journal
from assay.record.answers import Answer
from assay.serve.arms import Looking, Marks, Rows, Settlements
from assay.serve.work import Worker
from assay.settle.deploy import prepare
from assay.settle.node import Node

__all__ = ["chain", "contracts", "made"]
PLAN = """schema = "assay-experiment/1"
name = "{design}"
design = "{design}"

[arms]
old = "champion"
new = "2"
old_contract = "{old}"
new_contract = "{new}"
router = "none"

[metric]
of = "recorded"

{more}
"""
SWITCHBACK = """[aim]
smallest_effect = 1.0

[switchback]
start_block = {start}
period_blocks = 12
periods = 3
grace_blocks = 4
burn_in_blocks = 4
"""
SHADOW = "[shadow]\nstart_block = {start}\nend_block = {end}\n"


def service(project):
    """What `assay up` runs of it, stepped by hand."""
    live, worker, settler = loops(project)
    looking = Looking(project.database, "fee", "local", every=0.0)
    live.marked = Marks(looking, "champion").of
    said = []
    rows = Rows(live, project.folder / ".assay" / "live", looking)
    beside = Settlements(settler, "fee", project.folder, looking, said.append)
    return SimpleNamespace(live=live, worker=worker, settler=settler, rows=rows, beside=beside, said=said)


def turn(found, chain, *, beside=True):
    found.live.step()
    found.rows.step()
    while found.worker.step():
        pass
    found.settler.step()
    if beside:
        found.beside.step()
    chain.rpc.ask("anvil_mine", "0x1")


def started(project, chain, design, more, old, new):
    start = chain.rpc.head() + 16
    text = PLAN.format(design=design, old=old, new=new, more=more.format(start=start, end=start + 16))
    (project.folder / PLAN_FILE).write_text(text)
    return Starter(project.database, project.folder, project.task, "me", poll=0.02).run()


def of_arm(project, arm):
    return [one for one in answered(project) if one.arm == arm]


def test_both_arms_are_settled_each_in_its_own_contract(chain, made):
    first, second = deploy_plain(chain), deploy_plain(chain)
    project = made(f'consumer = "{first}"\nlate_after_blocks = 60\nspend_per_day = 10.0\n')
    other = another(project.database, project.release)
    one = started(project, chain, "switchback", SWITCHBACK, first, second)
    found = service(project)
    its_faults_are_said_and_stop_no_champion(project, found)
    end = one.plan.terms.end_block
    while (head := chain.rpc.head()) < end + 6:
        turn(found, chain, beside=head < end - 8)
    left = what_it_left_is_ended_by_another_process(project, chain, found, other, end)
    assert found.said[0].startswith("experiment switchback: until block")
    champion, challenged = of_arm(project, "champion"), of_arm(project, "challenger")
    assert {answers.get(project.database, name).state for name in left} >= {"settled", "expired"}
    assert {one.release for one in challenged} == {other.digest}
    assert {one.release for one in champion} == {project.release.digest}
    within = [one for one in challenged if "experiment" in one.evidence]
    assert len(within) >= 5
    assert {one.propensity for one in within} == {0.5}
    assert {one.evidence["experiment"]["period"] for one in within} >= {1, 2, 3}
    assert any(one.evidence["experiment"]["counts"] for one in within)
    both = [{context for context, _ in settled_on(chain, address)} for address in (first, second)]
    for group, contexts in zip((champion, challenged), both, strict=True):
        done = [one for one in group if one.state == "settled"]
        assert len(done) >= 4
        assert {int(one.context) for one in done} <= contexts
    assert both[0].isdisjoint(both[1])
    seen = result(project.database, project.folder, one, project_chain(project))
    assert len(seen.units) == 3
    assert about(seen.new)["answers"] == len(within)
    assert len(journal.read(project.database, "fee", ["experiment.opened"])) == 3
    project.database.close()


def its_faults_are_said_and_stop_no_champion(project, found):
    """No node answers: each part says so once, and its caller goes on."""
    on = replace(found.settler.on, node=Node("local", 31337, ("http://127.0.0.1:1",)))
    said, settler = [], replace(found.settler, on=on)
    rows = Rows(replace(found.live, settler=settler, told=said.append), found.rows.place, found.rows.looking)
    beside = Settlements(settler, "fee", project.folder, found.beside.looking, said.append)
    for part in (rows, rows, beside, beside):
        part.step()
    assert sum("127.0.0.1:1" in text for text in said) == 3  # the rows, the steward, the settlements
    assert all(text.startswith("experiment") for text in said)


def what_it_left_is_ended_by_another_process(project, chain, found, other, end):
    """The settling process was killed near the end, and another begins when the experiment is over."""
    found.beside._steward.step()
    assert len(journal.read(project.database, "fee", ["experiment.ended"])) == 1
    row = Answer("fee", other.digest, chain="local", period=end + 90, arm="challenger", row=[[1.0]], settle=True)
    late, _ = answers.receive(project.database, replace(row, state="received"))
    left = [each.id for each in of_arm(project, "challenger") if not each.ended]
    beside = service(project).beside
    for _ in range(5000):
        beside.step()
        chain.rpc.ask("anvil_mine", "0x1")
        if all(each.ended for each in of_arm(project, "challenger")):
            break
    assert all(each.ended for each in of_arm(project, "challenger"))
    assert answers.get(project.database, late.id).error["code"] == "settle/experiment-over"
    return left


def project_chain(project):
    from assay.settle.network import network

    return network(project.task)


def test_a_shadow_is_proven_and_decides_nothing(chain, made):
    first = deploy_plain(chain)
    project = made(f'consumer = "{first}"\nlate_after_blocks = 60\nspend_per_day = 10.0\n')
    other = another(project.database, project.release)
    one = started(project, chain, "shadow", SHADOW, first, first)
    assert one.draw is None
    found = service(project)
    while chain.rpc.head() < one.plan.terms.end_block + 4:
        turn(found, chain)
    while Worker(project.database).step():
        pass
    shadowed = of_arm(project, "challenger")
    assert len(shadowed) >= 3
    assert {(one.state, one.settle, one.transaction, one.propensity) for one in shadowed} == {
        ("answered", False, None, 0.0)
    }
    assert {one.release for one in shadowed} == {other.digest}
    assert all(one.outputs and one.proof for one in shadowed)
    contexts = {context for context, _ in settled_on(chain, first)}
    assert contexts == {int(one.context) for one in answered(project) if one.state in {"settled", "settling"}}
    seen = result(project.database, project.folder, one, project_chain(project))
    assert about(seen.new)["answers"] == len(shadowed)
    on = project_chain(project)
    taken = measured(project.database, project.task, on, seen)
    assert (taken["latency_blocks"] >= 1, taken["late"] is not None, taken["gas"]) == (True, True, None)
    deployment = prepare(project.database, project.folder, project.task, other, None, who="me")
    deployment.poll = 0.02
    deployment.run()
    assert 100_000 < measured(project.database, project.task, on, seen)["gas"] < 400_000
    assert len(journal.read(project.database, "fee", ["experiment.ended"])) == 1
    assert answers.count(project.database, ["refused", "expired"]) == 0
    project.database.close()
