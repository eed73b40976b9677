"""Gas of reading other contracts' state by storage proofs: `python -m benchmarks.state`.

A node of this machine, with as many accounts and slots as are asked for; what each part costs by OpenZeppelin's
libraries and by Assay's own reader, and the bytes that are sent. Gas is exact and the same everywhere. The page that
shows it, docs/guides/state-proofs.md, is rendered from the result: `--render`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.chain.compile import CompiledContract, compile_solidity, read_sources
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.state import StateProof, prove_state
from assay.chain.trie import split
from benchmarks import machine, results

NAME = "state"
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "guides" / "state-proofs.md"
BEGIN, END = "<!-- benchmarks/results/state.json -->", "<!-- end -->"
COUNTS = (1, 300, 4_000)
ACCOUNTS = 3_000
AT_ONCE = 150


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--render", action="store_true", help="write the page's table from the last result only")
    parser.add_argument("--counts", type=int, nargs="+", default=list(COUNTS), help="slots of the contracts")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help="accounts of the chain")
    parser.add_argument("--out", default=NAME, help="name of the result")
    asked = parser.parse_args()
    if not asked.render:
        results.write(asked.out, measure(asked.counts, asked.accounts))
    if asked.out == NAME:
        render()


def measure(counts: list[int], accounts: int) -> dict[str, Any]:
    """Measure on a node of its own."""
    about = {"machine": machine.describe(), "started": machine.now(), "load_average_before": machine.load_average()}
    with LocalNode(hardfork="prague") as node:
        found = measured(node.url, compiled(), counts, accounts)
    return {"name": NAME, **about, **found}


def compiled() -> dict[str, CompiledContract]:
    """Both readers, as foundry.toml's profile compiles them."""
    sources = read_sources(ROOT / "contracts", paths=["test/state/Rows.sol"])
    return compile_solidity(sources, runs=200, via_ir=True, evm_version="prague")


def measured(url: str, code: dict[str, CompiledContract], counts: list[int], accounts: int) -> dict[str, Any]:
    """The figures, on a node that is there."""
    chain, ask = Chain(url), _asking(url)
    for number in range(accounts):
        ask("anvil_setBalance", f"0x{number + 0x10000:040x}", "0x1")
    rows = chain.deploy(code["Rows"])
    keepers = {count: chain.deploy(code["Keeper"]) for count in counts}
    for count, keeper in keepers.items():
        for start in range(0, count, AT_ONCE):
            slots = range(start, min(count, start + AT_ONCE))
            words = [(1 << 255) + slot for slot in slots]
            chain.send(keeper, "keep", [slot.to_bytes(32, "big") for slot in slots], words)
    block = int(ask("eth_blockNumber"), 16)
    ask("anvil_mine", "0x2")
    proofs = {count: prove_state(ask, block, keeper.address, [0]) for count, keeper in keepers.items()}
    found = [_one(chain, rows, keepers[count], count, proofs[count]) for count in counts]
    last = keepers[counts[-1]].address
    reads = [list(range(read)) for read in (1, 2, 4) if read <= counts[-1]]
    whole = [_whole(chain, rows, prove_state(ask, block, last, slots)) for slots in reads]
    return {"accounts": accounts, "parts": found, "whole": whole}


def _one(chain: Chain, rows: Deployment, keeper: Deployment, count: int, proof: StateProof) -> dict[str, Any]:
    found: dict[str, Any] = {"slots": count}
    sizes = {"header": proof.header, "account": proof.account_proof, "slot": proof.slot_proofs[0]}
    for name, content in sizes.items():
        found[name] = {"bytes": len(content), "nodes": 1 if name == "header" else len(split(content))}
    for ours in (False, True):
        gas = chain.call(rows, "gasOf", proof.argument(), keeper.address, bytes(32), ours)
        for name, value in zip(sizes, gas, strict=True):
            found[name]["assay" if ours else "openzeppelin"] = value
    return found


def _whole(chain: Chain, rows: Deployment, proof: StateProof) -> dict[str, Any]:
    """A transaction of its own that reads the slots: all it costs, base cost and calldata too."""
    slots = [slot.to_bytes(32, "big") for slot in proof.slots]
    arguments = (proof.argument(), 0, proof.account, slots)
    sent = len(proof.header) + len(proof.account_proof) + sum(map(len, proof.slot_proofs))
    found: dict[str, Any] = {"read": len(slots), "bytes": sent}
    for name, how in (("openzeppelin", "row"), ("assay", "walk")):
        found[name] = chain.send(rows, how, *arguments).gas_used
    return found


def _asking(url: str) -> Callable[..., Any]:
    from web3 import HTTPProvider

    provider = HTTPProvider(url)

    def ask(method: Any, *parameters: Any) -> Any:
        return provider.make_request(method, list(parameters))["result"]

    return ask


def render() -> None:
    """Write the table into the page."""
    found = results.read(NAME)
    if found is None:
        raise SystemExit(f"There is no result {NAME}: run `python -m benchmarks.state`.")
    text = PAGE.read_text(encoding="utf-8")
    start, rest = text.split(BEGIN)
    PAGE.write_text(f"{start}{BEGIN}\n{table(found)}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def table(found: dict[str, Any]) -> str:
    """Both tables."""
    parts = ["| read | nodes | bytes | OpenZeppelin's | `StateWalk` |", "|---|---|---|---|---|"]
    first = found["parts"][-1]
    named = [("header and block hash", first["header"]), (f"account, of {found['accounts']:,}", first["account"])]
    named += [(f"slot, of {one['slots']:,}", one["slot"]) for one in found["parts"]]
    for name, one in named:
        row = (name, one["nodes"], f"{one['bytes']:,}", f"{one['openzeppelin']:,}", f"{one['assay']:,}")
        parts.append(f"| {' | '.join(map(str, row))} |")
    whole = ["| a transaction that reads | bytes | OpenZeppelin's | `StateWalk` |", "|---|---|---|---|"]
    for one in found["whole"]:
        name = f"{one['read']} slot{'s' * (one['read'] > 1)} of {first['slots']:,}"
        whole.append(f"| {name} | {one['bytes']:,} | {one['openzeppelin']:,} | {one['assay']:,} |")
    return "\n".join([*parts, "", *whole])


if __name__ == "__main__":
    main()
