import polars as pl
import pytest
from eth_abi import encode
from tests.unit.data.small import POOL, SWAP, SWAP_TOPIC, SWAP_TYPES, log, swaps

from assay.data.errors import AbiMismatch, ColumnMissing, TooFewRows
from assay.data.events.abi import from_signature
from assay.data.events.decode import decode
from assay.data.expressions import wide
from assay.data.tables.gates import Quarantine
from assay.data.tables.table import Table
from assay.task.data import Event

EVENT = from_signature(SWAP)
NAMED = "amountIn amountIn_raw"


def table(rows, parts=3):
    from tests.unit.data.small import LOG_TYPES

    frame = pl.DataFrame(rows, schema=LOG_TYPES)
    size = max(1, -(-frame.height // parts))
    pieces = tuple(frame.lazy().slice(start, size) for start in range(0, max(frame.height, 1), size))
    return Table("pool.logs", pieces, "0" * 64, "chain/pool", ("block_number", "log_index"))


def decoded(rows, event=EVENT, quarantine=None, named=NAMED, **options):
    spec = Event(name="swap", **({"signature": SWAP} | options))
    return decode(table(rows), spec, event, quarantine or Quarantine(), named).frame()


def test_columns_are_what_the_contract_emitted():
    rows, values = swaps(0, 40)
    found = decoded(rows, decimals={"amountIn": 18})
    assert found["block_number"].to_list() == [value[0] for value in values]
    assert found["log_index"].to_list() == [value[1] for value in values]
    assert found["amountIn_raw"].to_list() == [value[2] for value in values]
    assert found["amountIn"].to_list() == pytest.approx([value[2] / 1e18 for value in values], rel=1e-15)
    assert found["amountOut"].to_list() == [value[3] for value in values]
    assert found["fee"].to_list() == [value[4] for value in values]
    assert found["up"].to_list() == [value[5] for value in values]
    assert found["sender"].unique().to_list() == [b"\x11" * 20]
    assert (found.schema["amountIn_raw"], found.schema["fee"]) == (pl.Int128, pl.UInt64)


def test_other_events_and_other_contracts_are_left_alone():
    rows, _ = swaps(0, 20)
    other = log(3, 99, [1, 1, 1, True], topic=b"\x07" * 32)
    elsewhere = log(3, 98, [1, 1, 1, True], address="0x" + "cd" * 20)
    assert decoded([*rows, other, elsewhere], contract=POOL).height == len(rows)
    assert decoded([*rows, other, elsewhere]).height == len(rows) + 1


def test_hexadecimal_text_is_read_as_bytes_are():
    rows, _ = swaps(0, 20)
    fields = ("address", "topic0", "topic1", "topic2", "topic3", "data")
    texts = [row | {name: None if row[name] is None else "0x" + row[name].hex() for name in fields} for row in rows]
    frame = pl.DataFrame(texts, schema_overrides={"topic2": pl.String, "topic3": pl.String})
    logs = Table("pool.logs", (frame.lazy(),), "0" * 64, "chain/pool", ("block_number", "log_index"))
    found = decode(logs, Event(name="swap", signature=SWAP), EVENT, Quarantine(), NAMED).frame()
    expected = decoded(rows)
    assert found.drop("block_number", "log_index", "transaction_index").equals(
        expected.drop("block_number", "log_index", "transaction_index")
    )


def test_bytes_and_strings_of_any_length():
    signature = "event Note(uint256 id, string memo, bytes raw, bytes4 kind, string indexed topic)"
    event = from_signature(signature)
    memos = ["", "hello", "ü" * 40, "x" * 100]
    rows = [
        log(
            n,
            0,
            [n, memo, memo.encode() * 2, b"\1\2\3\4"],
            types=["uint256", "string", "bytes", "bytes4"],
            topic=event.topic,
            topic1=b"\x05" * 32,
        )
        for n, memo in enumerate(memos)
    ]
    found = decode(table(rows), Event(name="note", signature=signature), event, Quarantine(), NAMED).frame()
    assert found["memo"].to_list() == memos
    assert found["raw"].to_list() == [memo.encode() * 2 for memo in memos]
    assert found["kind"].to_list() == [b"\1\2\3\4"] * 4
    assert found["topic"].to_list() == [b"\x05" * 32] * 4


def test_a_length_that_lies_gives_no_value():
    signature = "event Note(string memo)"
    event = from_signature(signature)
    word = (32).to_bytes(32, "big")
    rows = [
        log(
            0, 0, [], types=[], topic=event.topic, data=word + (2**64 - 1).to_bytes(32, "big") + b"a" * 32, topic1=None
        ),
        log(0, 1, [], types=[], topic=event.topic, data=(2**64 - 1).to_bytes(32, "big"), topic1=None),
    ]
    found = decode(table(rows), Event(name="note", signature=signature), event, Quarantine(), NAMED).frame()
    assert found["memo"].to_list() == [None, None]


GOOD = log(1, 0, [1, 1, 1, True])
BAD = {
    "one word more": log(1, 1, [1, 1, 1, True], data=encode([*SWAP_TYPES, "uint256"], [1, 1, 1, True, 5])),
    "one word less": log(1, 1, [1, 1, 1], types=SWAP_TYPES[:3]),
    "cut within a word": log(1, 1, [1, 1, 1, True], data=encode(SWAP_TYPES, [1, 1, 1, True])[:-1]),
    "no data": log(1, 1, [], types=[], data=None),
    "an integer wider than its type": log(1, 1, [1, 1, 2**32, True], types=["uint256", "int256", "uint256", "bool"]),
    "a bool that is none": log(1, 1, [1, 1, 1, 2], types=["uint256", "int256", "uint32", "uint8"]),
    "an address with more than 20 bytes": log(1, 1, [1, 1, 1, True], topic1=b"\xff" * 32),
    "an indexed parameter missing": log(1, 1, [1, 1, 1, True], topic1=None),
    "an indexed parameter more": log(1, 1, [1, 1, 1, True], topic2=bytes(32)),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_logs_that_do_not_fit_are_refused_or_set_aside(bad):
    with pytest.raises(AbiMismatch, match="log 1 of block 1 in chain/pool"):
        decoded([GOOD, bad])
    quarantine = Quarantine()
    assert decoded([GOOD, bad], quarantine=quarantine, on_mismatch="quarantine").height == 1
    aside = quarantine.frame()
    assert (aside["table"][0], aside["reason"][0]) == ("swap", "does not fit the event's types")
    assert '"log_index":1' in aside["row"][0]


def test_an_event_that_is_not_there_names_those_that_are():
    rows, _ = swaps(0, 20)
    other = from_signature("event Swap(address indexed sender, uint256 amountIn)")
    with pytest.raises(AbiMismatch, match=f"0x{SWAP_TOPIC.hex()} \\({len(rows)}\\)"):
        decoded(rows, event=other)


def test_integers_beyond_127_bits_need_decimals():
    rows = [log(1, 0, [2**200, 1, 1, True])]
    with pytest.raises(AbiMismatch, match="more than 127 bits"):
        decoded(rows)
    found = decoded(rows, decimals={"amountIn": 18}, named="amountIn")
    assert found["amountIn"].to_list() == [2**200 / 10**18]
    assert "amountIn_raw" not in found.columns
    # The exact integer is asked for, and no column can hold it: it is not left out silently.
    with pytest.raises(AbiMismatch, match="NAME instead of NAME_raw"):
        decoded(rows, decimals={"amountIn": 18})


def test_integers_of_all_256_bits_are_exact_where_asked_for():
    amounts = [(2**256 - 1, -(2**255)), (0, 2**255 - 1), (5, -1)]
    rows = [log(1, place, [*amount, 1, True]) for place, amount in enumerate(amounts)]
    spec = Event(name="swap", signature=SWAP)
    found = decode(table(rows, parts=1), spec, EVENT, Quarantine(), NAMED, wide=True).frame()
    for at, name in enumerate(("amountIn", "amountOut")):
        assert wide.integers(found[name].struct.field(wide.FIELD)).tolist() == [amount[at] for amount in amounts]


def test_decimals_of_a_parameter_that_is_not_there():
    with pytest.raises(ColumnMissing, match="Did you mean amountIn"):
        decoded([GOOD], decimals={"amounIn": 18})


def test_a_table_that_holds_no_logs():
    frame = pl.DataFrame({"block_number": [1]}).lazy()
    with pytest.raises(ColumnMissing, match="topic0"):
        decode(Table("x", (frame,), "", "x"), Event(name="swap", signature=SWAP), EVENT, Quarantine(), NAMED)


def test_where_there_is_no_log_at_all_it_is_said():
    nothing = decode(table([]), Event(name="swap", signature=SWAP), EVENT, Quarantine(), NAMED)
    with pytest.raises(TooFewRows, match="there is no log in chain/pool"):
        raise nothing.nothing()
