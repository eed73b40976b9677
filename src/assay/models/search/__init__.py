"""The search: trials, folds, workers, and the front that is left."""
