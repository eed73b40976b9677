"""What a market's own history costs, in gas: `python -m benchmarks.observations`.

Every figure is a transaction on a local node: the same trade in a pool without a history and in one with it, and the
row of the template `dynamic-fee`, of nine words. The table of docs/guides/inputs.md is written from the results.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.chain.compile import compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.row import row_contract
from assay.core import files
from assay.task import onchain
from assay.task.init import init
from assay.task.task import Task
from assay.transpile.circuit.circuit import Circuit, Feature
from benchmarks import machine, results

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts" / "src"
GUIDE = ROOT / "docs" / "guides" / "inputs.md"
NAME = "observations"
BEGIN, END = "<!-- table -->\n", "<!-- /table -->\n"
EVERY = 3600
BASE_GAS = 21_000
"""Of any transaction."""
_RESERVE = 10**21
_AMOUNT = 10**18
_PATHS = ("FixedFee", "ConstantProductPool", "ObservedPool")
_TRADE = {
    "in_a_bar": "a trade in a bar that has one",
    "first_of_a_bar": "the first trade of a bar",
    "first_round": "the same in the ring's first round, when its slots are new",
}
_ROW = {
    "row": "the row of nine words, bars without gaps",
    "row_with_gaps": "the same where two of three bars have no trade",
}


@dataclass
class Pools:
    """The same pool twice, without and with a history, and the trades of both."""

    chain: Chain
    plain: Deployment
    observed: Deployment
    row: Deployment

    def trade(self, time: int) -> int:
        """The same trade in both at about this time; what the history adds."""
        gas = []
        for place, pool in enumerate((self.plain, self.observed)):
            self.chain._web3.provider.make_request("evm_setNextBlockTimestamp", [time + place])  # type: ignore[arg-type]  # noqa: SLF001
            gas.append(self.chain.send(pool, "swap", time // EVERY % 2 == 0, _AMOUNT + time % 1000, 0).gas_used)
        return gas[1] - gas[0]

    def row_gas(self) -> int:
        """Gas of the row, without that of being a transaction."""
        if not self.chain.call(self.row, "row", self.observed.address, bytes(32))[0]:
            raise AssertionError("the history is too short for a row")
        return self.chain.send(self.row, "row", self.observed.address, bytes(32)).gas_used - BASE_GAS


def measure() -> dict[str, Any]:
    """All figures, in gas."""
    with ExitStack() as stack:
        node = stack.enter_context(LocalNode())
        work = stack.enter_context(files.scratch())
        chain = Chain(node.url)
        task, circuit = _model(work)
        (work / "assay").symlink_to(CONTRACTS)
        (work / "Row.sol").write_text(row_contract(task, circuit))
        paths = ["Row.sol", *(f"assay/examples/{name}.sol" for name in _PATHS)]
        compiled = compile_solidity(read_sources(work, paths=paths))
        fee = chain.deploy(compiled["FixedFee"], 3000).address
        size = 1 + max(lag for tree in onchain.declared(task.data).values() for lag in onchain.lags(tree))
        now = (int(chain._web3.eth.get_block("latest")["timestamp"]) // EVERY + 2) * EVERY  # noqa: SLF001
        found: dict[str, int] = {}
        row = chain.deploy(compiled["Row"])
        for name, step in (("row", 1), ("row_with_gaps", 3)):
            plain = chain.deploy(compiled["ConstantProductPool"], fee, _RESERVE, 2 * _RESERVE)
            observed = chain.deploy(compiled["ObservedPool"], fee, _RESERVE, 2 * _RESERVE, EVERY, size)
            pools = Pools(chain, plain, observed, row)
            rounds = [pools.trade(now := now + step * EVERY) for _ in range(size + 8)]
            if step == 1:
                found |= {"first_round": max(rounds[5:size]), "first_of_a_bar": max(rounds[-4:])}
                found["in_a_bar"] = max(pools.trade(now + 60 * turn) for turn in range(1, 6))
            found[name] = pools.row_gas()
    return {"gas": found, "bars": size, "words": len(circuit.features)}


def table(result: dict[str, Any]) -> str:
    """The guide's table."""
    gas = result["gas"]
    lines = ["| in a transaction of its own | gas |", "|---|---:|"]
    lines += [f"| {about} | {gas[name]:,} more |" for name, about in _TRADE.items()]
    lines += [f"| {about} | {gas[name]:,} |" for name, about in _ROW.items()]
    return "\n".join(lines) + "\n"


def with_table(page: str, result: dict[str, Any]) -> str:
    """The page with the table between its marks."""
    head, _, rest = page.partition(BEGIN)
    return head + BEGIN + table(result) + END + rest.partition(END)[2]


def _model(work: Path) -> tuple[Task, Circuit]:
    init(work / "task", "dynamic-fee", {"pool": "0x" + "1" * 40, "rpc": "http://localhost", "bar": "1h"})
    task = Task.load(work / "task")
    features = [Feature(name, "fixed", -(10**14), 10**15, bits=4) for name in onchain.declared(task.data)]
    return task, Circuit("linear", "public", features, ["y"], 0, [0], weights=[[1] * len(features)])


def main() -> None:
    """Measure, keep, and write the table."""
    about = {"machine": machine.describe(), "started": machine.now(), "load_average_before": machine.load_average()}
    result = measure()
    results.write(NAME, about | result)
    files.write(GUIDE, with_table(GUIDE.read_text(encoding="utf-8"), result))
    print(table(result))


if __name__ == "__main__":
    main()
