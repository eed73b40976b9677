"""ONNX: from a model file to a `Flow`, one family of operators a file."""
