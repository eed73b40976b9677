"""Linear models (spec, section 5)."""

from .relation import combined, constrain, input_polynomial, layout, opened, theta

__all__ = ["combined", "constrain", "input_polynomial", "layout", "opened", "theta"]
