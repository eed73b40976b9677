"""The contract of a row, and the ring that it is made of, against plain Python: each operation, on random histories."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.unit.data.small import make_task

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.errors import RowNotOnChain
from assay.chain.row import row_contract
from assay.data.features.onchain import History
from assay.task import onchain
from assay.transpile.circuit.circuit import Circuit, Feature

CONTRACTS = Path(__file__).parents[3] / "contracts"
EVERY, SIZE = 3600, 24
BEGAN = 1_900_000_000 // EVERY * EVERY

COLUMNS = [
    {"name": "price", "op": "last", "of": "p", "onchain": "price"},
    {"name": "traded", "op": "sum", "of": "v", "onchain": "volume"},
    {"name": "most", "op": "max", "of": "p"},
]
STEPS = [
    {"name": "before", "op": "lag", "of": "price"},
    {"name": "move", "op": "column", "of": "(price - before) * 1000000 // before"},
]
ON = {"onchain": "observations"}
FEATURES = [
    {"name": "change", "op": "difference", "of": "price", "periods": 3} | ON,
    {"name": "return_2", "op": "column", "of": "(before - price) * 1_000_000 // (price + 1)"} | ON,
    {"name": "risk", "op": "rolling_sum", "of": "move * move", "window": 5} | ON,
    {"name": "root", "op": "column", "of": "CAST(FLOOR(SQRT(risk)) AS bigint)"} | ON,
    {"name": "mean", "op": "rolling_sum", "of": "price", "window": 20} | ON | {"scale": 3},
    {"name": "flow", "op": "volume", "of": "traded", "window": 4} | ON,
    {"name": "flow_before", "op": "lag", "of": "traded", "periods": 7} | ON,
    {"name": "chosen", "op": "column", "of": "LEAST(GREATEST(change, -flow, 5), ABS(move), POW(10, 6))"} | ON,
    {"name": "rest", "op": "column", "of": "-(change % 1000) + traded % 7"} | ON,
    {"name": "minute", "op": "calendar", "part": "minute"} | ON,
    {"name": "hour", "op": "calendar", "part": "hour"} | ON,
    {"name": "weekday", "op": "calendar", "part": "weekday"} | ON,
]


def task_of(features, columns=COLUMNS, **data):
    source = {"name": "trades", "kind": "csv", "path": "trades.csv"}
    bars = {"every": "1h", "columns": columns}
    return make_task({"time": "at", "sources": [source], "bars": bars, "features": features} | data)


def circuit_of(names):
    """Each name as every kind of word that a model may have."""
    kinds = [
        Feature("", "integer", -(10**15), 10**15),
        Feature("", "fixed", -(10**16), 10**16, bits=3),
        Feature("", "float32"),
    ]
    features = [Feature(n, k.kind, k.low, k.high, k.bits) for n, k in zip(names, kinds * len(names), strict=False)]
    return Circuit("trees", "public", features, ["y"], 0, [0])


class Market:
    """A series on a node whose trades are made up, and what plain Python knows of it."""

    def __init__(self, chain, deployed, price):
        self.chain, self.series = chain, deployed
        self.bars = {}
        self._mined(price, 0)

    def _ask(self, method, *parameters):
        answer = self.chain._web3.provider.make_request(method, list(parameters))
        assert "error" not in answer, answer
        return answer["result"]

    def _mined(self, price, traded):
        bar = self._ask("eth_getBlockByNumber", "latest", False)["timestamp"]
        bar = (int(bar, 16) if isinstance(bar, str) else bar) // EVERY
        volume = self.bars.get(bar, (0, 0))[1]
        self.bars[bar] = (price, volume + traded)

    def trade(self, time, trades):
        """One block with these trades."""
        self._ask("evm_setAutomine", False)
        self._ask("evm_setNextBlockTimestamp", time)
        contract = self.chain._web3.eth.contract(address=self.series.address, abi=self.series.abi)
        for price, traded in trades:
            contract.functions.trade(price, traded).transact({"from": self.chain.account, "gas": 200_000})
        self._ask("evm_mine")
        self._ask("evm_setAutomine", True)
        for price, traded in trades:
            self._mined(price, traded)

    def history(self, last):
        """All bars from the first to `last`; those without a trade have the price before."""
        first = min(self.bars)
        prices, volumes = [], []
        for bar in range(first, last + 1):
            price, volume = self.bars.get(bar, (prices[-1] if prices else 0, 0))
            prices.append(price)
            volumes.append(volume)
        return History.of(EVERY, first, prices, volumes)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    task = task_of([*STEPS, *FEATURES], drop=["before", "move"])
    circuit = circuit_of(onchain.declared(task.data))
    place = tmp_path_factory.mktemp("contracts")
    (place / "src").symlink_to(CONTRACTS / "src")
    (place / "test").symlink_to(CONTRACTS / "test")
    (place / "Row.sol").write_text(row_contract(task, circuit, library="./src"))
    sources = read_sources(place, paths=["Row.sol", "test/helpers/Series.sol"])
    return task, circuit, compile_solidity(sources)


def test_rows_of_random_histories_are_those_of_plain_python(chain, compiled):
    task, circuit, contracts = compiled
    trees = onchain.declared(task.data)
    row = chain.deploy(contracts["Row"])
    luck, time = random.Random(5), BEGAN
    chain._web3.provider.make_request("evm_setNextBlockTimestamp", [time])
    price = 10**12
    market = Market(chain, chain.deploy(contracts["Series"], price, EVERY, SIZE), price)
    rows, unknown, lost = 0, 0, 0
    for _ in range(150):
        # The same bar, the next ones, or a gap.
        time += luck.choice([1, 600, 1800, EVERY, EVERY, 2 * EVERY, luck.randrange(1, 12) * EVERY])
        trades = []
        for _ in range(luck.choice([1, 1, 1, 3])):
            price = max(1000, int(price * luck.lognormvariate(0, 0.05)))
            # A few bars of volume make the sum wrap around.
            trades.append((price, luck.choice([luck.randrange(10**6)] * 40 + [luck.randrange(1 << 50)])))
        market.trade(time, trades)
        known, end, words = chain.call(row, "row", market.series.address, bytes(32))
        bar = end // EVERY - 1
        history = market.history(bar)
        lag = luck.randrange(SIZE)
        seen, *_, values = chain.call(market.series, "observe", bytes(32), [lag])
        at = len(history.price) - 1 - lag
        if seen:
            kept = ("price", "prices", "squares", "volume")
            assert tuple(values[0]) == tuple(
                history.value(onchain.Past(what, lag), bar - history.first) for what in kept
            )
        else:
            assert at < 0
        wanted = [history.value(tree, len(history.price) - 1) for tree in trees.values()]
        if not known:
            assert None in wanted
            unknown += 1
            continue
        assert None not in wanted
        encoded, missing = circuit.encode(np.array([wanted], dtype=object))
        assert not missing.any()
        assert words == encoded[0].tolist()
        rows += 1
        lost += len(market.bars) > SIZE
    assert rows > 100
    assert unknown > 2
    assert lost > 50  # the ring has gone round


def test_a_market_of_other_bars_is_refused(chain, compiled):
    from assay.chain.errors import TransactionReverted

    _, _, contracts = compiled
    row = chain.deploy(contracts["Row"])
    other = chain.deploy(contracts["Series"], 10**12, 12, SIZE)
    chain._web3.provider.make_request("evm_increaseTime", [12 * 30])
    chain._web3.provider.make_request("evm_mine", [])
    with pytest.raises(TransactionReverted, match="OtherBars"):
        chain.call(row, "row", other.address, bytes(32))


def test_a_row_that_signers_vouch_for_is_computed_by_no_contract():
    signed = [feature | {"onchain": "feed"} for feature in STEPS]
    with pytest.raises(RowNotOnChain, match="signed by a feed") as caught:
        row_contract(task_of(signed), circuit_of(["before", "move"]))
    assert "SignedFeed" in caught.value.todo


def test_a_model_whose_feature_is_not_on_the_chain_is_refused():
    task = task_of([*STEPS, *FEATURES])
    with pytest.raises(RowNotOnChain, match="the model's feature move is not computed on the chain"):
        row_contract(task, circuit_of(["change", "move"]))


def test_a_network_is_refused_whose_words_hold_several_features():
    one = replace(circuit_of(["change", "hour"]), kind="network")
    with pytest.raises(RowNotOnChain, match="network, whose words hold thirteen features"):
        row_contract(task_of([*STEPS, *FEATURES]), one)
