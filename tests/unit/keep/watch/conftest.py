"""One trained release and the days after it, for all tests of the watch."""

import pytest
from tests.unit.keep.watch import replay

MORE = """
latency_blocks = 10
feature_delay_blocks = 1

[limits]
prove_seconds = 1.0
usd_per_inference = 0.5

[chains.local]
spend_per_day = 0.01
"""


@pytest.fixture(scope="session")
def found(tmp_path_factory):
    return replay.made(tmp_path_factory.mktemp("made"), more=MORE)


@pytest.fixture(scope="session")
def later(tmp_path_factory):
    rows = replay.after(tmp_path_factory.mktemp("later"), (2007, 6, 1), (2009, 6, 1))
    return rows.sort("day")
