"""No jam and no double effect, however the node misbehaves; the large counts are `make soak`."""

import pytest
from tests.soak.periods import run
from tests.unit.serve.small import parts


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return parts(tmp_path_factory.mktemp("made"))


@pytest.mark.slow
def test_all_faults_together(made, tmp_path):
    found = run(f"sqlite:///{tmp_path / 'a.sqlite'}", 5, 11, made=made)
    assert found["faults"] == []
    assert sum(found["done"].values()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["lose", "stale", "word", "reorg"])
def test_the_faults_that_could_send_twice_by_themselves(fault, made, tmp_path):
    found = run(f"sqlite:///{tmp_path / 'a.sqlite'}", 3, 5, share=0.3, faults=(fault,), made=made)
    assert found["faults"] == []
    assert found["done"][fault] > 0
