"""docs/guides/inputs.md: its task, commands and Solidity work, and its table is what was measured."""

import datetime as dt
import random
import re
import shlex
import shutil
from pathlib import Path

import polars as pl
from benchmarks import observations, results

from assay.chain.compile import compile_solidity, read_sources
from assay.transpile.circuit.circuit import Circuit, Feature

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "guides" / "inputs.md").read_text(encoding="utf-8")
MOST_SWAP_GAS, MOST_ROW_GAS = 10_000, 80_000


def blocks(language):
    return re.findall(rf"```{language}[^\n]*\n(.*?)```", GUIDE, re.DOTALL)


def trades(folder):
    luck, price, at, rows = random.Random(1), 10**12, dt.datetime(2024, 1, 1, tzinfo=dt.UTC), []
    for _ in range(3000):
        at += dt.timedelta(minutes=luck.randrange(1, 40))
        price = int(price * luck.lognormvariate(0, 0.01))
        rows.append((at.isoformat(), price, luck.randrange(10**6)))
    pl.DataFrame(rows, schema=["at", "price", "amount"], orient="row").write_csv(folder / "trades.csv")


def test_what_the_guide_shows_works(assay_command, tmp_path):
    trades(tmp_path)
    task, _ = blocks("toml")  # the other one: tests/unit/task/test_contracts.py
    (tmp_path / "task.toml").write_text(task)
    names = ["return_hour", "volatility_day"]
    features = [Feature(name, "fixed", -(10**10), 10**10) for name in names]
    Circuit("linear", "public", features, ["y"], 0, [0], weights=[[1, 1]]).save(tmp_path)
    for line in "".join(blocks("sh")).splitlines():
        program, *arguments = shlex.split(line)
        assert program == "assay"
        done = assay_command(*arguments, cwd=tmp_path)
        assert done.code == 0, (line, done.err)
    contracts = tmp_path / "contracts"
    # The row compiles with what was written beside it; the pool needs more of the library.
    assert "Row" in compile_solidity(read_sources(contracts, paths=["Row.sol"]))
    shutil.rmtree(contracts / "assay")
    (contracts / "assay").symlink_to(ROOT / "contracts" / "src")
    (pool,) = blocks("solidity")
    (contracts / "Pool.sol").write_text(pool)
    made = compile_solidity(read_sources(contracts, paths=["Row.sol", "Pool.sol"]))
    assert {"Row", "Pool"} <= set(made)
    # One more than the longest window looks back.
    assert "must keep 25 bars or more" in (contracts / "Row.sol").read_text()


def test_the_table_is_what_was_measured():
    result = results.read(observations.NAME)
    assert observations.with_table(GUIDE, result) == GUIDE
    gas = result["gas"]
    assert gas["in_a_bar"] <= MOST_SWAP_GAS
    assert max(gas["row"], gas["row_with_gaps"]) <= MOST_ROW_GAS
    # The first trade of a bar cannot be so cheap; with another one in its bar the mean is.
    mean = (gas["in_a_bar"] + gas["first_of_a_bar"]) / 2
    assert mean <= MOST_SWAP_GAS
    assert f"of the {gas['first_of_a_bar']:,} only the rest" in GUIDE
    assert f"a trade pays {mean:,.0f} on average" in GUIDE
