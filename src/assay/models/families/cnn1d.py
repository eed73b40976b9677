"""Convolutions over the rows of a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families.networks.architecture import Architecture
from assay.models.families.networks.network import Network, shape_of

if TYPE_CHECKING:
    from assay.models.families.family import Params, Suggest
    from assay.models.rows import Problem

_KERNELS = (2, 5)


class Cnn1d(Network):
    """Convolutions without padding, rectified; every place of the last is read."""

    name: ClassVar[str] = "cnn1d"
    title: ClassVar[str] = "convolutional network"

    def layers(self, suggest: Suggest, problem: Problem) -> Params:
        """One or two convolutions, their channels, and the rows that each sees."""
        del problem
        return {
            "layers": suggest.integer("layers", 1, 2),
            "units": suggest.integer("units", 4, 48, log=True),
            "kernel": suggest.integer("kernel", *_KERNELS),
        }

    def defaults(self, problem: Problem) -> Params:
        """One convolution of 16 channels over 3 rows."""
        del problem
        return {"layers": 1, "units": 16, "kernel": 3, "rate": 3e-3, "decay": 0.3}

    def architecture(self, params: Params, problem: Problem) -> Architecture:
        """A kernel is no longer than what is left of a short window."""
        kernel = min(params["kernel"], (problem.window - 1) // params["layers"] + 1)
        return Architecture(
            kind="cnn1d", widths=(params["units"],) * params["layers"], kernel=kernel, **shape_of(problem)
        )
