"""Linear models as integers."""
