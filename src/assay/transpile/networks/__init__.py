"""Networks: from a graph of operators to rows of one machine (docs/spec/networks-circuit.md)."""
