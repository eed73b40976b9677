"""Convert: from a trained model to an integer circuit that makes the same decisions, bit for bit."""
