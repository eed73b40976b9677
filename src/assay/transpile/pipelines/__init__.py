"""scikit-learn pipelines: what stands before a model is folded into it."""
