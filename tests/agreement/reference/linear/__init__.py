"""Linear models (spec, section 5)."""

from .relation import combined, constrain, input_column, layout, opened

__all__ = ["combined", "constrain", "input_column", "layout", "opened"]
