"""Proofs on a local Ray cluster of two workers: the same decision."""

import pytest

from assay.bench.decide import decide
from assay.data.dataset.dataset import Dataset
from assay.models.search.front import Front
from assay.project.project import Project
from assay.task.task import Task

from .own import project_in, recorded


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    with recorded(tmp_path_factory.mktemp("cache")):
        place = project_in(tmp_path_factory.mktemp("ray") / "own")
        Project(place).step("explore")
        yield place


@pytest.fixture
def cluster(project):
    """Two nodes with one processor each, on this machine; they share the project's cache."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    try:
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()


def without_times(decision):
    content = decision.model_dump(mode="json")
    # The first two name times; the third says whether the key was there already.
    del content["reasons"], content["limits"], content["key"]
    for row in content["rows"]:
        for name in ("usd_per_inference", "latency_blocks"):
            del row[name]
        for name in [
            key
            for key in row["measured"] or {}
            if key.endswith("_seconds") or "gas" in key or key in {"memory_mb", "contract_bytes"}
        ]:
            del row["measured"][name]
    return content


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_decides_the_same(project, cluster, tmp_path):
    task, dataset, front = Task.load(project), Dataset.load(project / "data"), Front.load(project / "candidates")
    here = decide(task, dataset, front, tmp_path / "here", project)
    there = decide(task, dataset, front, tmp_path / "there", project, ray=cluster)
    assert without_times(there) == without_times(here)
    for one, other in zip(here.rows, there.rows, strict=True):
        if one.measured is not None:
            # Proofs are blinded, so their bytes differ, and with them the price of the zeros among them.
            assert other.measured.gas == pytest.approx(one.measured.gas, rel=1e-3)
            # Keys are blinded too: a constant of the contract that begins with a zero is written in a byte less.
            assert other.measured.contract_bytes == pytest.approx(one.measured.contract_bytes, rel=1e-3)
