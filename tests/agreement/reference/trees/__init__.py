"""Trees (spec, section 4)."""

from .relation import constrain, helpers, input_sum, layout, limbs, opened, output_sum, packs

__all__ = ["constrain", "helpers", "input_sum", "layout", "limbs", "opened", "output_sum", "packs"]
