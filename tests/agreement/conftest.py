"""Fixtures: one development string for the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .proofs import Workshop

if TYPE_CHECKING:
    import pathlib


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder: pathlib.Path = tmp_path_factory.mktemp("agreement")
    return Workshop.with_new_srs(folder / "dev.srs")
