"""The endpoint: Open Inference Protocol v2 for answers and proofs, and what operators and strangers ask."""
