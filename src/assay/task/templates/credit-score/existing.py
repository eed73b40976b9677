"""The scorecard that decides today: points by hand, higher is safer."""

from __future__ import annotations

import polars as pl

BASE = 10

POINTS = {
    "account": {
        "... < 0 DM": 0,
        "0 <= ... < 200 DM": 5,
        "... >= 200 DM / salary assignments for at least 1 year": 12,
        "no checking account": 20,
    },
    "history": {
        "all credits at this bank paid back duly": 0,
        "no credits taken/ all credits paid back duly": 0,
        "existing credits paid back duly till now": 8,
        "delay in paying off in the past": 8,
        "critical account/ other credits existing (not at this bank)": 14,
    },
    "savings": {
        "... < 100 DM": 0,
        "100 <= ... < 500 DM": 2,
        "500 <= ... < 1000 DM": 8,
        "... >= 1000 DM": 10,
        "unknown/ no savings account": 7,
    },
    "employment": {
        "unemployed": 0,
        "... < 1 year": 0,
        "1 <= ... < 4 years": 3,
        "4 <= ... < 7 years": 7,
        "... >= 7 years": 6,
    },
}


def decide(frame: pl.DataFrame) -> pl.Series:
    """The probability of default of each credit: even odds at 20 points, halved every 10 points."""
    score = pl.lit(BASE, dtype=pl.Float64)
    for column, points in POINTS.items():
        score += pl.col(column).replace_strict(points, default=0, return_dtype=pl.Float64)
    score += pl.when(pl.col("months") <= 12).then(8).when(pl.col("months") <= 24).then(4).otherwise(0)
    odds = 2 ** ((20 - score) / 10)
    return frame.select((odds / (1 + odds)).alias("probability"))["probability"]
