"""The circuit: data, its file, its exact evaluation, its summary."""
