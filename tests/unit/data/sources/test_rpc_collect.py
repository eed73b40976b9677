"""Chain data by JSON-RPC: what Cryo would have written, from a real Anvil, through a proxy that misbehaves."""

import importlib.util
from types import SimpleNamespace

import polars as pl
import pytest
from tests.unit.data.proxy import FaultyProxy
from tests.unit.data.small import SWAP, make_task, word
from tests.unit.data.sources.test_cryo import AMOUNTS, BYTECODE, _command, send

from assay.chain.node import LocalNode
from assay.core.keccak import keccak256
from assay.data.build import build
from assay.data.collect import collect
from assay.data.errors import CollectionStopped, RpcUnreachable, RpcWrongChain
from assay.data.sources import cryo_collect, cryo_files
from assay.data.sources.rpc import Rpc
from assay.data.tables.content import hash_frames

DATASETS = ("blocks", "transactions", "logs", "erc20_transfers", "native_transfers", "contracts", "traces")
# A constructor that deploys code, and a contract that emits Transfer(caller, 0x22.., calldata word 0).
_TRANSFER = keccak256(b"Transfer(address,address,uint256)").hex()
_CODE = f"5f355f5260{'22'}337f{_TRANSFER}60205fa300"
TOKEN = f"0x60{len(_CODE) // 2:02x}600a5f3960{len(_CODE) // 2:02x}5ff3{_CODE}"
needs_cryo = pytest.mark.skipif(importlib.util.find_spec("cryo") is None, reason="Cryo has no wheel for this Python")


@pytest.fixture(scope="module")
def chain():
    """A node with swaps, token transfers, payments and creations; and a proxy in front of it."""
    with LocalNode() as node, FaultyProxy(node.url) as proxy:
        rpc = Rpc(node.url)
        pool = send(rpc, data=BYTECODE)["contractAddress"]
        token = send(rpc, data=TOKEN)["contractAddress"]
        for amount in AMOUNTS:
            data = word(b"\x11" * 20) + word(amount) + word(7) + word(3) + word(1)
            send(rpc, to=pool, data="0x" + data.hex())
        for amount in (0, 5, 2**255 + 12345):
            send(rpc, to=token, data="0x" + word(amount).hex())
        send(rpc, to="0x" + "33" * 20, value=hex(10**20 + 7))
        send(rpc, to="0x" + "33" * 20, value=hex(1), gasPrice=hex(10**10), type="0x0")
        yield SimpleNamespace(node=node, proxy=proxy, pool=pool, last=rpc.head(), rpc=rpc)


@pytest.fixture(autouse=True)
def honest(chain):
    chain.proxy.reset()
    chain.proxy.calls.clear()


def chain_task(chain, kind="rpc", **options):
    source = {
        "name": "pool",
        "kind": kind,
        "rpc": chain.proxy.url,
        "contract": chain.pool,
        "chunk_size": 8,
        "retries": 0,
        "end_block": chain.last,
        "reorg_buffer": 0,
        "folder": kind,
    } | options
    data = {
        "sources": [source],
        "events": [{"name": "swap", "signature": SWAP, "decimals": {"amountIn": 18}}],
        "bars": {"every": "1 block", "columns": [{"name": "amount", "op": "sum", "of": "amountIn"}]},
        "features": [{"name": "amount", "op": "column"}],
        "label": {"op": "forward_value", "of": "amount"},
        "split": {"train": 0.34, "validation": 0.33, "test": 0.33},
    }
    return make_task(data, protocol={"chain": "local"})


def collected(folder, dataset):
    files = [chunk.path for chunk in cryo_files.chunks(folder) if chunk.dataset == dataset]
    return pl.concat([pl.read_parquet(file) for file in files])


@needs_cryo
@pytest.mark.parametrize("contract", [False, True])
def test_both_collectors_write_the_same(chain, project, contract):
    for kind in ("cryo", "rpc"):
        more = {} if contract else {"contract": None}
        datasets = [name for name in DATASETS if name not in {"traces", "erc20_transfers"}] if contract else DATASETS
        collect(chain_task(chain, kind, datasets=datasets, **more), project)
    for dataset in datasets:
        cryo, rpc = (collected(project / kind, dataset) for kind in ("cryo", "rpc"))
        assert rpc.schema == cryo.schema, dataset
        for column in cryo.columns:
            assert rpc[column].to_list() == cryo[column].to_list(), (dataset, column)
        assert hash_frames([rpc]) == hash_frames([cryo])
        assert rpc.height > 0
    names = [sorted(path.name for path in (project / kind).glob("*.parquet")) for kind in ("cryo", "rpc")]
    assert names[0] == names[1]


@needs_cryo
def test_a_dataset_of_either_has_one_content_hash(chain, project):
    made = [build(chain_task(chain, kind), project, project / f"data-{kind}") for kind in ("cryo", "rpc")]
    assert made[0].hash == made[1].hash


