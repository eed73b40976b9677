"""Cryo-shaped logs on the disk to features: time, memory, and whether the time is linear in the rows.

    python -m benchmarks.data [--rows 20000000]

Writes results/data.json. The logs are synthetic: swaps of a constant-product pool in Uniswap V2's event, and as
many others that are not asked for, 20 to a block; the amounts have 18 and 6 decimals and up to 100 bits. The files
have the names, columns and types that Cryo's have. Making them is not measured; reading and hashing them is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import machine, results
from benchmarks.measure import Limits, failure, memory_in_use_bytes, peak_memory_bytes, run_stage
from benchmarks.work import WORK

SIGNATURE = (
    "event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, "
    "uint256 amount1Out, address indexed to)"
)
LOGS_IN_A_BLOCK = 20
BLOCKS_IN_A_FILE = 10_000
BLOCK_SECONDS = 12
SHARE_OF_SWAPS = 0.5
GENESIS = 1_700_000_000
STEPS = (0.25, 0.5, 1.0)


def main() -> None:
    """Make the logs, measure in growing steps, write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--measure", nargs=2, metavar=("PROJECT", "RESULT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        project, result = (Path(path) for path in options.measure)
        result.write_text(json.dumps(_measure(project)), encoding="utf-8")
        return
    print(f"wrote {run(options.rows)}")


def run(rows: int) -> Path:
    """Measure `rows` logs and parts of them, each in a process of its own."""
    work = WORK / "data"
    shutil.rmtree(work, ignore_errors=True)
    logs = work / "logs"
    size = generate(logs, rows)
    result: dict[str, Any] = {
        "case": "data",
        "title": f"{rows:,} Cryo-shaped log rows to features",
        "tool": "Assay",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {"bytes_on_disk": size, "logs_in_a_block": LOGS_IN_A_BLOCK, "share_decoded": SHARE_OF_SWAPS},
        "runs": [],
    }
    try:
        for step in STEPS:
            blocks = int(rows * step) // LOGS_IN_A_BLOCK
            project = work / f"project-{step:g}"
            _project(project, logs, blocks)
            module = [sys.executable, "-m", "benchmarks.data", "--measure", str(project)]
            measured = run_stage("build", module, limits=Limits(seconds=3600), cwd=machine.ROOT)
            result["runs"].append({"log_rows": blocks * LOGS_IN_A_BLOCK, **measured})
            print(f"  {blocks * LOGS_IN_A_BLOCK:,} rows: {measured['seconds']:.1f} s", flush=True)
    except Exception as error:  # noqa: BLE001 - a failure is the result
        result |= {"status": "failed", "failure": failure(error)}
    result["load_average_after"] = machine.load_average()
    result["figures"] = _figures(result["runs"])
    shutil.rmtree(work)
    return results.write("data", result)


