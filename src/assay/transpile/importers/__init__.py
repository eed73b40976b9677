"""Importers: what a library trained, as it says so itself."""
