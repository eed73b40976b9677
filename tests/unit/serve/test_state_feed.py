"""A live loop whose rows a contract computes from proven state: nobody is trusted, and the proofs are kept."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.unit.serve.test_live import answered, chain, made, unexpected

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import StateNotServed
from assay.data.live import Newest
from assay.keep import dispute
from assay.record import artefacts
from assay.serve.live import Live
from assay.serve.models import Models
from assay.serve.settle import open_settler
from assay.serve.work import Worker
from assay.settle import state
from assay.settle.errors import NotAllowed

__all__ = ["chain", "made"]

CONTRACTS = Path(__file__).parents[3] / "contracts"
BAR = 4


@pytest.fixture
def fed(chain, made):
    """A project whose consumer is fed by a contract that reads two slots of a third one."""
    on = Chain(chain.node.url)
    code = compile_solidity(read_sources(CONTRACTS, paths=["test/state/KeptFeed.sol", "test/state/Keeper.sol"]))
    keeper = on.deploy(code["Keeper"])
    feed = on.deploy(code["KeptFeed"], keeper.address)
    consumer = on.deploy(code["FedByState"], feed.address)

    def keep(*words):
        on.send(keeper, "keep", [bytes(32), bytes(31) + b"\1"], list(words))

    def row_at(block):
        return tuple(
            float(int(chain.rpc.ask("eth_getStorageAt", keeper.address, hex(slot), hex(block)), 16)) for slot in (0, 1)
        )

    keep(1_000_000, 3)
    allowed = f'allow = ["{feed.address}:post(address,(bytes,bytes,bytes[])[])"]\n'
    return SimpleNamespace(
        chain=chain, made=made, keep=keep, row_at=row_at, feed=feed, consumer=consumer, allow=allowed
    )


def loops(project, row):
    settler = open_settler(project.database, project.folder, project.task, None)
    place = project.folder / ".assay" / "live"

    def newest(task, home, end, names):
        block = (end + 1) // BAR * BAR - 1
        return Newest(row(block), block, "2026-01-01T00:00:00", {}, {})

    live = Live(project.database, "fee", settler, Models(project.database), place, row=newest)
    live.told = settler.told = unexpected
    return live, Worker(project.database), settler


def go(fed, project, row, state_of, most=5000):
    """Step all loops, with a block now and then, until an answer is in a state."""
    parts = loops(project, row)
    for turn in range(most):
        moved = [part.step() for part in parts]  # each of them, moved or not
        if not any(moved):
            time.sleep(0.02)  # an answer that waits is looked at again a quarter of a second later
        found = [one for one in answered(project) if one.state == state_of]
        if found:
            return found[0]
        if turn % 9 == 8:
            fed.chain.rpc.ask("anvil_mine", "0x1")
    raise AssertionError([(one.period, one.state, one.error) for one in answered(project)])


def test_a_row_of_proven_state_is_posted_settled_and_kept_for_a_dispute(fed):
    project = fed.made(f'consumer = "{fed.consumer.address}"\n{fed.allow}')
    fed.keep(12_345_678, 9)
    fed.chain.rpc.ask("anvil_mine", hex(BAR))
    one = go(fed, project, fed.row_at, "settled")
    assert one.row == [[12_345_678.0, 9.0]]
    proofs = state.from_bytes(artefacts.get(project.database, one.evidence["state"]))
    assert [proof.words() for proof in proofs] == [[12_345_678, 9]]
    assert (proofs[0].number, "0x" + proofs[0].block_hash.hex()) == (one.period, one.evidence["block_hash"])

    # Years later, without a node.
    file = project.folder / "one.dispute"
    dispute.make(project.database, one.id, file)

    def finding(path):
        return next(one for one in dispute.verify(path) if one.name == "state")

    assert finding(file).holds
    assert hex(12_345_678) in finding(file).said
    changed = project.folder / "changed.dispute"
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(b"0xf9", b"0xf8", 1) if name == dispute.STATE else content)
    assert finding(changed).holds is False
    project.database.close()


def test_a_row_that_the_contract_computes_otherwise_is_refused(fed):
    project = fed.made(f'consumer = "{fed.consumer.address}"\n{fed.allow}')
    fed.chain.rpc.ask("anvil_mine", hex(BAR))
    one = go(fed, project, lambda block: (fed.row_at(block)[0] + 1, 3.0), "refused")
    assert one.error["code"] == "settle/other-row"
    assert one.proof is None
    project.database.close()


def forgotten(self, number):
    raise StateNotServed(f"the node proves no state of block {number}", "Use another.")


def test_what_cannot_work_is_said_at_the_start(fed, monkeypatch):
    project = fed.made(f'consumer = "{fed.consumer.address}"\n')
    live, _, settler = loops(project, fed.row_at)
    said = []
    live.told = said.append
    live.run(lambda: True)
    assert said == []
    fed.chain.rpc.ask("anvil_mine", hex(BAR + 1))
    with monkeypatch.context() as patch:
        patch.setattr(state.StateFeed, "prove", forgotten)
        for _ in range(2):
            live.step()
    (one,) = answered(project)
    assert (one.error["code"], one.lease) == ("chain/state-not-served", None)  # and is asked for again at once
    assert "chain/state-not-served" in said.pop()
    # The feed has to be named among what the account may call.
    for _ in range(5000):
        live.step()
        if any("settle/not-allowed" in text for text in said):
            break
        time.sleep(0.05)
    else:
        raise AssertionError(said)
    with pytest.raises(NotAllowed):
        settler.outbox.policy.require_allowed(fed.feed.address, "0x12345678")

    def refuses(self):
        raise StateNotServed("the node proves no state of block 1", "Use another.")

    monkeypatch.setattr(state.StateFeed, "require_served", refuses)
    live.run(lambda: True)
    assert "chain/state-not-served" in said[-1]
    project.database.close()
