"""Fixtures of the data room."""

from __future__ import annotations

import pytest


@pytest.fixture
def project(tmp_path):
    """A folder whose name has spaces and letters of several scripts."""
    place = tmp_path / "my projekt ü 数据"
    place.mkdir()
    return place
