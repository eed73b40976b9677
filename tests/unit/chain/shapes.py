"""Keys that between them reach every branch of the templates: (maker, fields of section 7, numbers of rows)."""

from __future__ import annotations

from assay.chain.key import Missing, View

from .trapdoor import linear_model, tree_model

REFUSE, LOW, HIGH, ZERO = Missing.REFUSE, Missing.LOW, Missing.HIGH, Missing.ZERO

# One view of every kind; feature 6 has none.
EVERY_RULE = [
    View(0, REFUSE, False),
    View(1, ZERO, False),
    View(2, ZERO, True),
    View(3, LOW, True),
    View(3, HIGH, True),
    View(4, REFUSE, True),
    View(5, LOW, False),
    View(5, HIGH, False),
    View(7, HIGH, False),
]
RULES = {"features": 8, "stride": 8, "depth": 1, "log_max_rows": 1, "views": EVERY_RULE}
HUNDRED_BY_SIX = {
    "features": 20, "trees": 100, "depth": 6, "stride": 8, "groups": 128, "table": 8192, "ratio": 8, "limbs": 4,
    "log_max_rows": 7,
}  # fmt: skip

SHAPES = {
    "one row": (tree_model, {}, [1]),
    "100 x 6": (tree_model, HUNDRED_BY_SIX, [1, 2]),
    # The first shape's packs are of two columns: its table is twice as long as its block. Here of four, and none.
    "one row, packs of four": (tree_model, {"groups": 64, "table": 1024, "limbs": 4, "log_max_rows": 1}, [1, 2]),
    "one row, no packs": (tree_model, {"groups": 16, "table": 64}, [1]),
    "batch, no packs": (tree_model, {"groups": 16, "table": 64, "log_max_rows": 3}, [1, 2, 3, 8]),
    "batch": (tree_model, {"log_max_rows": 3}, [1, 2, 3, 5, 8]),
    "batch, none missing": (
        tree_model,
        {"log_max_rows": 2, "limbs": 4, "table": 8192, "views": [View(f, REFUSE, False) for f in range(3)]},
        [1, 2, 3],
    ),
    "several output groups": (tree_model, {"outputs": 6, "trees": 4, "lane": 50, "log_max_rows": 2}, [1, 3, 4]),
    "many features": (tree_model, {"features": 70, "stride": 16, "groups": 16, "log_max_rows": 1}, [1, 2]),
    "every missing rule": (tree_model, RULES, [1, 2]),
    "every missing rule, looped": (
        tree_model,
        RULES | {"features": 120, "stride": 32, "views": EVERY_RULE + [View(f, LOW, False) for f in range(8, 119)]},
        [1, 2],
    ),
    "64 bits": (
        tree_model,
        {"bits": 64, "groups": 16, "table": 4096, "ratio": 4, "limbs": 7, "log_max_rows": 1, "lane": 40, "outputs": 3},
        [1, 2],
    ),
    "private": (
        tree_model,
        {"private": 1, "stride": 8, "depth": 3, "log_max_rows": 1, "views": [*EVERY_RULE[:2], View(2, ZERO, False)]},
        [1, 2],
    ),
    "private, six limbs": (
        tree_model,
        {
            "private": 1,
            "bits": 64,
            "trees": 4,
            "stride": 16,
            "depth": 3,
            "outputs": 5,
            "lane": 62,
            "table": 4096,
            "limbs": 6,
            "log_max_rows": 1,
        },
        [1, 2],
    ),
    "private, may be missing": (
        tree_model,
        {"private": 1, "trees": 4, "stride": 16, "depth": 3, "outputs": 5, "lane": 62, "log_max_rows": 1},
        [1, 2],
    ),
    "linear": (linear_model, {"features": 30, "stride": 32, "groups": 1, "log_max_rows": 2}, [1, 2, 4]),
    "linear, one row": (linear_model, {}, [1]),
    "linear, several output groups": (
        linear_model,
        {"features": 6, "groups": 4, "outputs": 7, "log_max_rows": 2},
        [1, 3],
    ),
    "linear, many features": (
        linear_model,
        {"features": 110, "stride": 128, "groups": 4, "outputs": 7, "log_max_rows": 1},
        [1, 2],
    ),
}
