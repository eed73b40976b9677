"""A whole `assay up` killed again and again: nothing lost, nothing twice; large counts are `make soak`."""

import pytest
from tests.soak.whole import run


@pytest.mark.slow
def test_whatever_it_was_doing_when_it_was_killed_everything_ends_once(tmp_path):
    found = run(tmp_path, 2, 5)
    assert found["faults"] == []
    assert min(found["accepted"], found["joined"], found["periods"]) > 0
