"""Dense networks: layers of rectified units."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.architecture import Architecture
from assay.models.families.networks.network import Network, shape_of

if TYPE_CHECKING:
    from assay.models.families.family import Params, Suggest
    from assay.models.rows import Problem


class Mlp(Network):
    """A dense network; of a window it sees all numbers side by side."""

    name: ClassVar[str] = "mlp"
    title: ClassVar[str] = "dense network"
    sequences: ClassVar[bool] = False
    asked: ClassVar[bool] = True

    def layers(self, suggest: Suggest, problem: Problem) -> Params:
        """One to three layers of equal width."""
        del problem
        return {"layers": suggest.integer("layers", 1, 3), "units": suggest.integer("units", 8, 128, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """Two layers of 32 units."""
        del problem
        return {"layers": 2, "units": 32, "rate": 3e-3, "decay": 0.3}

    def architecture(self, params: Params, problem: Problem) -> Architecture:
        """As many layers, each as wide."""
        return Architecture(kind="mlp", widths=(params["units"],) * params["layers"], **shape_of(problem))
