"""Trees in ONNX, with the steps that stand before them."""
