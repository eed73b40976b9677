"""From a node's answers to the rows of Cryo's datasets: the same columns, of the same types, in the same order."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import polars as pl

Row = dict[str, Any]

_BYTES, _U32, _U64, _TEXT, _FLOAT, _BOOL = "bytes", "u32", "u64", "text", "float", "bool"
_VALUE = {"value_binary": _BYTES, "value_string": _TEXT, "value_f64": _FLOAT}
COLUMNS: dict[str, dict[str, str]] = {
    "blocks": {
        "block_hash": _BYTES,
        "parent_hash": _BYTES,
        "author": _BYTES,
        "block_number": _U32,
        "gas_used": _U64,
        "extra_data": _BYTES,
        "timestamp": _U32,
        "base_fee_per_gas": _U64,
    },
    "transactions": {
        "block_number": _U32,
        "transaction_index": _U64,
        "transaction_hash": _BYTES,
        "nonce": _U64,
        "from_address": _BYTES,
        "to_address": _BYTES,
        **_VALUE,
        "input": _BYTES,
        "gas_limit": _U64,
        "gas_used": _U64,
        "gas_price": _U64,
        "transaction_type": _U32,
        "max_priority_fee_per_gas": _U64,
        "max_fee_per_gas": _U64,
        "success": _BOOL,
        "n_input_bytes": _U32,
        "n_input_zero_bytes": _U32,
        "n_input_nonzero_bytes": _U32,
    },
    "logs": {
        "block_number": _U32,
        "block_hash": _BYTES,
        "transaction_index": _U32,
        "log_index": _U32,
        "transaction_hash": _BYTES,
        "address": _BYTES,
        "topic0": _BYTES,
        "topic1": _BYTES,
        "topic2": _BYTES,
        "topic3": _BYTES,
        "data": _BYTES,
    },
    "erc20_transfers": {
        "block_number": _U32,
        "transaction_index": _U32,
        "log_index": _U32,
        "transaction_hash": _BYTES,
        "erc20": _BYTES,
        "from_address": _BYTES,
        "to_address": _BYTES,
        **_VALUE,
    },
    "native_transfers": {
        "block_number": _U32,
        "block_hash": _BYTES,
        "transaction_index": _U32,
        "transfer_index": _U32,
        "transaction_hash": _BYTES,
        "from_address": _BYTES,
        "to_address": _BYTES,
        **_VALUE,
    },
    "contracts": {
        "block_number": _U32,
        "block_hash": _BYTES,
        "create_index": _U32,
        "transaction_hash": _BYTES,
        "contract_address": _BYTES,
        "deployer": _BYTES,
        "factory": _BYTES,
        "init_code": _BYTES,
        "code": _BYTES,
        "init_code_hash": _BYTES,
        "n_init_code_bytes": _U32,
        "n_code_bytes": _U32,
        "code_hash": _BYTES,
    },
    "traces": {
        "action_from": _BYTES,
        "action_to": _BYTES,
        "action_value": _TEXT,
        "action_gas": _U32,
        "action_input": _BYTES,
        "action_call_type": _TEXT,
        "action_init": _BYTES,
        "action_reward_type": _TEXT,
        "action_type": _TEXT,
        "result_gas_used": _U32,
        "result_output": _BYTES,
        "result_code": _BYTES,
        "result_address": _BYTES,
        "trace_address": _TEXT,
        "subtraces": _U32,
        "transaction_index": _U32,
        "transaction_hash": _BYTES,
        "block_number": _U32,
        "block_hash": _BYTES,
        "error": _TEXT,
    },
}
"""Columns of each dataset, in Cryo's order; `chain_id` follows."""


