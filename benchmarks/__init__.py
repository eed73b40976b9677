"""Measures Assay, and other tools on the same models, on this machine."""
