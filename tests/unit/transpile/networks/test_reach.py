"""A network whose arguments reach the end of a table: rounding moves the bound, and every input still has a proof."""

from functools import partial

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from assay.transpile.api import transpile
from assay.transpile.errors import CircuitMalformed, ModelUnsupported
from assay.transpile.networks import assemble

HIDDEN, END = 32, 20.0  # 20 is the end of a segment in every format


def network(cells):
    """Two layers of tanh; the argument of the second reaches to `cells` of 2^-12 before the end of a segment."""
    random = np.random.default_rng(0)
    first = 0.7 * random.normal(size=(2, HIDDEN)).astype(np.float32)
    largest = np.tanh(np.abs(first.astype(float)).sum(axis=0))  # of each hidden value, inputs from -1 to 1
    second = random.uniform(0.5, 1.5, size=(HIDDEN, 1)) * np.sign(random.normal(size=(HIDDEN, 1)))
    second *= (END - cells / 4096) / (np.abs(second[:, 0]) * largest).sum()
    weights = {"first": first, "second": second.astype(np.float32), "third": np.ones((1, 1), np.float32)}
    names = ["x", "a", "b", "c", "d", "y"]
    operators = [("MatMul", "first"), ("Tanh", None), ("MatMul", "second"), ("Tanh", None), ("MatMul", "third")]
    nodes = [
        helper.make_node(operator, [given, *([weight] if weight else [])], [made], name=made)
        for (operator, weight), given, made in zip(operators, names[:-1], names[1:], strict=True)
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", width]) for name, width in (("x", 2), ("y", 1))
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "reach", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.mark.parametrize("cells", [1.25, 1.75])
def test_rounding_does_not_lead_out_of_a_table(cells):
    assert transpile(network(cells), ranges=(-1, 1)).network.tables


def test_a_format_whose_tables_end_too_early_is_passed_over(monkeypatch):
    whole, tried = assemble.compiled, []

    def fails(flow, ranges, made, layout, *, count):
        tried.append(made.profile)
        if len(tried) <= count:
            raise CircuitMalformed("row 9 leaves its table")
        return whole(flow, ranges, made, layout)

    monkeypatch.setattr(assemble, "compiled", partial(fails, count=1))
    assert transpile(network(9), ranges=(-1, 1)).network.limb_bits
    assert len(tried) >= 2
    monkeypatch.setattr(assemble, "compiled", partial(fails, count=100))
    with pytest.raises(ModelUnsupported, match="row 9 leaves its table"):
        transpile(network(9), ranges=(-1, 1))
