"""What training a case gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt


@dataclass(frozen=True)
class Trained:
    """A model as text, rows to calibrate on (of the training set) and rows kept aside.

    Attributes:
        model_json: the model, in the form that its `load` reads.
        calibration: rows x F, rows the model was trained on.
        test: rows x F, rows it was not trained on.
        margins: one raw margin for each test row, by the model's own runtime.
    """

    model_json: str
    calibration: npt.NDArray[Any]
    test: npt.NDArray[Any]
    margins: npt.NDArray[Any]
