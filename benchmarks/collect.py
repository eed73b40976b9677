"""Chain data from a local node: rows a second of Cryo and of JSON-RPC, which write the same files.

    python -m benchmarks.collect [--blocks 300]

Writes results/collect.json. Each block has one transaction that emits 20 logs. The node is Anvil on the same machine,
so what is measured is the collector and the node together, without a network between them.
"""

from __future__ import annotations

import argparse
import shutil
import time
from pathlib import Path
from typing import Any

from assay.chain.node import LocalNode
from assay.data.collect import collect
from assay.data.sources.cryo_files import chunks
from assay.data.sources.rpc import Rpc
from assay.data.tables.content import hash_frames
from assay.task.task import Task
from benchmarks import machine, results
from benchmarks.measure import failure
from benchmarks.work import WORK

LOGS_IN_A_BLOCK = 20
REPEATS = 3
KINDS = {"cryo": "Cryo", "rpc": "JSON-RPC"}


def main() -> None:
    """Measure both and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collect", description=__doc__)
    parser.add_argument("--blocks", type=int, default=300)
    print(f"wrote {run(parser.parse_args().blocks)}")


def run(blocks: int) -> Path:
    """Make a chain of `blocks` blocks and collect it with both, several times."""
    work = WORK / "collect"
    shutil.rmtree(work, ignore_errors=True)
    result: dict[str, Any] = {
        "case": "collect",
        "title": f"{blocks * LOGS_IN_A_BLOCK:,} logs of {blocks:,} blocks from a local node",
        "tool": "Assay",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {"blocks": blocks, "logs_in_a_block": LOGS_IN_A_BLOCK, "repeats": REPEATS},
        "runs": [],
    }
    try:
        with LocalNode() as node:
            _fill(Rpc(node.url), blocks)
            for kind, called in KINDS.items():
                result["runs"].append(_measured(node.url, kind, blocks, work))
                print(f"  {called}: {result['runs'][-1]['rows_per_second']:,.0f} rows a second", flush=True)
        first, second = (run_["sha256"] for run_ in result["runs"])
        result["figures"] = {"same_content": first == second}
    except Exception as error:  # noqa: BLE001 - a failure is the result
        result |= {"status": "failed", "failure": failure(error)}
    result["load_average_after"] = machine.load_average()
    shutil.rmtree(work, ignore_errors=True)
    return results.write("collect", result)


def _fill(rpc: Rpc, blocks: int) -> None:
    """Deploy a contract that emits 20 logs when it is called, and call it once a block."""
    topic = "ab" * 32
    code = f"7f{topic}60205fa1" * LOGS_IN_A_BLOCK + "00"
    size = f"{len(code) // 2:04x}"
    account = rpc.ask("eth_accounts")[0]
    sent = rpc.ask("eth_sendTransaction", {"from": account, "data": f"0x61{size}600c5f3961{size}5ff3{code}"})
    contract = None
    while contract is None:
        receipt = rpc.ask("eth_getTransactionReceipt", sent)
        contract = receipt and receipt["contractAddress"]
        time.sleep(0.02)
    call = {"from": account, "to": contract, "gas": hex(1_000_000)}
    while rpc.head() < blocks:
        rpc.ask("eth_sendTransaction", call)


def _measured(url: str, kind: str, blocks: int, work: Path) -> dict[str, Any]:
    """The fastest of several collections into an empty folder."""
    source = {"name": "pool", "kind": kind, "rpc": url, "end_block": blocks, "reorg_buffer": 0, "chunk_size": 500}
    task = Task.model_validate(
        {
            "schema": "assay-task/1",
            "name": "collect",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": "y", "type": "regression"},
            "protocol": {"chain": "local"},
            "data": {"sources": [source]},
        }
    )
    seconds, rows, digest = [], 0, ""
    for repeat in range(REPEATS):
        project = work / f"{kind}-{repeat}"
        project.mkdir(parents=True)
        start = time.perf_counter()
        collect(task, project)
        seconds.append(time.perf_counter() - start)
        frames = [_read(chunk.path) for chunk in chunks(project / "chain" / "pool")]
        rows, digest = sum(frame.height for frame in frames), hash_frames(frames)
    return {"kind": kind, "rows": rows, "seconds": seconds, "rows_per_second": rows / min(seconds), "sha256": digest}


def _read(path: Path) -> Any:
    import polars as pl

    return pl.read_parquet(path)


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read("collect")
    if result is None:
        return ""
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.collect` collects blocks and logs of Anvil on the same machine, with Cryo and with",
        f"plain JSON-RPC; the fastest of {result['configuration']['repeats']} collections into an empty folder.",
        "",
        "| collector | rows | seconds | rows a second |",
        "|---|---:|---:|---:|",
    ]
    for run_ in result["runs"]:
        seconds = min(run_["seconds"])
        lines.append(f"| {KINDS[run_['kind']]} | {run_['rows']:,} | {seconds:.2f} | {run_['rows_per_second']:,.0f} |")
    if result.get("figures", {}).get("same_content"):
        lines += ["", "Both wrote the same rows: their content hashes are equal."]
    if result["status"] == "failed":
        lines += ["", f"It failed: {result['failure']['message']}"]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
