"""The expression language of a task: one meaning for features, bars, conditions, checks, labels, rules and losses."""

from assay.data.expressions.evaluate import check, evaluated, require, selected

__all__ = ["check", "evaluated", "require", "selected"]