def _figures(runs: list[dict[str, Any]]) -> dict[str, Any]:
    if not runs:
        return {}
    last, first = runs[-1], runs[0]
    return {
        "log_rows": last["log_rows"],
        "build_seconds": last["seconds"],
        "build_memory_bytes": max(run["peak_memory_bytes"] for run in runs),
        "rows_per_second": last["log_rows"] / last["seconds"],
        # 1 is linear; above 1 a row costs more the more there are.
        "seconds_per_row_against_first_step": (last["seconds"] / last["log_rows"])
        / (first["seconds"] / first["log_rows"]),
    }


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read("data")
    if result is None:
        return ""
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.data` makes logs as Cryo writes them, half of them swaps.",
        "They are read, hashed, decoded exactly, checked, gathered into bars of ten minutes",
        "and turned into 12 features, a label and a split.",
        "",
        "| log rows | seconds | rows a second | peak memory | bars |",
        "|---:|---:|---:|---:|---:|",
    ]
    for run_ in result["runs"]:
        rows, seconds, memory = run_["log_rows"], run_["seconds"], run_["peak_memory_bytes"] / 1e9
        lines.append(f"| {rows:,} | {seconds:.1f} | {rows / seconds:,.0f} | {memory:.2f} GB | {run_['bars']:,} |")
    ratio = result["figures"].get("seconds_per_row_against_first_step")
    if ratio:
        lines += ["", f"A row of the last run took {ratio:.2f} times as long as one of the first: 1 is linear."]
    if result["status"] == "failed":
        lines += ["", f"It failed: {result['failure']['message']}"]
    return "\n".join([*lines, ""])


def generate(folder: Path, rows: int) -> int:
    """Write logs and blocks as Cryo would, and return their bytes."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(7)
    blocks = rows // LOGS_IN_A_BLOCK
    price = 2000.0
    for first in range(0, blocks, BLOCKS_IN_A_FILE):
        last = min(first + BLOCKS_IN_A_FILE, blocks) - 1
        name = f"{first:08}_to_{last:08}.parquet"
        price = _logs(folder / f"ethereum__logs__{name}", first, last, price, random)
        _blocks(folder / f"ethereum__blocks__{name}", first, last)
    return sum(path.stat().st_size for path in folder.iterdir())


def _logs(path: Path, first: int, last: int, price: float, random: np.random.Generator) -> float:
    import polars as pl

    from assay.data.events.abi import from_signature

    topic = from_signature(SIGNATURE).topic
    number = np.repeat(np.arange(first, last + 1, dtype=np.uint32), LOGS_IN_A_BLOCK)
    count = len(number)
    index = np.tile(np.arange(LOGS_IN_A_BLOCK, dtype=np.uint32), last - first + 1)
    prices = price * np.exp(np.cumsum(random.normal(0, 2e-4, count)))
    tokens = random.lognormal(0, 1.5, count)
    sells = random.random(count) < 0.5
    amounts = np.zeros((4, count))
    amounts[0], amounts[3] = np.where(sells, tokens * 1e18, 0), np.where(sells, tokens * prices * 1e6, 0)
    amounts[1], amounts[2] = np.where(sells, 0, tokens * prices * 1e6), np.where(sells, 0, tokens * 1e18)
    words = np.zeros((count, 4, 32), dtype=np.uint8)
    for at in range(4):
        # Up to 2^100: the high part exactly, the low bits at random.
        high = (amounts[at] // 2.0**32).astype(">u8")
        low = np.where(amounts[at] > 0, random.integers(0, 1 << 32, count), 0).astype(">u4")
        words[:, at, 20:28] = high.view(np.uint8).reshape(count, 8)
        words[:, at, 28:32] = low.view(np.uint8).reshape(count, 4)
    # Amounts were split at 2^32, so that tokens of 18 decimals keep all of theirs.
    swaps = random.random(count) < SHARE_OF_SWAPS
    account = bytes(12) + bytes(range(20))
    frame = pl.DataFrame(
        {
            "block_number": number,
            "transaction_index": index,
            "log_index": index,
            "transaction_hash": _binary(random.integers(0, 256, (count, 32), dtype=np.uint8)),
            "address": [bytes(range(20))] * count,
            "topic0": [topic if swap else b"\x01" * 32 for swap in swaps],
            "topic1": [account] * count,
            "topic2": [account] * count,
            "topic3": pl.Series([None] * count, dtype=pl.Binary),
            "data": _binary(words.reshape(count, 128)),
            "chain_id": np.ones(count, dtype=np.uint64),
        }
    )
    frame.write_parquet(path, compression="lz4")
    return float(prices[-1])


def _binary(rows: np.ndarray) -> list[bytes]:
    width = rows.shape[1]
    content = rows.tobytes()
    return [content[at : at + width] for at in range(0, len(content), width)]


def _blocks(path: Path, first: int, last: int) -> None:
    import polars as pl

    number = np.arange(first, last + 1, dtype=np.uint32)
    hashes = [b"\x00" * 28 + int(value).to_bytes(4, "big") for value in range(first, last + 2)]
    pl.DataFrame(
        {
            "block_hash": hashes[1:],
            "parent_hash": hashes[:-1],
            "block_number": number,
            "timestamp": (GENESIS + number * BLOCK_SECONDS).astype(np.uint32),
            "chain_id": np.ones(len(number), dtype=np.uint64),
        }
    ).write_parquet(path, compression="lz4")


def _project(project: Path, logs: Path, blocks: int) -> None:
    """A task over the first blocks: bars of ten minutes and twelve features."""
    folder = project / "chain"
    folder.mkdir(parents=True)
    for path in logs.iterdir():
        if int(path.stem.split("__")[2].split("_")[0]) < blocks:
            (folder / path.name).symlink_to(path)
    task = {
        "schema": "assay-task/1",
        "name": "benchmark",
        "existing": {"kind": "constant", "value": 0.001},
        "predict": {"target": "volatility_next", "type": "regression"},
        "data": {
            "sources": [{"name": "pool", "kind": "cryo", "folder": "chain", "end_block": blocks - 1}],
            "events": [
                {
                    "name": "swap",
                    "signature": SIGNATURE,
                    "decimals": {"amount0In": 18, "amount1In": 6, "amount0Out": 18, "amount1Out": 6},
                }
            ],
            "bars": {"every": "10m", "columns": _bars()},
            "features": _features(),
            "label": {"op": "forward_realised_volatility", "of": "close", "horizon": 6},
        },
    }
    (project / "task.json").write_text(json.dumps(task), encoding="utf-8")


def _bars() -> list[dict[str, str]]:
    price = "(amount1In + amount1Out) / (amount0In + amount0Out)"
    return [
        {"name": "open", "op": "first", "of": price},
        {"name": "high", "op": "max", "of": price},
        {"name": "low", "op": "min", "of": price},
        {"name": "close", "op": "last", "of": price},
        {"name": "bought", "op": "sum", "of": "amount0Out"},
        {"name": "sold", "op": "sum", "of": "amount0In"},
        {"name": "swaps", "op": "count"},
        {"name": "largest", "op": "max", "of": "amount0In + amount0Out"},
    ]


def _features() -> list[dict[str, Any]]:
    return [
        {"name": "return_1", "op": "log_return", "of": "close"},
        {"name": "return_6", "op": "log_return", "of": "close", "periods": 6},
        {"name": "volatility_6", "op": "realised_volatility", "of": "close", "window": 6},
        {"name": "volatility_36", "op": "realised_volatility", "of": "close", "window": 36},
        {"name": "volatility_144", "op": "realised_volatility", "of": "close", "window": 144},
        {"name": "spread", "op": "column", "of": "(high - low) / close"},
        {"name": "volume_6", "op": "volume", "of": "bought + sold", "window": 6},
        {"name": "imbalance_6", "op": "imbalance", "buy": "bought", "sell": "sold", "window": 6},
        {"name": "swaps_mean", "op": "rolling_mean", "of": "swaps", "window": 36},
        {"name": "swaps_now", "op": "column", "of": "swaps"},
        {"name": "hour", "op": "calendar", "part": "hour"},
        {"name": "since_large", "op": "time_since", "when": "largest > 100"},
    ]


def _measure(project: Path) -> dict[str, Any]:
    from assay.data.build import build
    from assay.task.task import Task

    task = Task.model_validate_json((project / "task.json").read_text(encoding="utf-8"))
    steps: list[tuple[str, float]] = []
    before = memory_in_use_bytes()
    start = time.perf_counter()
    dataset = build(task, project, project / "data", lambda what: steps.append((what, time.perf_counter() - start)))
    seconds = time.perf_counter() - start
    rows = {part: about.rows for part, about in dataset.manifest.rows.items()}
    return {
        "seconds": seconds,
        "steps": steps,
        "memory_before_bytes": before,
        "peak_memory_bytes": peak_memory_bytes(),
        "bars": sum(rows.values()),
        "features": len(dataset.features),
        "content_hash": dataset.hash,
    }


if __name__ == "__main__":
    main()
