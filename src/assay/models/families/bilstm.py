"""LSTM in both directions over a window: one layer reads it forwards, one backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.recurrent import Recurrent

if TYPE_CHECKING:
    from assay.models.families.networks.architecture import Kind


class Bilstm(Recurrent):
    """Two LSTMs side by side; the last states of both are read."""

    name: ClassVar[str] = "bilstm"
    title: ClassVar[str] = "BiLSTM"
    cell: ClassVar[Kind] = "bilstm"
    usual: ClassVar[int] = 12
    most: ClassVar[int] = 32
