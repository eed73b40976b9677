"""The main job on real data: forecast, prove, settle. Run it with `make demo` or `python -m demo`."""
