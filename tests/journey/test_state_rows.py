"""Features of another contract's state: dataset, live loop and contract have the same row, all through a replay.

The state is a Uniswap v2 pair's and a Uniswap v3 pool's, laid out as their documentation says; truth is the price's own
history.
"""

from __future__ import annotations

import random
import re
import shlex
import tomllib
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from eth_abi import encode

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import NodeRefused, TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.row import row_contract
from assay.chain.state import prove_state
from assay.core.keccak import keccak256
from assay.data.build import build
from assay.data.errors import RpcRefused, StateAbsent
from assay.data.live import newest
from assay.settle.state import StateFeed
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit, Feature

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts"
GUIDE = (ROOT / "docs" / "guides" / "state-proofs.md").read_text(encoding="utf-8")
BAR, BARS = 4, 58
PAIR, POOL = "0x1111111111111111111111111111111111111111", "0x2222222222222222222222222222222222222222"


class Replay:
    """A node on which a pair and a pool moved, one transaction a block, at times that were told."""

    def __init__(self, node):
        self.url, self.chain, self.draw = node.url, Chain(node.url), random.Random(4)
        self.code = compile_solidity(read_sources(CONTRACTS, paths=["test/state/Pairs.sol"]))
        self.pair = self.chain.deploy(self.code["PairLayout"])
        self.prices, self.ticks = [], []
        self._sync()
        self.pool = self.chain.deploy(self.code["PoolLayout"], -5, 7)
        self.ticks.append((self.time(self.head), -5))
        self._move()
        self.start = (self.head // BAR + 1) * BAR
        while self.head < self.start + BAR * BARS:
            [self._sync, self._move, self._nothing][self.draw.randrange(3)]()
        self.last = self.head // BAR * BAR - 1

    def ask(self, method, *parameters):
        from web3 import HTTPProvider

        answer = HTTPProvider(self.url).make_request(method, list(parameters))
        if "error" in answer:
            raise NodeRefused(str(answer["error"]["message"]))
        return answer["result"]

    @property
    def head(self):
        return int(self.ask("eth_blockNumber"), 16)

    def time(self, block):
        return int(self.ask("eth_getBlockByNumber", hex(block), False)["timestamp"], 16)

    def _next(self):
        time = self.time(self.head) + self.draw.choice([1, 2, 12, 3600])
        self.ask("evm_setNextBlockTimestamp", time)
        return time

    def _send(self, target, function, kinds, arguments):
        name = f"{function}({','.join(kinds)})"
        self.chain.send_calldata(target, keccak256(name.encode())[:4] + encode(kinds, arguments), gas=500_000)

    def _sync(self):
        time, reserves = self._next(), (self.draw.randrange(1, 1 << 90), self.draw.randrange(1, 1 << 90))
        self._send(self.pair, "sync", ["uint112", "uint112"], reserves)
        self.prices.append((time, Fraction((reserves[1] << 112) // reserves[0])))

    def _move(self):
        time, tick = self._next(), self.draw.randrange(-887_272, 887_273)
        self._send(self.pool, "move", ["int24"], [tick])
        self.ticks.append((time, tick))

    def _nothing(self):
        self._next()
        self.ask("evm_mine")

    def mean(self, history, end):
        """Of a bar, by the history of what is averaged."""
        start, end = self.time(end - BAR), self.time(end)
        steps = [(max(time, start), value) for time, value in history if time <= end]
        times = [time for time, _ in steps] + [end]
        whole = sum(
            value * (after - before) for (_, value), (before, after) in zip(steps, pairwise(times), strict=True)
        )
        return Fraction(whole, end - start)


@pytest.fixture(scope="module")
def replay():
    with LocalNode(hardfork="prague", began=1_800_000_000) as node:
        yield Replay(node)


def text_of(replay, which):
    """The guide's task.toml for a pair or a pool, at this node's addresses and of its blocks."""
    (text,) = re.findall(rf'toml title="{which}/task.toml"\n(.*?)```', GUIDE, re.DOTALL)
    text = text.replace(PAIR, replay.pair.address).replace(POOL, replay.pool.address).replace("$RPC_URL", replay.url)
    text = text.replace("50 blocks", f"{BAR} blocks")
    blocks = f'datasets = ["blocks"]\nstart_block = {replay.start}\nend_block = {replay.last}'
    return text.replace('datasets = ["blocks"]', blocks) + "\n[chains.ethereum]\nid = 31337\n"


def task_of(replay, which):
    return Task.model_validate(tomllib.loads(text_of(replay, which)))


def contract_of(replay, task, folder):
    """What `assay row` writes for a model of the task's features, deployed; and the model's words."""
    names = [one.name for one in task.data.features if one.onchain]
    circuit = Circuit("trees", "public", [Feature(name, "integer", -(10**15), 10**18) for name in names], ["y"], 0, [0])
    folder.mkdir()
    (folder / "assay").symlink_to(CONTRACTS / "src")
    (folder / "Row.sol").write_text(row_contract(task, circuit))
    code = compile_solidity(read_sources(folder, paths=["Row.sol"]))
    return replay.chain.deploy(code["Row"]), circuit


def encoded(circuit, values):
    words, missing = circuit.encode(np.array([values], dtype=object))
    assert not missing.any()
    return words[0].tolist()


def feed_of(replay, row):
    """What the service makes of a feed, over this node."""
    node = SimpleNamespace(
        ask=replay.ask,
        call=lambda call: bytes.fromhex(replay.ask("eth_call", call, "latest")[2:]),
        code=lambda address: bytes.fromhex(replay.ask("eth_getCode", address, "latest")[2:]),
        head=lambda: replay.head,
    )
    return StateFeed.at(SimpleNamespace(node=node), row.address)


@pytest.mark.parametrize("which", ["pair", "pool"])
def test_dataset_live_loop_and_contract_have_the_same_rows(replay, tmp_path, which):
    task = task_of(replay, which)
    home = tmp_path / "project"
    home.mkdir()
    dataset = build(task, home, tmp_path / "data")
    (name,) = [one.name for one in dataset.manifest.features]
    row, circuit = contract_of(replay, task, tmp_path / "contracts")
    feed = feed_of(replay, row)
    feed.require_served()
    wanted = dict(dataset.frame().select("block_number", name).iter_rows())
    assert len(wanted) > BARS - 8
    history, unit = (replay.prices, Fraction(1, 1 << 112)) if which == "pair" else (replay.ticks, 1)
    for block, value in wanted.items():
        proofs = feed.prove(block)
        assert list(replay.chain.call(row, "row", block, [proof.argument() for proof in proofs])) == encoded(
            circuit, [value]
        )
        # Rounded towards zero, and to the unit that the task counts in.
        assert abs(value - replay.mean(history, block) * unit * (10**6 if which == "pair" else 1)) < 1
    live = tmp_path / "live"
    live.mkdir()
    for block in sorted(wanted)[::6]:
        found = newest(task, live, block, [name])
        assert (found.block, found.values) == (block, (wanted[block],))


def test_the_guides_commands_write_what_compiles(replay, assay_command, tmp_path):
    (tmp_path / "task.toml").write_text(text_of(replay, "pool"))
    features = [Feature("mean_tick", "fixed", -(10**10), 10**10)]
    Circuit("linear", "public", features, ["y"], 0, [0], weights=[[1]]).save(tmp_path)
    (commands,) = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    for line in commands.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "assay"
        done = assay_command(*arguments, cwd=tmp_path)
        assert done.code == 0, (line, done.err)
    assert "Row" in compile_solidity(read_sources(tmp_path / "contracts", paths=["Row.sol"]))


def test_a_feed_takes_the_last_period_once_and_no_other_proofs(replay, tmp_path):
    row, circuit = contract_of(replay, task_of(replay, "pool"), tmp_path / "contracts")
    taker = replay.chain.deploy(replay.code["Means"])
    feed = feed_of(replay, row)

    def post(proofs):
        return replay.chain.send(row, "post", taker.address, [proof.argument() for proof in proofs])

    def refused(proofs):
        with pytest.raises(TransactionReverted) as caught:
            post(proofs)
        return caught.value.reason

    while replay.head % BAR != BAR - 1 or replay.head < replay.last + BAR:
        replay._nothing()
    replay._nothing()
    end = replay.head - 1
    proofs = feed.prove(end)
    slots = list(proofs[0].slots)
    post(proofs)
    assert replay.chain.call(taker, "count") == 1
    assert encoded(circuit, [int(replay.mean(replay.ticks, end))]) == [replay.chain.call(taker, "word")]
    assert refused(proofs) == "PeriodNotNew"
    while replay.head % BAR != BAR - 1:
        replay._nothing()
    replay._nothing()
    end = replay.head - 1
    assert refused(proofs) == "WrongBlock"  # stale
    assert refused(feed.prove(end)[::-1]) == "WrongBlock"
    assert refused(feed.prove(end)[:1]) == "WrongCount"
    others = [prove_state(replay.ask, block, replay.pair.address, slots, absent=True) for block in (end - BAR, end)]
    assert refused(others) == "AccountNotProven"
    shifted = [slots[0], slots[1] + 1]
    moved = [prove_state(replay.ask, block, replay.pool.address, shifted, absent=True) for block in (end - BAR, end)]
    assert refused(moved) in {"SlotNotProven", "SlotAbsent"}
    post(feed.prove(end))


def test_what_is_not_there_and_what_a_node_has_forgotten_is_refused(replay, tmp_path, monkeypatch):
    task = task_of(replay, "pair")
    words = [word.model_copy(update={"slot": 99} if word.slot == 9 else {}) for word in task.data.bars.state]

    def with_words(task, words):
        bars = task.data.bars.model_copy(update={"state": tuple(words)})
        return task.model_copy(update={"data": task.data.model_copy(update={"bars": bars})})

    with pytest.raises(StateAbsent, match=r"slot 0x63 of .* holds nothing in block"):
        build(with_words(task, words), tmp_path, tmp_path / "data")
    # Where it may be zero it is, in the dataset and in the contract alike.
    zero = [word.model_copy(update={"may_be_zero": True} if word.slot == 99 else {}) for word in words]
    task = with_words(task, zero)
    dataset = build(task, tmp_path, tmp_path / "data")
    row, circuit = contract_of(replay, task, tmp_path / "contracts")
    block, value = dataset.frame().select("block_number", "mean_price").row(-1)
    proofs = [proof.argument() for proof in feed_of(replay, row).prove(block)]
    assert list(replay.chain.call(row, "row", block, proofs)) == encoded(circuit, [value])
    # Kept words are not asked for again; others are, and a node without old states says so.
    from assay.data.sources.rpc_collect import Node, Refused

    def forgotten(self, method, asked):
        raise Refused(f"the node refuses {method}: missing trie node")

    (tmp_path / "chain" / "chain" / "state.parquet").rename(tmp_path / "state.parquet")
    monkeypatch.setattr(Node, "many", forgotten)
    with pytest.raises(RpcRefused, match=r"does not give what .* kept in blocks .* missing trie node") as caught:
        build(task, tmp_path, tmp_path / "again")
    assert "archive node" in caught.value.todo
    (tmp_path / "state.parquet").rename(tmp_path / "chain" / "chain" / "state.parquet")
    assert build(task, tmp_path, tmp_path / "again").manifest.content_hash == dataset.manifest.content_hash
    # Words of a block that a reorganisation replaced count no more; those of all others stay.
    file = tmp_path / "chain" / "chain" / "state.parquet"
    kept = pl.read_parquet(file)
    gone = kept["block_number"][len(kept) // 2]
    of = pl.when(pl.col("block_number") == gone).then(pl.lit("00" * 32)).otherwise(pl.col("block_hash"))
    kept.with_columns(of.alias("block_hash")).write_parquet(file)
    with pytest.raises(RpcRefused, match=f"kept in blocks {gone} to {gone}:"):
        build(task, tmp_path, tmp_path / "anew")
    monkeypatch.undo()
    assert build(task, tmp_path, tmp_path / "anew").manifest.content_hash == dataset.manifest.content_hash
    assert pl.read_parquet(file).equals(kept)
