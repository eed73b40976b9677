"""Fidelity: is the circuit the model? The model's own runtime judges."""
