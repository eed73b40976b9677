"""LSTM in both directions over a window: one layer reads it forwards, one backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.architecture import Architecture
from assay.models.families.networks.network import Network, shape_of

if TYPE_CHECKING:
    from assay.models.families.family import Params, Suggest
    from assay.models.rows import Problem


class Bilstm(Network):
    """Two LSTMs side by side; the last states of both are read."""

    name: ClassVar[str] = "bilstm"
    title: ClassVar[str] = "BiLSTM"

    def layers(self, suggest: Suggest, problem: Problem) -> Params:
        """Units of the layer, and whether a second one reads its states."""
        del problem
        return {"layers": suggest.integer("layers", 1, 2), "units": suggest.integer("units", 4, 32, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """One layer of 12 units."""
        del problem
        return {"layers": 1, "units": 12, "rate": 5e-3, "decay": 0.3}

    def architecture(self, params: Params, problem: Problem) -> Architecture:
        """As many layers, each as wide."""
        return Architecture(kind="bilstm", widths=(params["units"],) * params["layers"], **shape_of(problem))
