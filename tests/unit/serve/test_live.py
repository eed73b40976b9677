"""A chain followed to the end: swaps, bars, rows, proofs, and the real fee contract of a real registry."""

import json
import random
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_abi import encode
from tests.unit.data.small import SWAP, word
from tests.unit.data.sources.test_cryo import BYTECODE, send
from tests.unit.serve.chain import deploy, settled
from tests.unit.serve.small import keep
from xgboost import XGBRegressor

import assay
from assay.chain.node import LocalNode
from assay.core.keccak import keccak256
from assay.data.build import build
from assay.data.sources.rpc import Rpc
from assay.record import answers, journal, transactions
from assay.record.database import Database
from assay.release.parts import Parts, contract
from assay.serve.live import Live, followable
from assay.serve.models import Models
from assay.serve.settle import open_settler
from assay.serve.work import Worker
from assay.settle.deploy import prepare
from assay.settle.network import context_of, selector
from assay.settle.promote import registrar
from assay.task.task import Task

CONTRACTS = Path(__file__).parents[3] / "contracts" / "src"
TASK = """
schema = "assay-task/1"
name = "fee"
existing = {{kind = "constant", value = 0.0}}
predict = {{target = "next", type = "regression"}}

[data]
keep = ["block_number"]
events = [{{name = "swap", signature = "{swap}", decimals = {{amountIn = 18}}}}]
features = [{{name = "amount", op = "column"}}, {{name = "mean", op = "rolling_mean", of = "amount", window = 3}}]
label = {{op = "forward_value", of = "amount"}}
split = {{train = 0.34, validation = 0.33, test = 0.33}}

[[data.sources]]
name = "pool"
kind = "rpc"
rpc = "{url}"
contract = "{pool}"
chunk_size = 8
end_block = {end}
reorg_buffer = 0

[data.bars]
every = "4 blocks"
columns = [{{name = "amount", op = "sum", of = "amountIn", empty = "zero"}}]

[protocol]
chain = "local"
feature_delay_blocks = 0

[chains.local]
rpc = ["{url}"]
block_seconds = 0.2
confirmations = 2
{more}
"""
FEE = """
[[chains.local.contracts]]
name = "registry"
source = "contracts/registry/ModelRegistry.sol:ModelRegistry"
arguments = ["0x{task}", "$account", "$account", "$account", 0, "0x0000000000000000000000000000000000000000"]

[[chains.local.contracts]]
name = "existing"
source = "contracts/examples/FixedFee.sol:FixedFee"
arguments = [3000]

[[chains.local.contracts]]
name = "consumer"
source = "contracts/consumers/RegistryFee.sol:RegistryFee"
arguments = ["$registry", "$account", "$existing", 864000, 100000, 5000000, [500, 1000, 100, 100000]]
"""


@pytest.fixture
def chain():
    with LocalNode() as node:
        rpc = Rpc(node.url)
        pool = send(rpc, data=BYTECODE)["contractAddress"]
        luck = random.Random(9)

        def swap(count):
            for _ in range(count):
                data = word(b"\x11" * 20) + word(luck.randint(1, 10**19)) + word(7) + word(3) + word(1)
                send(rpc, to=pool, data="0x" + data.hex())

        yield SimpleNamespace(node=node, rpc=rpc, pool=pool, swap=swap)


