"""The examples: what their README says is what happens."""

import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def commands(example):
    """The commands of the README's first shell block."""
    text = (EXAMPLES / example / "README.md").read_text()
    block = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)[0]
    return [shlex.split(line, comments=True) for line in block.splitlines()]


@pytest.mark.slow
def test_credit_score(assay_command, tmp_path):
    for program, *arguments in commands("credit-score"):
        assert program == "assay"
        extra = ["--answer", "trials=6"] if arguments[0] == "init" else []
        done = assay_command(*arguments, *extra, cwd=tmp_path, stdin=subprocess.DEVNULL)
        assert done.code == 0, (arguments, done.err)
        if arguments[0] == "decide":
            assert "chosen: " in done.out
    assert "scorecard" in (tmp_path / "project" / "model-card.md").read_text()
    assert (tmp_path / "project" / "decision" / "chosen" / "verifying.key").exists()


def test_the_demo_is_the_small_setting_of_dynamic_fee(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    walk = import_module("demo.walk")
    init, *others = commands("dynamic-fee")
    given = dict(init[index + 1].split("=", 1) for index, part in enumerate(init) if part == "--answer")
    assert given == walk.ANSWERS
    replay = next(command for command in others if command[0] == "python")
    assert replay[1:4] == ["replay.py", "--days", str(walk.DAYS)]


@pytest.fixture
def example(monkeypatch):
    """A module of examples/dynamic-fee, which is no installed package."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "dynamic-fee"))
    yield import_module
    for name in ("prices", "traders", "market", "replay"):
        sys.modules.pop(name, None)


def test_the_prices_are_the_real_ones(example):
    from arch.data import sp500

    frame = sp500.load()
    days = example("prices").days(100)
    for day, (_, row) in zip(days, frame.tail(100).iterrows(), strict=True):
        assert sorted(day.prices) == sorted([row["Open"], row["High"], row["Low"], row["Close"]])
        assert (day.prices[0], day.prices[-1]) == (row["Open"], row["Close"])


def test_a_short_replay_ends_where_the_arithmetic_says(example):
    from assay.chain.node import LocalNode

    prices, market = example("prices"), example("market")
    with LocalNode(timeout=60) as node:
        opened = market.Market.open(node.url, prices.days(3)[0].prices[0], 3000)
        opened.replay(prices.days(3), 7, lambda _: None)  # compares the contract's reserves with its own
        assert opened.contract.address == commands("dynamic-fee")[0][6].removeprefix("pool=")
        assert opened.result.days == 3
        assert opened.result.trades > 10
        assert opened.rpc.block() == 4 * prices.BLOCKS_A_DAY


def test_arbitrage_is_the_most_profitable_trade(example):
    traders = example("traders")
    for price, zero_in in ((2600.0, False), (2400.0, True)):
        fair = traders.Pool(10**21, 2500 * 10**21)
        trade = traders.arbitrage(fair, price, 3000)
        assert trade.zero_in is zero_in
        for factor in (0.9, 1.1):
            other = traders.Pool(10**21, 2500 * 10**21)
            amount = int(trade.amount * factor)
            out = other.swap(zero_in=zero_in, amount=amount, fee=3000)
            # Asset 0 costs `price` of asset 1; the trader gives one and gets the other.
            profit = out - amount * price if zero_in else out * price - amount
            best = -trade.result * (10**21 * price + 2500 * 10**21)
            assert profit < best
    # Within the fee nothing is to be had.
    assert traders.arbitrage(traders.Pool(10**21, 2500 * 10**21), 2505.0, 3000) is None
