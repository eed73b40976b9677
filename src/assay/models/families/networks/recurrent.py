"""Families that read a window from its oldest row to its last: one or two recurrent layers of equal width."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.architecture import Architecture, Kind
from assay.models.families.networks.network import Network, shape_of

if TYPE_CHECKING:
    from assay.models.families.family import Params, Suggest
    from assay.models.rows import Problem


class Recurrent(Network):
    """What recurrent families share; `cell` is the kind of layer, `usual` and `most` are units of one."""

    cell: ClassVar[Kind]
    usual: ClassVar[int] = 16
    most: ClassVar[int] = 48

    def layers(self, suggest: Suggest, problem: Problem) -> Params:
        """Units of the layer, and whether a second one reads its states."""
        del problem
        layers = suggest.integer("layers", 1, 2)
        return {"layers": layers, "units": suggest.integer("units", 4, self.most, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """One layer of the usual width."""
        del problem
        return {"layers": 1, "units": self.usual, "rate": 5e-3, "decay": 0.3}

    def architecture(self, params: Params, problem: Problem) -> Architecture:
        """As many layers, each as wide."""
        return Architecture(kind=self.cell, widths=(params["units"],) * params["layers"], **shape_of(problem))