@pytest.fixture
def made(chain, tmp_path):
    """A project of the chain's swaps, its model as a release, and its folder."""
    chain.swap(150)

    def make(more=""):
        text = TASK.format(url=chain.node.url, pool=chain.pool, end=chain.rpc.head(), swap=SWAP, more=more)
        (tmp_path / "task.toml").write_text(text)
        task = Task.load(tmp_path)
        dataset = build(task, tmp_path, tmp_path / "data")
        rows = dataset.frame()
        X, y = rows.select(dataset.features).to_numpy(), rows["next"].to_numpy()
        circuit = assay.transpile(XGBRegressor(n_estimators=3, max_depth=2).fit(X, y))
        keys = assay.setup(circuit, max_batch=1)
        keys.save(tmp_path / "keys")
        decision = {"dataset": dataset.hash, "chosen": "one", "rows": [{"id": "one", "fidelity": {}, "measured": {}}]}
        public = {"task.toml": text.encode(), "decision.json": json.dumps(decision).encode()}
        public["manifest.json"] = (tmp_path / "data" / "manifest.json").read_bytes()
        public["verifying.key"] = (tmp_path / "keys" / "verifying.key").read_bytes()
        private = {"circuit.json": circuit.to_json().encode()}
        private["proving.key"] = (tmp_path / "keys" / "proving.key").read_bytes()
        private["dataset/rows.parquet"] = (tmp_path / "data" / "rows.parquet").read_bytes()
        database = Database.of_project(tmp_path)
        parts = Parts(keys.model_id, public | contract(keys.verifying_key), private)
        release = keep(database, parts, "fee")
        return SimpleNamespace(task=task, database=database, release=release, folder=tmp_path, rows=rows)

    return make


def loops(project):
    settler = open_settler(project.database, project.folder, project.task, None)
    live = Live(project.database, "fee", settler, Models(project.database), project.folder / ".assay" / "live")
    return live, Worker(project.database), settler


def answered(project, **named):
    found = answers.find(project.database, "fee", periods=True, **named)
    return sorted(found, key=lambda one: one.period)


def unexpected(text):
    assert "have no answer" in text, text  # periods that pass while the test mines are said to


def go(project, chain, until, most=60):
    """Step all loops, with a block now and then, until what is waited for is so."""
    live, worker, settler = loops(project)
    live.told = settler.told = unexpected
    for turn in range(most):
        live.step()
        worker.step()
        settler.step()
        if until():
            return
        if turn % 3 == 2:
            chain.rpc.ask("anvil_mine", "0x1")
    raise AssertionError([(one.period, one.state, one.error) for one in answered(project)])


def test_a_fee_follows_the_chain(chain, made):
    project = made(FEE.format(task=keccak256(b"fee").hex()))
    deployment = prepare(project.database, project.folder, project.task, project.release, None, who="me")
    deployment.poll = 0.02
    verifier, registry, _, consumer = deployment.run()

    def admin(function, types=(), values=()):
        data = selector(function) + encode(types, values).hex()
        send(chain.rpc, to=registry.address, data=data)

    model, release = (
        bytes.fromhex(project.release.public["model_id"].removeprefix("0x")),
        bytes.fromhex(project.release.digest),
    )
    four = ["address", "bytes32", "bytes32", "bytes32"]
    admin(
        "propose(address,bytes32,bytes32,bytes32)",
        four,
        [verifier.address, bytes.fromhex(verifier.code_hash[2:]), model, release],
    )
    admin("allow(uint32,bytes)", ["uint32", "bytes"], [1, b""])
    admin("proposeDefault(uint32)", ["uint32"], [1])
    admin("makeDefault()")

    def fee():
        return int(chain.rpc.ask("eth_call", {"to": consumer.address, "data": selector("fee()")}, "latest"), 16)

    assert fee() == 3000
    assert followable(project.database, "fee") == ""
    go(project, chain, lambda: any(one.state == "settled" for one in answered(project)))
    first = answered(project)[0]
    assert first.evidence["period"] == 1
    assert int(first.context) == context_of(31337, consumer.address, 1)
    assert fee() != 3000
    last = max(one.period for one in answered(project))
    chain.swap(6)
    go(project, chain, lambda: any(one.period > last and one.state == "settled" for one in answered(project)))
    purposes = [one.purpose for one in transactions.find(project.database, "local") if one.purpose != "deploy"]
    assert purposes.count("post") >= purposes.count("settle") >= 2
    project.database.close()