def frame(dataset: str, rows: Iterable[Row], chain: int) -> pl.DataFrame:
    """Rows as Cryo writes them; raises OverflowError or TypeError where a value does not fit its column."""
    import polars as pl

    types = {
        _BYTES: pl.Binary,
        _U32: pl.UInt32,
        _U64: pl.UInt64,
        _TEXT: pl.String,
        _FLOAT: pl.Float64,
        _BOOL: pl.Boolean,
    }
    schema = {name: types[kind] for name, kind in COLUMNS[dataset].items()}
    made = pl.DataFrame(list(rows), schema=schema, strict=True)
    return made.with_columns(pl.lit(chain, dtype=pl.UInt64).alias("chain_id"))


def number(text: str | int | None) -> int | None:
    """A quantity of JSON-RPC; None if it is absent."""
    return text if text is None or isinstance(text, int) else int(text, 16)


def raw(text: str | None) -> bytes | None:
    """Bytes of JSON-RPC; None if they are absent."""
    if text is None:
        return None
    if not text.startswith("0x"):
        raise ValueError(f"{text[:20]!r} are no bytes")
    return bytes.fromhex(text[2:])


def _value(text: str) -> Row:
    amount = int(text, 16)
    return {"value_binary": amount.to_bytes(32, "big"), "value_string": str(amount), "value_f64": float(amount)}


def blocks(answers: Sequence[Row | None]) -> Iterator[Row]:
    """Rows of blocks; one that the node does not have is left out, and missed by the caller."""
    for block in answers:
        if block is not None:
            yield {
                "block_hash": raw(block["hash"]),
                "parent_hash": raw(block["parentHash"]),
                "author": raw(block["miner"]),
                "block_number": number(block["number"]),
                "gas_used": number(block["gasUsed"]),
                "extra_data": raw(block["extraData"]),
                "timestamp": number(block["timestamp"]),
                "base_fee_per_gas": number(block.get("baseFeePerGas")),
            }


def transactions(answers: Sequence[Row | None], receipts: Sequence[Sequence[Row] | None]) -> Iterator[Row]:
    """Rows of transactions, with what their receipts say."""
    for block, own in zip(answers, receipts, strict=True):
        paid = {receipt["transactionHash"]: receipt for receipt in own or ()}
        for sent in (block or {}).get("transactions", ()):
            data, receipt = raw(sent["input"]) or b"", paid[sent["hash"]]
            status = number(receipt.get("status"))
            yield {
                "block_number": number(sent["blockNumber"]),
                "transaction_index": number(sent["transactionIndex"]),
                "transaction_hash": raw(sent["hash"]),
                "nonce": number(sent["nonce"]),
                "from_address": raw(sent["from"]),
                "to_address": raw(sent.get("to")),
                **_value(sent["value"]),
                "input": data,
                "gas_limit": number(sent["gas"]),
                "gas_used": number(receipt["gasUsed"]),
                "gas_price": number(sent.get("gasPrice")),
                "transaction_type": number(sent.get("type")),
                "max_priority_fee_per_gas": number(sent.get("maxPriorityFeePerGas")),
                "max_fee_per_gas": number(sent.get("maxFeePerGas")),
                "success": None if status is None else status == 1,
                "n_input_bytes": len(data),
                "n_input_zero_bytes": data.count(0),
                "n_input_nonzero_bytes": len(data) - data.count(0),
            }


def logs(answers: Iterable[Row]) -> Iterator[Row]:
    """Rows of logs; raises ValueError for one that a reorganisation removed."""
    for log in answers:
        if log.get("removed"):
            raise ValueError("a log was removed by a reorganisation")
        topics = [raw(topic) for topic in log["topics"]]
        yield {
            "block_number": number(log["blockNumber"]),
            "block_hash": raw(log["blockHash"]),
            "transaction_index": number(log["transactionIndex"]),
            "log_index": number(log["logIndex"]),
            "transaction_hash": raw(log["transactionHash"]),
            "address": raw(log["address"]),
            **{f"topic{at}": topics[at] if at < len(topics) else None for at in range(4)},
            "data": raw(log["data"]),
        }


