"""Networks against what was promised of them: `python -m benchmarks.networks`."""