def test_a_newer_row_waits_until_the_one_before_is_settled(chain, made):
    """The consumer has one row at a time: a newer one would take its place, and its proof would come to nothing."""
    project = made(FEE.format(task=keccak256(b"fee").hex()))
    deployment = prepare(project.database, project.folder, project.task, project.release, None, who="me")
    deployment.poll = 0.02
    deployment.run()
    calls = registrar(project.database, project.folder, project.task, "local", who="me", why="first")
    calls.poll = 0.02
    calls.promote(project.release)
    live, _, settler = loops(project)
    live.told = settler.told = unexpected
    for _ in range(4):  # two periods, and nothing is proven meanwhile
        live.step()
        chain.swap(2)
    settler.outbox.release()  # other loops go on
    first, second = answered(project)[:2]
    # The swaps are of the same account, and take the nonce: the row is sent again, by whoever goes on.
    posted = {one.subject.split("/")[0] for one in transactions.find(project.database, "local", purpose="post")}
    assert posted == {first.id}
    assert first.state in {"received", "fixed"}
    assert second.state == "received"
    go(project, chain, lambda: all(one.state == "settled" for one in answered(project)[:2]))
    assert [one.evidence["period"] for one in answered(project)[:2]] == [1, 2]
    project.database.close()


def test_live_rows_are_the_datasets_rows(chain, made):
    """What was answered while the chain grew is what a dataset of the grown chain says of the same blocks."""
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\n')
    for count in (3, 5, 4):
        before = len(answered(project))
        chain.swap(count)
        go(project, chain, lambda before=before: len(answered(project, states=["settled"])) > before)
    chain.swap(8)
    grown = project.task.data.sources[0].model_copy(update={"end_block": chain.rpc.head()})
    task = project.task.model_copy(update={"data": project.task.data.model_copy(update={"sources": (grown,)})})
    dataset = build(task, project.folder, project.folder / "grown")
    rows = {row["block_number"]: row for row in dataset.frame().iter_rows(named=True)}
    found = answered(project)
    assert len(found) >= 3
    for one in found:
        assert one.row == [[rows[one.period][name] for name in dataset.features]], one.period
        assert int(one.context) == context_of(31337, consumer, one.period)
    loops(project)[0].step()  # with the last blocks, what came of all but the newest is known
    for one in answered(project)[:-1]:
        assert one.outcome == rows[one.period]["next"], one.period
    events = [context for context, _ in settled_on(chain, consumer)]
    assert len(set(events)) == len(events)
    assert {int(one.context) for one in answered(project, states=["settled"])} <= set(events)
    project.database.close()


def test_periods_that_passed_unseen_have_no_answer_and_late_ones_are_not_sent(chain, made):
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\nlate_after_blocks = 6\n')
    live, worker, settler = loops(project)
    said = []
    live.told = said.append
    assert live.step()
    chain.swap(20)
    assert live.step()  # the first period's answer is fixed or expired
    live.step()
    worker.step()
    skipped = journal.read(project.database, "fee", ["period.skipped"])
    assert [event.what["count"] for event in skipped] == [4]
    assert "have no answer" in said[0]
    for _ in range(6):
        live.step()
        worker.step()
        settler.step()
        chain.rpc.ask("anvil_mine", "0x1")
    states = [one.state for one in answered(project)]
    assert states[0] == "expired"
    contexts = [context for context, _ in settled_on(chain, consumer)]
    assert context_of(31337, consumer, answered(project)[0].period) not in contexts
    project.database.close()


def test_two_live_loops_answer_a_period_once(chain, made):
    consumer = deploy_plain(chain)
    project = made(f'consumer = "{consumer}"\n')
    one, _, _ = loops(project)
    other, _, _ = loops(project)
    other.name, other.place = "other", project.folder / ".assay" / "other"
    for _ in range(3):
        one.step()
        other.step()
    assert len(answered(project)) == 1
    project.database.close()


def deploy_plain(chain):
    return deploy(node_of(chain), chain.rpc.ask("eth_accounts")[0])


def node_of(chain):
    from assay.settle.node import Node

    return Node("local", 31337, (chain.node.url,))


def settled_on(chain, consumer):
    return settled(node_of(chain), consumer)


@pytest.fixture(autouse=True)
def contracts(tmp_path):
    shutil.copytree(CONTRACTS, tmp_path / "contracts")
