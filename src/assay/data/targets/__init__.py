"""Targets: what is predicted, and which rows train, choose and test."""
