"""Draws made again in Python equal those of the contracts on a node, whatever was withheld."""

from pathlib import Path

import pytest
from eth_utils import to_checksum_address

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain
from assay.chain.node import LocalNode
from assay.compare import assign
from assay.compare.errors import LinkRefused

CONTRACTS = Path(__file__).parents[3] / "contracts" / "src"
PLAN, SECRET = b"\x07" * 32, b"\x2a" * 32
PERIODS, LENGTH, GRACE, SHARE = 12, 10, 4, 400_000


@pytest.fixture(scope="module")
def compiled():
    paths = ["experiments/Switchback.sol", "experiments/EntityDraw.sol"]
    return compile_solidity(read_sources(CONTRACTS, paths=paths))


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        yield Chain(node.url)


def _ask(chain, method, *arguments):
    return chain._web3.provider.make_request(method, list(arguments))["result"]


def _block(chain):
    return int(_ask(chain, "eth_blockNumber"), 16)


def _mine_to(chain, number):
    _ask(chain, "anvil_mine", hex(number - _block(chain)))


def _hash(chain, number):
    return bytes.fromhex(_ask(chain, "eth_getBlockByNumber", hex(number), False)["hash"][2:])


def test_every_period_is_drawn_alike_and_a_withheld_one_is_known_later(chain, compiled):
    chained = assign.links(SECRET, PERIODS)
    start = _block(chain) + 10
    terms = (PLAN, chained[0], SHARE, start, LENGTH, PERIODS, GRACE, chain.account)
    draw = chain.deploy(compiled["Switchback"], *terms)
    opened, seen = {}, {}
    for period in range(1, PERIODS + 1):
        _mine_to(chain, start + LENGTH * (period - 1))
        assert chain.call(draw, "isNew") is False
        if period in {3, 4, 8}:
            continue
        chain.send(draw, "open", chained[period])
        opened[period], seen[period] = chained[period], chain.call(draw, "isNew")
    _mine_to(chain, start + LENGTH * PERIODS)
    assert chain.call(draw, "isNew") is False
    links = assign.withheld(opened, chained[0])
    assert links == dict(enumerate(chained[1:], 1))
    drawn = {
        period: assign.period_is_new(PLAN, period, link, _hash(chain, start + LENGTH * (period - 1) - 1), SHARE)
        for period, link in links.items()
    }
    assert {period: drawn[period] for period in seen} == seen
    # The node's hashes are new each time, and may draw one arm alone: of fixed ones both are drawn.
    assert {assign.period_is_new(PLAN, 1, chained[1], bytes([k]) * 32, SHARE) for k in range(64)} == {True, False}


def test_every_entity_is_drawn_alike(chain, compiled):
    mix = _block(chain) + 5
    terms = (PLAN, assign.commitment(SECRET), SHARE, mix, mix + 20, mix + 100, chain.account)
    draw = chain.deploy(compiled["EntityDraw"], *terms)
    _mine_to(chain, mix + 1)
    chain.send(draw, "mix")
    chain.send(draw, "reveal", SECRET)
    _mine_to(chain, mix + 20)
    seed = assign.seed_of(PLAN, SECRET, _hash(chain, mix))
    assert seed == chain.call(draw, "seed")
    drawn = []
    for number in range(40):
        entity = assign.new_secret()[:20] if number else bytes(20)
        drawn.append(assign.entity_is_new(seed, entity, SHARE))
        assert drawn[-1] == chain.call(draw, "isNew", to_checksum_address(entity))
    assert len(set(drawn)) == 2


def test_links_that_were_not_committed_to_are_refused():
    chained = assign.links(SECRET, PERIODS)
    with pytest.raises(LinkRefused, match="period 2"):
        assign.withheld({2: bytes(32), 5: chained[5]}, chained[0])
    with pytest.raises(LinkRefused, match="do not hash to the anchor"):
        assign.withheld({1: chained[1], 4: chained[4]}, bytes(32))
    assert assign.withheld({}, chained[0]) == {}


def test_shares_are_kept():
    drawn = sum(assign.entity_is_new(SECRET, number.to_bytes(20, "big"), SHARE) for number in range(2000))
    assert abs(drawn / 2000 - 0.4) < 4 * (0.4 * 0.6 / 2000) ** 0.5
