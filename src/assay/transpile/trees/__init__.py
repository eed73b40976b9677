"""Tree ensembles as integers."""
