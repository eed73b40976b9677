"""The real Cryo against a real Anvil, with a proxy between them that misbehaves."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import polars as pl
import pytest
from tests.unit.data.proxy import FaultyProxy
from tests.unit.data.small import SWAP, SWAP_TOPIC, make_task, word

from assay.chain.node import LOCAL_CHAIN_ID, LocalNode
from assay.data.collect import collect
from assay.data.errors import (
    BlocksMissing,
    CollectionStopped,
    DataError,
    Duplicated,
    Reorganised,
    RpcRefused,
    RpcUnreachable,
    RpcWrongChain,
)
from assay.data.sources import cryo_files
from assay.data.sources.rpc import Rpc

# Emits Swap with the first word of the calldata as the sender and the rest as data.
_RUNTIME = f"602036038060205f375f35907f{SWAP_TOPIC.hex()}905fa200"
_SIZE = f"{len(_RUNTIME) // 2:02x}"
BYTECODE = f"0x60{_SIZE}600a5f3960{_SIZE}5ff3{_RUNTIME}"
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("cryo") is None, reason="Cryo has no package for this Python: test_rpc_collect.py"
)
AMOUNTS = [10**24 + n for n in range(30)]


def send(rpc, **transaction):
    account = rpc.ask("eth_accounts")[0]
    sent = rpc.ask("eth_sendTransaction", {"from": account, "gas": hex(1_000_000), **transaction})
    for _ in range(200):
        receipt = rpc.ask("eth_getTransactionReceipt", sent)
        if receipt is not None:
            assert int(receipt["status"], 16) == 1
            return receipt
        time.sleep(0.02)
    raise AssertionError("no receipt")


@pytest.fixture(scope="module")
def chain():
    """A node with 30 swaps of a contract, each in a block of its own; and a proxy in front of it."""
    with LocalNode() as node, FaultyProxy(node.url) as proxy:
        rpc = Rpc(node.url)
        pool = send(rpc, data=BYTECODE)["contractAddress"]
        first = rpc.head() + 1
        for amount in AMOUNTS:
            data = word(b"\x11" * 20) + word(amount) + word(7) + word(3) + word(1)
            send(rpc, to=pool, data="0x" + data.hex())
        yield SimpleNamespace(node=node, proxy=proxy, pool=pool, first=first, last=rpc.head(), rpc=rpc)


@pytest.fixture(autouse=True)
def honest(chain):
    chain.proxy.reset()
    chain.proxy.calls.clear()


def chain_task(chain, **options):
    source = {
        "name": "pool",
        "kind": "cryo",
        "rpc": chain.proxy.url,
        "contract": chain.pool,
        "chunk_size": 8,
        "retries": 0,
        "end_block": chain.last,
        "reorg_buffer": 0,
    } | options
    data = {"sources": [source], "events": [{"name": "swap", "signature": SWAP}]}
    return make_task(data, protocol={"chain": "local"})


def collected(project, dataset):
    files = [chunk.path for chunk in cryo_files.chunks(project / "chain" / "pool") if chunk.dataset == dataset]
    return pl.concat([pl.read_parquet(file) for file in files]) if files else None


def check_whole(chain, project, left=()):
    """Every block once, every swap once, nothing half-written."""
    assert collected(project, "blocks")["block_number"].to_list() == list(range(chain.last + 1))
    logs = collected(project, "logs")
    assert [int.from_bytes(data[:32], "big") for data in logs["data"]] == AMOUNTS
    names = {path.name for path in (project / "chain" / "pool").iterdir()}
    assert all(name.endswith(".parquet") or name in {"collection.json", *left} for name in names)


def test_what_is_collected_is_the_chain(chain, project):
    collect(chain_task(chain), project)
    check_whole(chain, project)
    blocks = collected(project, "blocks")
    assert blocks["parent_hash"][1:].to_list() == blocks["block_hash"][:-1].to_list()


def test_a_complete_folder_needs_no_node(chain, project):
    collect(chain_task(chain), project)
    chain.proxy.reset()
    chain.proxy.die_after = 0
    collect(chain_task(chain), project)
    assert chain.proxy.seen == 0


def test_more_blocks_add_files_and_repeat_none(chain, project):
    collect(chain_task(chain, end_block=chain.first + 10), project)
    asked = set(chain.proxy.blocks_asked())
    chain.proxy.calls.clear()
    collect(chain_task(chain), project)
    assert asked.isdisjoint(chain.proxy.blocks_asked())
    check_whole(chain, project)


@pytest.mark.parametrize("calls", [3, 12, 20, 33])
def test_a_node_that_dies_half_way_costs_nothing_that_was_collected(chain, project, calls):
    chain.proxy.die_after = calls
    with pytest.raises(RpcUnreachable, match="What was collected is kept") as caught:
        collect(chain_task(chain), project)
    assert caught.value.retry
    kept = {path.name: path.stat().st_mtime_ns for path in (project / "chain" / "pool").glob("*.parquet")}
    whole = [chunk for chunk in cryo_files.chunks(project / "chain" / "pool") if chunk.dataset == "blocks"]
    chain.proxy.reset()
    chain.proxy.calls.clear()
    collect(chain_task(chain), project)
    check_whole(chain, project)
    after = {path.name: path.stat().st_mtime_ns for path in (project / "chain" / "pool").glob("*.parquet")}
    assert kept.items() <= after.items()
    again = set(chain.proxy.blocks_asked())
    for chunk in whole:
        assert again.isdisjoint(range(chunk.first, chunk.last + 1))


@pytest.mark.parametrize("method", ["eth_chainId", "eth_getBlockByNumber", "eth_getLogs"])
def test_some_answers_of_429_are_waited_out(chain, project, method):
    limited = []

    def later(asked, result):
        if asked == method and not limited:
            limited.append(method)
            chain.proxy.limit_first = 2
        return result

    chain.proxy.changed = later
    collect(chain_task(chain, retries=4), project)
    assert limited
    assert chain.proxy.limit_first == 0
    check_whole(chain, project)


def test_429_for_ever_says_so(chain, project):
    collect(chain_task(chain, end_block=chain.first), project)
    chain.proxy.status = 429
    with pytest.raises(RpcRefused, match="limits requests") as caught:
        collect(chain_task(chain), project)
    assert caught.value.code == "data/rpc-limited"
    assert caught.value.retry
    assert collected(project, "blocks").height == chain.first + 1


def test_nobody_there(project, chain):
    task = chain_task(chain, rpc="http://127.0.0.1:9")
    with pytest.raises(RpcUnreachable, match=r"no node answers at http://127\.0\.0\.1:9"):
        collect(task, project)
    assert not list(project.rglob("*.parquet"))


def test_an_address_that_is_no_node(project, chain):
    chain.proxy.status = 404
    with pytest.raises(RpcRefused, match="404"):
        collect(chain_task(chain), project)


def test_a_node_of_another_chain(project, chain):
    chain.proxy.changed = lambda method, result: "0x1" if method == "eth_chainId" else result
    with pytest.raises(RpcWrongChain, match="is on chain 1, and the task says chain 31337"):
        collect(chain_task(chain), project)
    assert not list(project.rglob("*.parquet"))


def test_a_node_that_changes_its_chain_half_way(project, chain):
    asked = []

    def lying(method, result):
        if method != "eth_chainId":
            return result
        asked.append(method)
        return result if len(asked) <= 4 else "0x1"

    chain.proxy.changed = lying
    with pytest.raises(RpcWrongChain):
        collect(chain_task(chain), project)
    for dataset in ("blocks", "logs"):
        frame = collected(project, dataset)
        assert frame is None or set(frame["chain_id"]) <= {LOCAL_CHAIN_ID}


def test_a_node_that_withholds_blocks(project, chain):
    chain.proxy.changed = lambda method, result: None if method == "eth_getBlockByNumber" else result
    with pytest.raises(CollectionStopped):
        collect(chain_task(chain), project)
    assert not list(project.rglob("*.parquet"))


def test_a_slow_node_is_given_up_on(project, chain):
    collect(chain_task(chain, end_block=chain.first), project)

    def slow(method, result):
        if method in {"eth_getBlockByNumber", "eth_getLogs"}:
            time.sleep(3)
        return result

    chain.proxy.changed = slow
    with pytest.raises(CollectionStopped, match=r"no answer in 0\.5 s"):
        collect(chain_task(chain, timeout_seconds=0.5), project)
    assert collected(project, "blocks").height == chain.first + 1


def test_blocks_before_the_head_are_left_out_until_they_are_final(project, chain):
    collect(chain_task(chain, end_block="latest", reorg_buffer=5), project)
    assert collected(project, "blocks")["block_number"].max() == chain.last - 5
    other = project / "other"
    with pytest.raises(DataError, match="is not final"):
        collect(chain_task(chain, reorg_buffer=5), other)


def test_a_folder_that_was_collected_otherwise_is_not_mixed(project, chain):
    collect(chain_task(chain, end_block=chain.first), project)
    with pytest.raises(DataError, match="another contract"):
        collect(chain_task(chain, contract="0x" + "12" * 20), project)


def test_an_address_is_taken_from_the_environment_and_its_key_never_shown(project, chain, monkeypatch):
    monkeypatch.setenv("NODE_URL", f"{chain.proxy.url}/v3/secret-key")
    chain.proxy.status = 403
    with pytest.raises(RpcRefused) as caught:
        collect(chain_task(chain, rpc="$NODE_URL"), project)
    assert "secret" not in str(caught.value)
    monkeypatch.delenv("NODE_URL")
    with pytest.raises(DataError, match="the environment has no NODE_URL"):
        collect(chain_task(chain, rpc="$NODE_URL"), project)


def test_every_dataset_can_be_collected(project, chain):
    datasets = ["blocks", "transactions", "logs", "erc20_transfers", "native_transfers", "contracts", "traces"]
    found = collect(chain_task(chain, datasets=datasets, chunk_size=100), project)
    assert [name for name, *_ in found] == [f"pool.{dataset}" for dataset in datasets]
    assert collected(project, "transactions").height == chain.last


def test_files_that_are_missing_or_overlap(project, chain):
    collect(chain_task(chain), project)
    folder = project / "chain" / "pool"
    task = chain_task(chain, rpc=None, folder="chain/pool")
    gone = folder / "network_31337__logs__00000008_to_00000015.parquet"
    kept = gone.read_bytes()
    gone.unlink()
    with pytest.raises(BlocksMissing, match="no logs of blocks 8 to 15"):
        collect(task, project)
    gone.write_bytes(kept)
    shutil.copy(gone, folder / "network_31337__logs__00000012_to_00000014.parquet")
    with pytest.raises(Duplicated, match="blocks 12 to 14 twice"):
        collect(task, project)


def _command(project, code=""):
    program = (
        "import sys; from pathlib import Path; from assay.data.collect import collect;"
        "from assay.task.task import Task;"
        f"{code}\n"
        "try:\n    collect(Task.model_validate_json(Path('task.json').read_text()), '.')\n"
        "except Exception as error:\n    print(error.code, error)\n    sys.exit(2)"
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=project, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_costs_nothing_that_was_collected(project, chain, sign):
    (project / "task.json").write_text(chain_task(chain, chunk_size=4).model_dump_json(by_alias=True))
    chain.proxy.delay = 0.05
    process = _command(project)
    while len(cryo_files.chunks(project / "chain" / "pool")) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sign)
    process.communicate(timeout=60)
    assert process.returncode != 0
    kept = {chunk.path.name for chunk in cryo_files.chunks(project / "chain" / "pool")}
    assert 3 <= len(kept) < 16
    asked = chain.proxy.blocks_asked()
    whole = [chunk for chunk in cryo_files.chunks(project / "chain" / "pool") if chunk.dataset == "blocks"]
    chain.proxy.reset()
    chain.proxy.calls.clear()
    collect(chain_task(chain, chunk_size=4), project)
    again = set(chain.proxy.blocks_asked())
    for chunk in whole:
        assert set(range(chunk.first, chunk.last + 1)) <= set(asked)
        assert again.isdisjoint(range(chunk.first, chunk.last + 1))
    left = [path for path in (project / "chain" / "pool").iterdir() if path.name.startswith(".partial-")]
    assert len(left) == (sign == signal.SIGKILL)
    check_whole(chain, project, {path.name for path in left})
    # Once they are old, they are removed.
    for path in left:
        os.utime(path, (0, 0))
    (project / "chain" / "pool" / min(kept)).unlink()
    collect(chain_task(chain, chunk_size=4), project)
    check_whole(chain, project)


def test_a_full_disk_says_so_and_keeps_what_is_there(project, chain):
    collect(chain_task(chain, end_block=chain.first), project)
    before = {path.name: path.read_bytes() for path in (project / "chain" / "pool").glob("*.parquet")}
    (project / "task.json").write_text(chain_task(chain).model_dump_json(by_alias=True))
    process = _command(project, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))")
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.startswith("io/disk-full"), said
    assert {path.name: path.read_bytes() for path in (project / "chain" / "pool").glob("*.parquet")} == before
    collect(chain_task(chain), project)
    check_whole(chain, project)


def test_a_reorganisation_while_collecting_is_seen(project):
    """Blocks of one branch, logs of another."""
    from assay.data.build import build

    with LocalNode() as node:
        rpc = Rpc(node.url)
        pool = send(rpc, data=BYTECODE)["contractAddress"]
        calldata = "0x" + (word(b"\x11" * 20) + word(5) + word(7) + word(3) + word(1)).hex()
        before = rpc.ask("evm_snapshot")
        for _ in range(4):
            send(rpc, to=pool, data=calldata)
        options = {"rpc": node.url, "contract": pool, "end_block": rpc.head()}
        here = SimpleNamespace(proxy=node, pool=pool, last=rpc.head())
        collect(chain_task(here, datasets=["blocks"], **options), project)
        assert rpc.ask("evm_revert", before)
        rpc.ask("evm_increaseTime", 1000)
        for _ in range(4):
            send(rpc, to=pool, data=calldata)
        with pytest.raises(Reorganised, match="another block"):
            build(_bars(chain_task(here, **options)), project, project / "data")


def _bars(task):
    data = task.data.model_dump(mode="json", exclude_none=True)
    data["bars"] = {"every": "1 blocks", "columns": [{"name": "amount", "op": "last", "of": "amountIn"}]}
    data["label"] = {"op": "forward_value", "of": "amount"}
    return make_task(data, protocol={"chain": "local"})
