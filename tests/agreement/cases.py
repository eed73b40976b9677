"""The shapes on which the verifiers are compared: name, circuit, numbers of rows."""

from __future__ import annotations

from .circuits import DOUBLE, FLOAT, Circuit, forest, linear, views_of

SIGNED = {"kind": "integer", "min": str(-(1 << 63)), "max": str((1 << 63) - 1)}
WEI = {"kind": "integer", "min": "0", "max": str((1 << 64) - 1)}
CENTS = {"kind": "integer", "min": "-100", "max": "100000"}

FOUR_VIEWS = [*views_of(1), *views_of(1, zero_missing=True)]
# A feature of each rule; the third has none, as happens to no importer but is allowed.
MIXED_VIEWS = [
    {"feature": 0, "missing": "low"},
    {"feature": 0, "missing": "high"},
    {"feature": 1, "missing": "refuse"},
    {"feature": 2, "missing": "zero", "zero_missing": True},
]
PAIRS_AND_REFUSED = [*views_of(1), {"feature": 1, "missing": "refuse"}, {"feature": 2, "missing": "refuse"}]

Case = tuple[Circuit, tuple[int, ...]]

DEPTHS: dict[str, Case] = {
    f"depth {depth}": (forest(100 + depth, trees=2, depth=depth, full=depth < 5), (1, 2)) for depth in (1, 2, 4, 6, 9)
}
OUTPUTS: dict[str, Case] = {
    f"{outputs} outputs": (forest(200 + outputs, outputs=outputs), (1, 3) if outputs % 4 == 1 else (2,))
    for outputs in range(1, 10)
}
MISSING: dict[str, Case] = {
    "missing low": (forest(301, views=views_of(2, ("low",))), (3,)),
    "missing high": (forest(302, views=views_of(2, ("high",))), (3,)),
    "missing is zero": (forest(303, views=views_of(2, ("zero",))), (3,)),
    "missing refused": (forest(304, views=views_of(2, ("refuse",))), (1,)),
    "zeros are missing": (forest(305, features=[FLOAT], views=FOUR_VIEWS), (4,)),
    "every rule": (forest(306, features=[FLOAT] * 3, views=MIXED_VIEWS, trees=5), (4,)),
    "a feature without a view": (forest(307, features=[FLOAT] * 2, views=views_of(1)), (2,)),
}
INTEGERS: dict[str, Case] = {
    "integers": (forest(401, features=[SIGNED, WEI, CENTS], views=views_of(3, ("refuse",)), trees=5), (1, 4)),
    "integers and floats": (forest(402, features=[FLOAT, WEI], views=views_of(2)), (2,)),
    "doubles": (forest(403, features=[DOUBLE, DOUBLE, WEI], trees=5), (1, 3)),
    "doubles, missing refused": (forest(404, features=[DOUBLE], views=views_of(1, ("refuse",))), (2,)),
    "private doubles": (forest(405, inputs="private", features=[DOUBLE, DOUBLE]), (2,)),
}
# The stump's block has 32 rows and its table 1,024: with 32 rows n = N, with 64 n > N.
BATCHES: dict[str, Case] = {
    "batches": (forest(501, trees=1, depth=1, features=[FLOAT]), (1, 2, 3, 4, 5, 8, 31, 33)),
    "one row at most": (forest(502), (1,)),
}
# Blocks of 256, 512 and 1,024 rows beside a table of 1,024; the doubles' table has 4,096.
SHARED: dict[str, Case] = {
    "packs of four": (forest(511, trees=60, depth=1), (1, 2)),
    "packs of two": (forest(512, trees=100, depth=1), (1, 2)),
    "no packs": (forest(513, trees=200, depth=1), (1, 2)),
    "private, packs of two": (forest(514, trees=100, depth=1, inputs="private"), (1,)),
    "private, no packs": (forest(515, trees=200, depth=1, inputs="private"), (1,)),
    "doubles, packs of eight": (forest(516, trees=100, depth=1, features=[DOUBLE, DOUBLE]), (1,)),
}
PRIVATE: dict[str, Case] = {
    "private": (forest(601, inputs="private", views=views_of(2, ("refuse",))), (1, 3)),
    "private, missing is zero": (forest(602, inputs="private", views=views_of(2, ("zero",))), (2,)),
    "private pairs": (forest(603, inputs="private"), (1, 2, 3, 4)),
    "private integers": (forest(604, inputs="private", features=[WEI, CENTS], views=views_of(2, ("refuse",))), (2,)),
    "private, 5 outputs": (forest(605, inputs="private", outputs=5), (2,)),
    "private, a view a feature": (forest(606, inputs="private", views=views_of(2, ("low",))), (4,)),
    "private, high only": (forest(607, inputs="private", views=views_of(2, ("high",))), (4,)),
    "private pairs and refused": (
        forest(608, inputs="private", features=[FLOAT] * 3, views=PAIRS_AND_REFUSED),
        (4,),
    ),
}
LINEAR: dict[str, Case] = {
    "linear": (linear(701), (1, 2, 3, 4)),
    "linear, 30 features": (linear(702, features=30), (1,)),
    "linear, 9 outputs": (linear(703, outputs=9), (1, 3)),
}
CASES: dict[str, Case] = DEPTHS | OUTPUTS | MISSING | INTEGERS | BATCHES | SHARED | PRIVATE | LINEAR


def max_rows(case: Case) -> int:
    return max(case[1])
