"""Which numbers a table may show."""

import math

import numpy as np
import pytest

from assay.transpile.importers.onnx.constants import common

WRITTEN = [0.0, 1.0, -0.5, 20.0, 1e-5, 0.044715, 1.702, 1 / 6, 2 / 3, -1 / 7, math.inf, -3.4028234663852886e38]
NAMED = [math.sqrt(2), 1 / math.sqrt(2), math.sqrt(2 / math.pi), 1.6732632423543772, math.pi, math.log(2)]


@pytest.mark.parametrize("number", [*WRITTEN, *NAMED])
def test_a_number_that_anybody_would_write(number):
    assert common(number)
    assert common(float(np.float32(number)))


def test_hardly_any_trained_number_is_one():
    drawn = np.random.default_rng(0).normal(size=2000).astype(np.float32)
    assert sum(common(float(number)) for number in drawn) <= 20
