"""Means of cumulative prices from proven slots, against the price's own history; on storage laid out as Uniswap's."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from eth_abi import encode

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.errors import NodeRefused, TransactionReverted
from assay.chain.node import LocalNode
from assay.chain.state import prove_state
from assay.core.keccak import keccak256

CONTRACTS = Path(__file__).parents[3] / "contracts"
PERIOD = 8
RESERVES, CUMULATIVE = 8, 9
STATE, RING, CARDINALITY = 0, 8, 7


class Place:
    """A node whose blocks have the times that they are told."""

    def __init__(self, node: LocalNode) -> None:
        self.url, self.chain = node.url, Chain(node.url)
        self.code = compile_solidity(
            read_sources(CONTRACTS, paths=["test/state/Pairs.sol"]), runs=200, via_ir=True, evm_version="prague"
        )
        self.draw = random.Random(3)

    def ask(self, method: str, *parameters):
        from web3 import HTTPProvider

        answer = HTTPProvider(self.url).make_request(method, list(parameters))
        if "error" in answer:
            raise NodeRefused(str(answer["error"]["message"]))
        return answer["result"]

    def next_time(self) -> int:
        """The next block's time, by which it is mined."""
        time = self.time(self.head) + self.draw.choice([1, 2, 12, 3600])
        self.ask("evm_setNextBlockTimestamp", time)
        return time

    @property
    def head(self) -> int:
        return int(self.ask("eth_blockNumber"), 16)

    def time(self, block: int) -> int:
        return int(self.ask("eth_getBlockByNumber", hex(block), False)["timestamp"], 16)

    def send(self, target, function: str, *arguments: int) -> None:
        """With gas that is not estimated: the estimate is of a block at another time."""
        kinds = function.partition("(")[2][:-1].split(",")
        self.chain.send_calldata(target, keccak256(function.encode())[:4] + encode(kinds, arguments), gas=500_000)

    def mine(self) -> None:
        self.next_time()
        self.ask("evm_mine")


@pytest.fixture(scope="module")
def place():
    with LocalNode(hardfork="prague", began=1_800_000_000) as node:
        yield Place(node)


def reason(action) -> str:
    with pytest.raises(TransactionReverted) as caught:
        action()
    return caught.value.reason


def integral(history, start, end):
    """Of a step function, the value of each step from its time on."""
    steps = [(max(time, start), value) for time, value in history if time <= end]
    times = [time for time, _ in steps] + [end]
    return sum(value * (after - before) for (_, value), (before, after) in zip(steps, pairwise(times), strict=True))


def test_a_row_of_the_mean_price_that_nobody_is_trusted_with(place):
    chain = place.chain
    pair, taker = chain.deploy(place.code["PairLayout"]), chain.deploy(place.code["Means"])
    feed = chain.deploy(place.code["MeanPriceFeed"], pair.address, PERIOD)

    def prove(block):
        return prove_state(place.ask, block, pair.address, [RESERVES, CUMULATIVE])

    def post(start, end):
        return chain.send(feed, "post", taker.address, [prove(start).argument(), prove(end).argument()])

    history = []

    def period_ends():
        """Trades until a period is over; its last block."""
        while True:
            time = place.next_time()
            reserves = place.draw.randrange(1, 1 << 60), place.draw.randrange(1, 1 << 112)
            place.send(pair, "sync(uint112,uint112)", *reserves)
            history.append((time, Fraction(reserves[1], reserves[0])))
            if len(history) >= 15 and place.head % PERIOD == PERIOD - 1:
                place.mine()  # the gas is estimated as of the block that is there
                return place.head - 1

    ends = []
    for late in (0, PERIOD - 2):
        ends.append(end := period_ends())
        # The last block in which its row may be posted is the last of the next period.
        for _ in range(late):
            place.mine()
        account, blocks, slots = chain.call(feed, "stateOf", end)
        assert (account, list(blocks)) == (pair.address, [end - PERIOD, end])
        assert [int.from_bytes(slot, "big") for slot in slots] == [RESERVES, CUMULATIVE]
        post(end - PERIOD, end)
        start_time, end_time = place.time(end - PERIOD), place.time(end)
        true = integral(history, start_time, end_time) / (end_time - start_time)
        bits = chain.call(taker, "word") ^ 1 << 31  # the key of a positive float32: its bits with the sign set
        found = float(np.uint32(bits).view(np.float32))
        assert found == pytest.approx(float(true), rel=2**-23)

    assert chain.call(taker, "count") == 2
    ends.append(period_ends())
    assert reason(lambda: post(ends[-1] - PERIOD - 1, ends[-1] - 1)) == "WrongBlock"
    assert reason(lambda: post(ends[-1] - PERIOD + 1, ends[-1])) == "WrongBlock"
    # Nobody chooses among periods that were not posted.
    assert reason(lambda: post(ends[-1] - 2 * PERIOD, ends[-1] - PERIOD)) == "WrongBlock"
    post(ends[-1] - PERIOD, ends[-1])
    assert reason(lambda: post(ends[-1] - PERIOD, ends[-1])) == "PeriodNotNew"
    while place.head <= ends[-1] + PERIOD:
        place.mine()
    assert reason(lambda: post(ends[-1] - PERIOD, ends[-1])) == "WrongBlock"
    other = prove_state(place.ask, ends[-1], pair.address, [CUMULATIVE, RESERVES])
    assert reason(lambda: chain.send(feed, "post", taker.address, [other.argument()] * 2)) == "SlotNotProven"


def test_the_mean_tick_over_any_window_of_a_ring_of_observations(place):
    chain = place.chain
    time = place.next_time()
    pool = chain.deploy(place.code["PoolLayout"], -5, CARDINALITY)
    means = chain.deploy(place.code["Means"])
    history = [(time, -5)]
    for _ in range(20):
        time, tick = place.next_time(), place.draw.randrange(-887_272, 887_273)
        place.send(pool, "move(int24)", tick)
        history.append((time, tick))
    place.mine()
    block, now = place.head, place.time(place.head)
    place.mine()  # a block knows the hashes of those before it
    # Where the observations stand: the newest at 20 mod 7, each before it one before.
    index = 20 % CARDINALITY
    times = [time for time, _ in history]

    def slots(older):
        return [STATE, RING + index, RING + older, RING + (older + 1) % CARDINALITY]

    def ask(window, older):
        proof = prove_state(place.ask, block, pool.address, slots(older), absent=True)
        return chain.call(means, "meanTick", proof.argument(), pool.address, window, older)[1]

    oldest = times[-CARDINALITY]
    windows = {
        1,
        now - oldest,
        *(now - time for time in times[-CARDINALITY:]),
        *(now - time - 1 for time in times[-5:]),
    }
    windows |= {place.draw.randrange(1, now - oldest) for _ in range(6)}
    for window in sorted(windows - {0}):
        after = next((i for i, time in enumerate(times) if time > now - window), len(times))
        older = (after - 1) % CARDINALITY
        true = Fraction(integral(history, now - window, now), window)
        assert ask(window, older) == pytest.approx(true, abs=1)
        # Any other two observations do not fit.
        if now - window < times[-1]:
            assert reason(lambda: ask(window, (older + 2) % CARDINALITY)) == "NotAround"  # noqa: B023  called at once
    assert reason(lambda: ask(now - oldest + 1, (index + 1) % CARDINALITY)) == "NotAround"
    assert reason(lambda: ask(0, index)) == "NoWindow"
    assert reason(lambda: ask(now - times[-2], CARDINALITY)) == "NotWritten"
