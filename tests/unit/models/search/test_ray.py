"""A local cluster of two workers finds what one process finds."""

import sys

import pytest
from tests.unit.models.small import Made

from assay.core.workers import workers
from assay.models.search.explore import explore


@pytest.fixture(scope="module")
def cluster():
    """Two nodes with one processor each, on this machine."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # Workers cannot import a test's module: its functions travel whole.
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    try:
        yield made.address
    finally:
        ray.shutdown()
        made.shutdown()


def place_of(_shared, job):
    """Where it runs, once the other job runs as well: two nodes of one processor each cannot do both on one."""
    import time
    from pathlib import Path

    import ray

    folder, own, other = job
    (Path(folder) / own).touch()
    while not (Path(folder) / other).exists():
        time.sleep(0.05)
    return ray.get_runtime_context().get_node_id()


def refuses(_shared, _job):
    from assay.models.errors import TooFewRows

    raise TooFewRows("of the job", "Give more.")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_cluster_finds_the_same(cluster, calibration, tmp_path):
    from assay.models.errors import TooFewRows

    own = Made(tmp_path, explore={"trials": 7, "folds": 2, "families": ["logistic", "tree", "xgboost"]})
    fronts = [
        explore(own.task, own.dataset, tmp_path / name, own.folder, calibration=calibration, ray=address)
        for name, address in (("here", None), ("there", cluster))
    ]
    found = [front.model_dump(mode="json") for front in fronts]
    for content in found:
        for one in content["candidates"]:
            del one["fit_seconds"]
    assert found[0] == found[1]
    with workers(None, ray=cluster) as crew:
        jobs = [(str(tmp_path), "one", "two"), (str(tmp_path), "two", "one")]
        assert len({node for _, node in crew.run(place_of, jobs)}) == 2
        with pytest.raises(TooFewRows, match="of the job"):
            list(crew.run(refuses, [1]))
