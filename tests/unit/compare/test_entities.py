"""Borrowers drawn once on a real node: by a committed secret and a later block, and each keeps its arm."""

import hashlib

import pytest
from tests.unit.compare.staged import Stage

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.node import LocalNode
from assay.compare import assign, running
from assay.compare.errors import OutcomesUnfit, PlanUnfit
from assay.compare.outcomes import bring
from assay.compare.plan import PLAN_FILE
from assay.compare.recompute import recompute
from assay.compare.result import result
from assay.compare.start import CONTRACTS, REVEAL, commitment, steering, waited
from assay.core.keccak import keccak256
from assay.settle.errors import Reverts
from assay.settle.network import selector
from assay.settle.outbox import Call

OLD, NEW, COUNT = 1000, 2500, 60
PLAN = """schema = "assay-experiment/1"
name = "borrowers"
design = "entities"

[arms]
old_contract = "{old}"
new_contract = "{new}"

[entities]
file = "who.csv"
{listed}
mix_block = {mix}
start_block = {start}
end_block = {end}

[metric]
of = "recorded"

[aim]
smallest_effect = 0.5
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with LocalNode() as node:
        found = Stage(tmp_path_factory.mktemp("borrowers"), node.url)
        code = compile_solidity(read_sources(CONTRACTS, paths=["examples/FixedLimit.sol"]))["FixedLimit"].bytecode
        sender = found.node.ask("eth_accounts")[1]
        found.old, found.new = (
            found.sent({"from": sender, "data": "0x" + (code + limit.to_bytes(32, "big")).hex()}).contract
            for limit in (OLD, NEW)
        )
        yield found
        found.database.close()


def drawn_again_without_the_records(stage, one, who, arms):
    assert {name: new for name, new, _ in recompute(one.plan, stage.on, one.draw, who).arms} == arms
    with pytest.raises(PlanUnfit, match="the list has the SHA-256"):
        recompute(one.plan, stage.on, one.draw, who[::-1])


def test_borrowers_are_drawn_once_and_outcomes_come_by_address(stage, tmp_path):
    head = stage.node.head()
    terms = {"mix": head + 10, "start": head + 30, "end": head + 90, "old": stage.old, "new": stage.new}
    who = ["0x" + keccak256(str(number).encode())[-20:].hex() for number in range(COUNT)]
    (stage.folder / "who.csv").write_text("entity\n" + "\n".join(who) + "\n")
    own = hashlib.sha256("\n".join(who).encode()).hexdigest()
    # The plan's digest is on the chain before the draw, and binds the list.
    for listed, said in (("", f'Write sha256 = "{own}"'), (f'sha256 = "{"0" * 64}"', "another list than the plan's")):
        (stage.folder / PLAN_FILE).write_text(PLAN.format(**terms, listed=listed))
        with pytest.raises(PlanUnfit) as caught:
            stage.starter().run()
        assert said in str(caught.value)
    (stage.folder / PLAN_FILE).write_text(PLAN.format(**terms, listed=f'sha256 = "{own}"'))
    one = stage.starter().run()
    secret = running.secret_of(stage.database, one)
    assert commitment(stage.database, one) == assign.commitment(secret)
    outbox = steering(stage.on, stage.folder, stage.database, one.draw)
    # Shown before the block is mixed in it would let whoever makes that block choose.
    with pytest.raises(Reverts):
        outbox.submit(Call("experiment", "early", one.draw, selector(REVEAL) + secret.hex()))
    early = tmp_path / "early.csv"
    early.write_text(f"unit,outcome\n{who[0]},1\n")
    with pytest.raises(OutcomesUnfit, match="nothing is decided before block"):
        bring(stage.database, stage.folder, one, stage.on, early, who="me")
    assert recompute(one.plan, stage.on, one.draw, who).arms == []  # a stranger sees that nothing is drawn
    # Whoever changes the list afterwards changes nothing.
    (stage.folder / "who.csv").write_text("entity\n" + "\n".join(who[:5]) + "\n")
    stage.to(head + 11)
    waited(one, stage.on, outbox, secret, told=stage.said.append, poll=0.02)
    waited(one, stage.on, outbox, secret, told=stage.said.append, poll=0.02)  # again nothing is sent
    assert stage.said[-1] == "the secret is shown: all is drawn"
    stage.to(head + 31)
    found = result(stage.database, stage.folder, one, stage.on)
    assert {unit.name for unit in found.units} == set(who)
    # What no draw keeps out is said, in the report too.
    assert any("act through those whose arm they like" in text for text in found.said)
    assert 15 < sum(unit.new for unit in found.units) < 45
    for unit in found.units:
        data = selector("limitOf(address)") + unit.name.removeprefix("0x").rjust(64, "0")
        limit = int(stage.node.call({"to": one.router, "data": data}).hex(), 16)
        assert limit == (NEW if unit.new else OLD)
    arms = {unit.name: unit.new for unit in found.units}
    drawn_again_without_the_records(stage, one, who, arms)
    file = tmp_path / "outcomes.csv"
    lines = [f"{name},{1.0 - arms[name] + 0.01 * number},{0.01 * number}" for number, name in enumerate(who[:50])]
    file.write_text("unit,outcome,before\n" + "\n".join(lines) + "\n")
    assert bring(stage.database, stage.folder, one, stage.on, file, who="me") == (50, 0)
    file.write_text("unit,outcome\n0x" + "00" * 20 + ",1\n")
    with pytest.raises(OutcomesUnfit, match="is no entity"):
        bring(stage.database, stage.folder, one, stage.on, file, who="me")
    found = result(stage.database, stage.folder, one, stage.on)
    assert (len(found.known), sum(found.missing.values())) == (50, 10)
    assert (found.verdict, found.now[0]) == ("gain", pytest.approx(1.0, abs=0.5))  # the draw is another each time
    assert any("outcomes are missing" in text for text in found.said)
    # A test of a fixed sample holds for one look: none is shown before the planned end.
    assert found.p_value is None
    stage.to(terms["end"] + 2)
    assert result(stage.database, stage.folder, one, stage.on).p_value < 0.01