def test_without_cryo_its_files_are_written_all_the_same(chain, project, monkeypatch):
    monkeypatch.setattr(cryo_collect, "_installed", lambda: False)
    said = []
    collect(chain_task(chain, "cryo"), project, said.append)
    assert "Cryo is not installed: pool is collected by JSON-RPC, into the same files" in said
    assert [chunk.first for chunk in cryo_files.chunks(project / "cryo") if chunk.dataset == "blocks"][:2] == [0, 8]
    # Either collector goes on where the other stopped.
    last = chain.last - 3
    collect(chain_task(chain, "rpc", folder="both", end_block=last), project)
    monkeypatch.undo()
    collect(chain_task(chain, "cryo", folder="both"), project)
    assert collected(project / "both", "blocks")["block_number"].to_list() == list(range(chain.last + 1))


def test_what_is_collected_is_the_chain_and_is_not_asked_for_again(chain, project):
    collect(chain_task(chain), project)
    logs = collected(project / "rpc", "logs")
    assert [int.from_bytes(data[:32], "big") for data in logs["data"]] == AMOUNTS
    chain.proxy.reset()
    chain.proxy.die_after = 0
    collect(chain_task(chain), project)
    assert chain.proxy.seen == 0


def test_a_node_that_dies_half_way_costs_nothing_that_was_collected(chain, project):
    chain.proxy.die_after = 6
    with pytest.raises(RpcUnreachable, match="What was collected is kept"):
        collect(chain_task(chain), project)
    kept = {path.name: path.stat().st_mtime_ns for path in (project / "rpc").glob("*.parquet")}
    chain.proxy.reset()
    collect(chain_task(chain), project)
    after = {path.name: path.stat().st_mtime_ns for path in (project / "rpc").glob("*.parquet")}
    assert kept
    assert kept.items() < after.items()
    assert collected(project / "rpc", "blocks")["block_number"].to_list() == list(range(chain.last + 1))


def test_some_answers_of_429_are_waited_out(chain, project):
    chain.proxy.limit_first = 2
    collect(chain_task(chain, retries=2), project)
    assert collected(project / "rpc", "blocks").height == chain.last + 1


def test_a_slow_node_is_given_up_on(chain, project):
    chain.proxy.delay = 2.0
    with pytest.raises(CollectionStopped, match=r"no answer in 0\.5 s"):
        collect(chain_task(chain, timeout_seconds=0.5), project)


def test_a_full_disk_says_so_and_keeps_what_is_there(chain, project):
    collect(chain_task(chain, end_block=9), project)
    before = {path.name: path.read_bytes() for path in (project / "rpc").glob("*.parquet")}
    (project / "task.json").write_text(chain_task(chain).model_dump_json(by_alias=True))
    process = _command(project, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))")
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.startswith("io/disk-full")) == (2, True), said
    assert {path.name: path.read_bytes() for path in (project / "rpc").glob("*.parquet")} == before


def test_a_node_of_another_chain_and_one_that_withholds_blocks(chain, project):
    chain.proxy.changed = lambda method, result: "0x1" if method == "eth_chainId" else result
    with pytest.raises(RpcWrongChain, match="chain 1"):
        collect(chain_task(chain), project)
    chain.proxy.changed = lambda method, result: None if method == "eth_getBlockByNumber" else result
    with pytest.raises(CollectionStopped, match="the node gave 0 of 8 blocks"):
        collect(chain_task(chain), project)


def test_ranges_and_requests_are_halved_until_the_node_answers(chain, project):
    """A node that gives logs of at most three blocks and takes one question a request."""
    asked = []

    def refuse(body):
        calls = body if isinstance(body, list) else [body]
        asked.append(len(calls))
        if len(calls) > 1:
            return "batches are not supported"
        (call,) = calls
        if call["method"] == "eth_getLogs":
            wanted = call["params"][0]
            if int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) > 2:
                return "query returned more than 10000 results"
        return None

    chain.proxy.refuse = refuse
    try:
        collect(chain_task(chain), project)
    finally:
        chain.proxy.refuse = None
    logs = collected(project / "rpc", "logs")
    assert [int.from_bytes(data[:32], "big") for data in logs["data"]] == AMOUNTS
    assert max(asked) > 1


@pytest.mark.parametrize("answer", [{}, "soon", {"hash": "0x12"}, {"hash": 5, "parentHash": None}])
def test_answers_of_another_shape_are_no_blocks(chain, project, answer):
    chain.proxy.changed = lambda method, result: answer if method == "eth_getBlockByNumber" else result
    with pytest.raises(CollectionStopped, match="blocks 0 to 7 of blocks could not be collected"):
        collect(chain_task(chain), project)
    assert not list((project / "rpc").glob("*.parquet"))
