"""A live row is the dataset's row: each made with the blocks of its own time only, on a real node."""

import math
import random
from types import SimpleNamespace

import polars as pl
import pytest
from tests.unit.data.small import SWAP, make_task, word
from tests.unit.data.sources.test_cryo import BYTECODE, send

from assay.chain.node import LocalNode
from assay.data.build import build
from assay.data.errors import SettingsUnfit, TooFewRows
from assay.data.live import _outcomes, newest, require_followable
from assay.data.sources.rpc import Rpc
from assay.task.data import Label


@pytest.fixture(scope="module")
def chain():
    with LocalNode() as node:
        rpc, luck = Rpc(node.url), random.Random(3)
        pool = send(rpc, data=BYTECODE)["contractAddress"]
        for _ in range(60):
            if luck.random() < 0.2:  # a bar may be empty
                rpc.ask("anvil_mine", hex(luck.randint(1, 4)))
            data = word(b"\x11" * 20) + word(luck.randint(1, 10**20)) + word(7) + word(3) + word(1)
            send(rpc, to=pool, data="0x" + data.hex())
        yield rpc, pool


def live_task(rpc, pool, **changes):
    source = {"name": "pool", "kind": "rpc", "rpc": rpc.url, "contract": pool, "chunk_size": 8, "retries": 0}
    data = {
        "sources": [source | {"end_block": rpc.head(), "reorg_buffer": 0}],
        "events": [{"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}}],
        "bars": {
            "every": "2 blocks",
            "columns": [
                {"name": "amount", "op": "sum", "of": "amountIn", "empty": "zero"},
                {"name": "count", "op": "count"},
            ],
        },
        "features": [
            {"name": "amount", "op": "column"},
            {"name": "mean", "op": "rolling_mean", "of": "amount", "window": 3},
            {"name": "before", "op": "lag", "of": "count", "periods": 2},
        ],
        "keep": ["block_number"],
        "label": {"op": "forward_value", "of": "amount"},
        "split": {"train": 0.34, "validation": 0.33, "test": 0.33},
    }
    return make_task(data | changes, protocol={"chain": "local"})


def test_every_live_row_is_the_datasets_row(chain, tmp_path):
    rpc, pool = chain
    task = live_task(rpc, pool)
    (tmp_path / "whole").mkdir()
    (tmp_path / "live").mkdir()
    dataset = build(task, tmp_path / "whole", tmp_path / "dataset")
    rows = dataset.frame()
    names = list(dataset.features)
    wanted = {row["block_number"]: row for row in rows.iter_rows(named=True)}
    found, known = {}, {}
    for block in range(1, rpc.head() + 1):
        try:
            made = newest(task, tmp_path / "live", block, names)
        except TooFewRows:
            continue
        assert made.block <= block
        assert found.setdefault(made.block, made.values) == made.values  # a later block changes no row
        known |= made.outcomes
        # What came of a row is known one bar later, not before.
        assert max(made.outcomes, default=0) < made.block
    assert set(wanted) <= set(found)
    for block, row in wanted.items():
        assert found[block] == tuple(row[name] for name in names), block
    assert {block: known[block] for block in wanted} == {
        block: row[task.predict.target] for block, row in wanted.items()
    }
    assert len(wanted) > 10


def test_every_live_window_is_the_datasets_window(chain, tmp_path):
    rpc, pool = chain
    task = live_task(rpc, pool, window=3)
    (tmp_path / "whole").mkdir()
    (tmp_path / "live").mkdir()
    dataset = build(task, tmp_path / "whole", tmp_path / "dataset")
    wanted = {}
    for part in dataset.manifest.rows:
        blocks = dataset.frame(part)["block_number"].to_list()
        wanted |= dict(zip(blocks, dataset.windows(part).select(dataset.inputs).iter_rows(), strict=True))
    assert len(wanted) > 5
    for block in sorted(wanted)[::3]:
        made = newest(task, tmp_path / "live", block, dataset.inputs)
        assert (made.block, made.values) == (block, wanted[block])
    with pytest.raises(SettingsUnfit, match="no windows of the task's"):
        newest(task, tmp_path / "live", rpc.head(), dataset.features)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bars": None, "features": [{"name": "amountIn", "op": "column"}]}, "no periods"),
        ({"entity": "sender"}, "several series"),
        ({"sources": [{"name": "rows", "kind": "csv", "path": "rows.csv"}], "events": []}, "no periods"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_name(changes, said, chain):
    with pytest.raises(SettingsUnfit, match=said):
        require_followable(live_task(*chain, **changes))


@pytest.mark.parametrize("op", ["forward_return", "forward_log_return"])
def test_an_outcome_that_is_no_number_is_none(op):
    frame = pl.DataFrame({"block_number": range(1, 8), "price": [0.0, 0.0, 5.0, 0.0, 4.0, 2.0, 3.0]})
    label = Label.model_validate({"op": op, "of": "price", "horizon": 1})
    task = SimpleNamespace(predict=SimpleNamespace(target="y", type="regression"), data=SimpleNamespace(label=label))
    found = _outcomes(task, frame)
    # From 0 to 0, from 0 to 5 and from 0 to 4 there is no return; the last bar's is not known yet.
    assert {5: found[5], 6: found[6]} == {5: found[5], 6: found[6]}
    assert not {1, 2, 4, 7} & set(found)
    assert all(math.isfinite(value) for value in found.values())
