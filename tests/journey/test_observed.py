"""Inputs that nobody has to be trusted for: dataset, live loop and contract have the same row, all through a replay."""

import datetime as dt
import random
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.row import row_contract
from assay.data.build import build
from assay.data.live import newest
from assay.task import onchain
from assay.task.init import init
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit, Feature

ROOT = Path(__file__).parents[2]
CONTRACTS = ROOT / "contracts" / "src"
PATHS = [
    "examples/FixedFee.sol",
    "examples/ObservedPool.sol",
]
FEE = 3000
MOST_ROW_GAS = 80_000


@pytest.fixture
def example(monkeypatch):
    """A module of examples/dynamic-fee, which is no installed package."""
    monkeypatch.syspath_prepend(str(ROOT / "examples" / "dynamic-fee"))
    yield import_module
    for name in ("prices", "traders", "market", "history", "replay", "live"):
        sys.modules.pop(name, None)


class Replay:
    """Days that were traded in a pool that keeps its history, on a node that is still there."""

    def __init__(self, example, url, days, bar, folder):
        market, traders = example("market"), example("traders")
        self.chain, self.folder = Chain(url), folder
        rpc = market.Rpc(url)
        rpc.call("evm_setNextBlockTimestamp", market.START)
        rpc.call("anvil_setBlockTimestampInterval", market.BLOCK_SECONDS)
        pool = rpc.next_address(self.chain.account, 1)
        self._write(pool, url, bar)
        trees = onchain.declared(self.task.data)
        self.circuit = Circuit("trees", "public", [wide(name) for name in trees], ["y"], 0, [0])
        sources = folder.parent / "sources"
        sources.mkdir()
        (sources / "assay").symlink_to(CONTRACTS)
        (sources / "Row.sol").write_text(row_contract(self.task, self.circuit))
        compiled = compile_solidity(read_sources(sources, paths=["Row.sol", *(f"assay/{path}" for path in PATHS)]))
        fee = self.chain.deploy(compiled["FixedFee"], FEE)
        cash = int(days[0].prices[0] * market.RESERVE)
        every, size = self.task.data.bars.seconds, 1 + max(set().union(*map(onchain.lags, trees.values())))
        self.pool = self.chain.deploy(compiled["ObservedPool"], fee.address, market.RESERVE, cash, every, size)
        assert self.pool.address == pool
        self.row = self.chain.deploy(compiled["Row"])
        self.market = market.Market(self.chain, self.pool, traders.Pool(market.RESERVE, cash), rpc, FEE)
        self.market.begin()
        self.market.replay(days, random.Random(7), lambda _: None)
        self.last = rpc.block() - 1  # the newest one is not final
        self._write(pool, url, bar)

    def _write(self, pool, url, bar):
        last = str(getattr(self, "last", 1))
        answers = {"pool": pool, "rpc": url, "start_block": "1", "end_block": last, "chain": "local", "bar": bar}
        answers |= {"chain_id": "31337", "block_seconds": "10800", "latency_blocks": "1"}
        for old in ("task.toml", ".gitignore"):
            (self.folder / old).unlink(missing_ok=True)
        if (self.folder / "contracts").exists():
            (self.folder / "contracts").rename(self.folder / "contracts-before")
        init(self.folder, "dynamic-fee", answers)
        self.task = Task.load(self.folder)

    def words(self, block):
        """The contract's row as of a block: the end of its bar, and its words; None where it has none."""
        contract = self.chain._web3.eth.contract(address=self.row.address, abi=self.row.abi)
        asked = contract.functions.row(self.pool.address, bytes(32))
        known, end, words = asked.call(block_identifier=block)
        return (end, words) if known else None

    def calldata(self):
        contract = self.chain._web3.eth.contract(address=self.row.address, abi=self.row.abi)
        return bytes.fromhex(contract.encode_abi("row", args=[self.pool.address, bytes(32)]).removeprefix("0x"))

    def encoded(self, values):
        words, missing = self.circuit.encode(np.array([values], dtype=object))
        assert not missing.any()
        return words[0].tolist()


def wide(name):
    return Feature(name, "integer", -(10**13), 10**15)


def test_dataset_live_loop_and_contract_have_the_same_rows(example, tmp_path):
    """Each row of the dataset and of the contract; `python -m tests.soak.observed` has a longer replay, each live."""
    same_rows(example, tmp_path, count=24, bar="3h", every=24)


def same_rows(example, folder, *, count, bar, every):
    """Replay the last `count` days in bars of `bar`; the live loop makes one of `every` rows. How many were equal."""
    from assay.chain.node import LocalNode

    days = example("prices").days(count=count)
    (folder / "project").mkdir()
    with LocalNode(timeout=60) as node:
        replay = Replay(example, node.url, days, bar, folder / "project")
        dataset = build(replay.task, folder / "project", folder / "data")
        names = [one.name for one in dataset.manifest.features]
        assert names == [one.name for one in replay.circuit.features]
        frame = dataset.frame()
        wanted = {
            int(time.timestamp()): list(values) for time, *values in frame.select(str(dataset.time), *names).iter_rows()
        }
        seen, blocks = {}, {}
        for block in range(5, replay.last + 1):
            found = replay.words(block)
            if found is not None:
                end, words = found
                # Whatever is traded after the end of a bar, its row stays.
                assert seen.setdefault(end, words) == words
                blocks.setdefault(end, block)
        whole = {end: values for end, values in wanted.items() if None not in values}
        for end, values in whole.items():
            assert seen[end] == replay.encoded(values), end
        # Where the pool is younger than the blocks, a first row lacks a value, and the contract has none.
        assert not (set(wanted) - set(whole)) & set(seen)
        assert len(wanted) - 2 <= len(whole) > 20
        followed = sorted(whole)[-1::-every]
        live = folder / "live"
        live.mkdir()
        for end in reversed(followed):
            # The first block after the bar tells that it is over.
            row = newest(replay.task, live, blocks[end], names)
            assert dt.datetime.fromisoformat(row.time).timestamp() == end
            assert replay.encoded(row.values) == seen[end], end
        replay.market.rpc.automine(on=True)
        # With gas of its own: an estimate is of the bar before, and the transaction may be the first of the next one.
        gas = replay.chain.send_calldata(replay.row, replay.calldata(), gas=500_000).gas_used
        assert gas - 21_000 <= MOST_ROW_GAS
    return len(whole), len(followed)