def transfers(answers: Iterable[Row]) -> Iterator[Row]:
    """Rows of ERC-20 transfers: logs of three topics and one word; those of ERC-721 have four topics."""
    for log in logs(answers):
        if log["topic2"] is not None and log["topic3"] is None and len(log["data"]) == 32:
            yield {
                **{name: log[name] for name in ("block_number", "transaction_index", "log_index", "transaction_hash")},
                "erc20": log["address"],
                "from_address": log["topic1"][-20:],
                "to_address": log["topic2"][-20:],
                **_value("0x" + log["data"].hex()),
            }


def of(answers: Iterable[Row], contracts_: Sequence[str]) -> list[Row]:
    """Traces that go to some contracts; all if none are named."""
    found = list(answers)
    return [one for one in found if one["action"].get("to") in contracts_] if contracts_ else found


def traces(answers: Iterable[Row]) -> Iterator[Row]:
    """Rows of traces."""
    for trace in answers:
        action, result = trace["action"], trace.get("result") or {}
        kind = trace["type"]
        value = action.get("value", action.get("balance"))
        yield {
            "action_from": raw(action.get("from", action.get("address", action.get("author")))),
            "action_to": raw(action.get("to", action.get("refundAddress"))),
            "action_value": None if value is None else str(number(value)),
            "action_gas": number(action.get("gas")),
            "action_input": raw(action.get("input")),
            "action_call_type": action.get("callType"),
            "action_init": raw(action.get("init")),
            "action_reward_type": action.get("rewardType"),
            "action_type": kind,
            "result_gas_used": number(result.get("gasUsed")),
            "result_output": raw(result.get("output")),
            "result_code": raw(result.get("code")),
            "result_address": raw(result.get("address")),
            "trace_address": "_".join(str(place) for place in trace["traceAddress"]),
            "subtraces": trace["subtraces"],
            "transaction_index": trace.get("transactionPosition"),
            "transaction_hash": raw(trace.get("transactionHash")),
            "block_number": number(trace["blockNumber"]),
            "block_hash": raw(trace["blockHash"]),
            "error": trace.get("error"),
        }


def payments(answers: Iterable[Row]) -> Iterator[Row]:
    """Rows of native transfers: calls, creations and what contracts leave when they end, numbered in each block."""
    for _, own in groupby(answers, key=lambda trace: trace["blockNumber"]):
        index = 0
        for trace in own:
            action, result = trace["action"], trace.get("result") or {}
            if trace["type"] == "reward":
                continue
            ends = trace["type"] == "suicide"
            to = action.get("refundAddress") if ends else action.get("to", result.get("address"))
            yield {
                **_place(trace),
                "transaction_index": trace.get("transactionPosition"),
                "transfer_index": index,
                "from_address": raw(action["address" if ends else "from"]),
                "to_address": raw(to) or bytes(20),
                **_value(action["balance" if ends else "value"]),
            }
            index += 1


def contracts(answers: Iterable[Row]) -> Iterator[Row]:
    """Rows of contracts that were created, numbered in each block; the deployer is who sent the transaction."""
    for _, own in groupby(answers, key=lambda trace: trace["blockNumber"]):
        index, sender = 0, None
        for trace in own:
            action, result = trace["action"], trace.get("result") or {}
            if not trace["traceAddress"] and "from" in action:
                sender = raw(action["from"])
            if trace["type"] != "create" or "address" not in result:
                continue
            init, code = raw(action["init"]) or b"", raw(result["code"]) or b""
            yield {
                **_place(trace),
                "create_index": index,
                "contract_address": raw(result["address"]),
                "deployer": sender,
                "factory": raw(action["from"]),
                "init_code": init,
                "code": code,
                # Cryo calls each hash by the other's name, and files of both collectors have to be one table.
                "init_code_hash": keccak256(code),
                "n_init_code_bytes": len(init),
                "n_code_bytes": len(code),
                "code_hash": keccak256(init),
            }
            index += 1


def _place(trace: Row) -> Row:
    return {
        "block_number": number(trace["blockNumber"]),
        "block_hash": raw(trace["blockHash"]),
        "transaction_hash": raw(trace.get("transactionHash")),
    }
