"""Chain data collected on a local Ray cluster of two workers: the same dataset as on one machine."""

import pytest
from tests.unit.data.small import make_task
from tests.unit.data.sources.test_rpc_collect import chain, chain_task, honest

from assay.data.build import build
from assay.data.errors import CollectionStopped
from assay.data.sources import cryo_collect, cryo_files

__all__ = ["chain", "honest", "make_task"]


@pytest.fixture(scope="module")
def cluster():
    """Two nodes with one processor each, on this machine."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    try:
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_collects_the_same(chain, cluster, tmp_path):
    task = chain_task(chain)
    here = build(task, tmp_path / "here", tmp_path / "here" / "data")
    told = []
    there = build(task, tmp_path / "there", tmp_path / "there" / "data", told.append, ray=cluster)
    assert there.hash == here.hash
    assert there.manifest == here.manifest
    one, other = (cryo_files.chunks(tmp_path / name / "rpc") for name in ("here", "there"))
    assert [chunk.path.name for chunk in one] == [chunk.path.name for chunk in other]
    assert any(text.startswith("Collecting pool on the cluster") for text in told)
    # A bar is a block, and a range of blocks a file: each of them was decoded and gathered by a worker.
    count = len({chunk.first for chunk in one})
    assert count > 2
    assert f"Decoding and gathering bars on the cluster: {count} of {count} ranges are here" in told
    # What is there is not asked for again, wherever it was collected.
    calls = len(chain.proxy.calls)
    assert build(task, tmp_path / "there", tmp_path / "there" / "data").hash == here.hash
    assert len(chain.proxy.calls) == calls


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_a_cluster_does_not_get_is_said_and_what_it_got_is_kept(chain, cluster, tmp_path):
    last = chain_task(chain).data.sources[0].end_block // 8 * 8

    def refuse(body):
        calls = body if isinstance(body, list) else [body]
        late = [one for one in calls if one["method"] == "eth_getBlockByNumber" and int(one["params"][0], 16) >= last]
        return "no such block" if late else None

    chain.proxy.refuse = refuse
    try:
        with pytest.raises(CollectionStopped, match=f"blocks {last} to .* could not be collected"):
            build(chain_task(chain), tmp_path, tmp_path / "data", ray=cluster)
    finally:
        chain.proxy.refuse = None
    folder = next(tmp_path.rglob("collection.json")).parent
    there = [chunk.first for chunk in cryo_files.chunks(folder) if chunk.dataset == "blocks"]
    assert there == list(range(0, last, 8))


def test_a_file_that_is_not_what_was_asked_for_is_not_put_into_its_place(chain, tmp_path):
    task = chain_task(chain)
    build(task, tmp_path, tmp_path / "data")
    (source,) = task.data.sources
    folder = next(tmp_path.rglob("collection.json")).parent
    there = cryo_files.chunks(folder)
    plan = cryo_collect._plan_at(folder / "collection.json")
    asked = cryo_collect.Asked(source, plan, folder, cryo_collect.Rpc(chain.node.url))
    job = cryo_collect.Job("blocks", 0, 7)
    blocks = next(one for one in there if one.dataset == "blocks")
    assert (
        cryo_collect._received(job, asked, "network_1__blocks__0_to_7.parquet", b"no parquet") == "the file is damaged"
    )
    other = cryo_collect.Job("blocks", blocks.first + 1, blocks.last + 1)
    assert "blocks" in cryo_collect._received(other, asked, blocks.path.name, blocks.path.read_bytes())
    assert cryo_files.chunks(folder) == there
    assert not list(folder.glob(".partial-*"))
