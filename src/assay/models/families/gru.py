"""Gated recurrent units (Cho, 2014), with the reset after the product, as in PyTorch."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.recurrent import Recurrent

if TYPE_CHECKING:
    from assay.models.families.networks.architecture import Kind


class Gru(Recurrent):
    """A GRU; its last states are read."""

    name: ClassVar[str] = "gru"
    title: ClassVar[str] = "GRU"
    cell: ClassVar[Kind] = "gru"
