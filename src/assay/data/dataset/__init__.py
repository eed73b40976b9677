"""The dataset as it is kept: files, manifest, profile."""
