"""The examples: what their README says is what happens."""

import json
import random
import re
import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest

from assay.data.tables.content import hash_frames

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ASK = b'{"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", false]}'
HEAD = {"Content-Type": "application/json"}


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
    script = EXAMPLES / "credit-score" / "experiment.py"
    command = [sys.executable, str(script), "project", "--out", "experiment"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["units"], said["outcomes"]) == (200, 200)
    assert 70 < said["new_units"] < 130
    assert said["verdict"] in {"no effect shown", "gain", "harm"}
    assert said["low"] < said["gain"] < said["high"]


def test_the_demo_is_the_setting_of_dynamic_fee(monkeypatch, example):
    monkeypatch.syspath_prepend(str(ROOT))
    walk = import_module("demo.walk")
    init, *others = commands("dynamic-fee")
    given = dict(init[index + 1].split("=", 1) for index, part in enumerate(init) if part == "--answer")
    assert given == walk.ANSWERS
    replay = next(command for command in others if command[0] == "python")
    assert replay[1:4] == ["replay.py", "--after", "history"]
    assert ["cp", "-r", "history", "project/chain"] in others
    kept = example("history").Kept.load(walk.HISTORY)
    assert len(kept.days) >= 1500
    assert sum(path.stat().st_size for path in walk.HISTORY.rglob("*")) < 5_000_000
    # The last days are played live, but for the block that is not final yet.
    live = len(example("prices").days(kept.last)) - 1
    assert int(walk.ANSWERS["end_block"]) == kept.last_block + live * example("prices").BLOCKS_A_DAY - 1


def blocks_of(node):
    """Number and hash of the newest block."""
    from assay.chain.deploy import Chain

    newest = Chain(node.url)._web3.eth.get_block("latest")
    return newest["number"], newest["hash"].hex()


def test_a_kept_replay_goes_on_as_if_it_had_never_stopped(example, tmp_path):
    prices, market, history = example("prices"), example("market"), example("history")
    days = prices.days("2018-12-18", "2018-12-21")
    kept = history.keep(tmp_path / "kept", days[0].date, days[1].date)
    with market.node() as node:
        source = random.Random(history.SEED)
        straight = market.Market.open(node.url, days[0].prices[0], history.FEE)
        straight.begin()
        straight.replay(days, source, lambda _: None)
        wanted = blocks_of(node)
    assert history.Kept.load(tmp_path / "kept") == kept
    script = EXAMPLES / "dynamic-fee" / "replay.py"
    said = (
        f"import urllib.request as r, os; print(r.urlopen(r.Request(os.environ['RPC_URL'], {ASK!r}, {HEAD!r})).read())"
    )
    command = [sys.executable, str(script), "--after", str(tmp_path / "kept"), "--to", days[-1].date, "--"]
    done = subprocess.run([*command, sys.executable, "-c", said], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert wanted[1].removeprefix("0x") in done.stdout
    assert f"replay: 2 days ({days[2].date} to {days[3].date})" in done.stderr


@pytest.mark.parametrize("name", ["history", "history-2006"])
def test_the_shipped_replay_is_what_replaying_makes(example, tmp_path, name):
    """Its first month block by block, every trade by the pool's arithmetic, and the state at its end."""
    history, market, traders = example("history"), example("market"), example("traders")
    shipped = EXAMPLES / "dynamic-fee" / name
    kept = history.Kept.load(shipped)
    about = json.loads((shipped / "replay.json").read_text())
    month = kept.days[20].date
    made = history.keep(tmp_path / name, kept.days[0].date, month, observed=name != "history")
    assert made.pool == kept.pool == about["pool"]
    there, again = (tables(folder / "chain") for folder in (shipped, tmp_path / name))
    for kind, frame in again.items():
        first = there[kind].filter(pl.col("block_number") <= made.last_block)
        assert first.height > 100
        # A contract that changed has another address, and every later block another hash.
        assert hash_frames([first]) == hash_frames([frame]), f"{kind}: history.py makes {name} anew"

    blocks = there["blocks"].sort("block_number")
    assert blocks["parent_hash"][1:].to_list() == blocks["block_hash"][:-1].to_list()
    assert blocks["block_number"].to_list() == list(range(1, kept.last_block + 1))
    pool = traders.Pool(market.RESERVE, int(kept.days[0].prices[0] * market.RESERVE))
    past, source = market.Market(None, None, pool, None, history.FEE), random.Random(history.SEED)
    wanted = [(pool.reserve0, pool.reserve1)]
    for day in kept.days:
        wishes = traders.intents(day, source)
        for block in range(8):
            wanted += [(trade.reserve0, trade.reserve1) for trade in past.made(day, block, wishes)]
    logs = there["logs"].sort("block_number", "log_index").filter(pl.col("data").bin.size() == 64)
    words = [(int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")) for data in logs["data"]]
    assert words == wanted

    with market.node() as node:
        going = market.Market.resume(node.url, kept.state, kept.pool, history.FEE)
        assert (going.pool.reserve0, going.pool.reserve1) == wanted[-1]
        assert bytes.fromhex(blocks_of(node)[1].removeprefix("0x")) == blocks["block_hash"][-1]


def tables(folder):
    found = {}
    for path in folder.glob("*.parquet"):
        found["logs" if "__logs__" in path.name else "blocks"] = pl.read_parquet(path, glob=False)
    assert set(found) == {"blocks", "logs"}
    return found


@pytest.fixture
def example(monkeypatch):
    """A module of examples/dynamic-fee, which is no installed package."""
    monkeypatch.syspath_prepend(str(EXAMPLES / "dynamic-fee"))
    yield import_module
    for name in ("prices", "traders", "market", "history", "replay"):
        sys.modules.pop(name, None)


def test_the_prices_are_the_real_ones(example):
    from arch.data import sp500

    frame = sp500.load()
    days = example("prices").days(count=100)
    for day, (_, row) in zip(days, frame.tail(100).iterrows(), strict=True):
        assert sorted(day.prices) == sorted([row["Open"], row["High"], row["Low"], row["Close"]])
        assert (day.prices[0], day.prices[-1]) == (row["Open"], row["Close"])


def test_a_short_replay_ends_where_the_arithmetic_says(example):
    from assay.chain.node import LocalNode

    prices, market = example("prices"), example("market")
    with LocalNode(timeout=60) as node:
        history = prices.days(count=3)
        opened = market.Market.open(node.url, history[0].prices[0], 3000)
        opened.begin()
        opened.replay(history, random.Random(7), lambda _: None)  # compares the contract's reserves with its own
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
