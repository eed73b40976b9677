"""Long short-term memory (Hochreiter and Schmidhuber, 1997), from the oldest row of a window to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.recurrent import Recurrent

if TYPE_CHECKING:
    from assay.models.families.networks.architecture import Kind


class Lstm(Recurrent):
    """An LSTM; its last states are read."""

    name: ClassVar[str] = "lstm"
    title: ClassVar[str] = "LSTM"
    cell: ClassVar[Kind] = "lstm"
