"""Small projects, Cryo-shaped files, and an independent encoder of logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from eth_abi import encode
from eth_utils import keccak

from assay.data.build import build
from assay.task.task import Task

if TYPE_CHECKING:
    from pathlib import Path

GENESIS = 1_700_000_000
POOL = "0x" + "ab" * 20
SWAP = "event Swap(address indexed sender, uint256 amountIn, int256 amountOut, uint32 fee, bool up)"
SWAP_TYPES = ["uint256", "int256", "uint32", "bool"]
SWAP_TOPIC = keccak(text="Swap(address,uint256,int256,uint32,bool)")


def make_task(data, *, target="y", kind="regression", **sections):
    """A task with this [data] section."""
    return Task.model_validate(
        {
            "schema": "assay-task/1",
            "name": "test",
            "existing": {"kind": "constant", "value": 0.0},
            "predict": {"target": target, "type": kind},
            "data": data,
            **sections,
        }
    )


def word(value):
    """An address or integer as a topic."""
    return value.to_bytes(32, "big") if isinstance(value, int) else bytes(12) + value


def log(block, index, values, *, types=SWAP_TYPES, topic=SWAP_TOPIC, sender=b"\x11" * 20, address=POOL, **other):
    """One row of Cryo's logs."""
    row = {
        "block_number": block,
        "transaction_index": 0,
        "log_index": index,
        "transaction_hash": keccak(f"{block} {index}".encode()),
        "address": bytes.fromhex(address[2:]),
        "topic0": topic,
        "topic1": word(sender),
        "topic2": None,
        "topic3": None,
        "data": encode(types, values),
        "chain_id": 31337,
    }
    return row | other


LOG_TYPES = {
    "block_number": pl.UInt32,
    "transaction_index": pl.UInt32,
    "log_index": pl.UInt32,
    "transaction_hash": pl.Binary,
    "address": pl.Binary,
    "topic0": pl.Binary,
    "topic1": pl.Binary,
    "topic2": pl.Binary,
    "topic3": pl.Binary,
    "data": pl.Binary,
    "chain_id": pl.UInt64,
}


def block_hash(number, branch=0):
    return keccak(f"block {number} {branch}".encode())


def blocks_frame(first, last, *, seconds=12):
    numbers = range(first, last + 1)
    return pl.DataFrame(
        {
            "block_hash": [block_hash(n) for n in numbers],
            "parent_hash": [block_hash(n - 1) for n in numbers],
            "block_number": list(numbers),
            "timestamp": [GENESIS + seconds * n for n in numbers],
            "chain_id": [31337] * len(numbers),
        },
        schema_overrides={"block_number": pl.UInt32, "timestamp": pl.UInt32, "chain_id": pl.UInt64},
    )


def write_chain(folder: Path, logs, first=0, last=99, chunk=50, *, blocks=None):
    """Write logs and blocks as Cryo names and cuts them."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame(logs, schema=LOG_TYPES)
    blocks = blocks_frame(first, last) if blocks is None else blocks
    for start in range(first, last + 1, chunk):
        end = min(start + chunk - 1, last)
        within = pl.col("block_number").is_between(start, end)
        for dataset, rows in (("logs", frame), ("blocks", blocks)):
            name = f"network_31337__{dataset}__{start:08}_to_{end:08}.parquet"
            rows.filter(within).write_parquet(folder / name)
    return folder


def swaps(first=0, last=99, per_block=3, seed=0):
    """Random swaps: rows, and the values they were made of."""
    random = np.random.default_rng(seed)
    rows, values = [], []
    for block in range(first, last + 1):
        for index in range(int(random.integers(0, per_block + 1))):
            amount = int(random.integers(1, 1 << 62)) * int(random.integers(1, 1 << 30))
            out = -int(random.integers(1, 1 << 62))
            fee, up = int(random.integers(0, 1 << 32)), bool(random.random() < 0.5)
            rows.append(log(block, index, [amount, out, fee, up]))
            values.append((block, index, amount, out, fee, up))
    return rows, values


def tabular(rows=200, seed=0):
    """A table with two features that tell something of y, and noise."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=rows), random.integers(0, 9, rows)
    return pl.DataFrame({"a": a, "b": b, "y": a + 0.3 * b + random.normal(size=rows)})


CSV = {"name": "rows", "kind": "csv", "path": "rows.csv"}
SECONDS = {"time_unit": "s"}
"""Of tests whose times are small numbers: that they count seconds is no guess that can be made."""


def built(project, frame, *, kind="regression", target="y", source=None, **data):
    frame.write_csv(project / "rows.csv")
    task = make_task({"sources": [CSV | (source or {})], **data}, kind=kind, target=target)
    return build(task, project, project / "data")


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
