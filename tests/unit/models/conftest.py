"""Projects and a calibration that the tests of the models room share."""

from pathlib import Path

import pytest

from assay.models.cost.cost import Calibration

from .small import Made


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Make a project of a kind once, and share it; nothing may write to it."""
    known = {}

    def make(kind="binary", *, timed=False):
        if (kind, timed) not in known:
            known[kind, timed] = Made(tmp_path_factory.mktemp(kind), kind, timed=timed)
        return known[kind, timed]

    return make


@pytest.fixture(scope="session")
def calibration():
    """Measured once on a small machine, and written down: predictions in these tests are the same everywhere."""
    return Calibration.load(Path(__file__).with_name("calibration.json"))
