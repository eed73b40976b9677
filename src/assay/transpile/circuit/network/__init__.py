"""The rows of a network's circuit: data, file, evaluators and rules (docs/spec/networks-circuit.md)."""
