"""Predicted costs: terms that are found again, and refusals."""

import numpy as np
import pytest

from assay.models.cost.cost import FREE, Calibration, Point
from assay.models.cost.shape import Size, power_of_two, shape
from assay.models.errors import CalibrationDamaged

SIZES = [
    Size(kind="trees", features=features, views=views, outputs=1, trees=trees, depth=depth, nodes=nodes)
    for features, views, trees, depth, nodes in [
        (5, 10, 1, 1, 0),
        (20, 40, 25, 4, 350),
        (20, 20, 60, 4, 840),
        (10, 10, 300, 3, 1800),
        (40, 80, 100, 6, 6200),
        (70, 140, 40, 5, 1200),
        (120, 120, 10, 3, 60),
        (25, 25, 180, 6, 11000),
    ]
] + [Size(kind="linear", features=features) for features in (4, 30, 60, 120)]


def invented(seconds, memory, gas):
    points = [
        Point(size=size, prove_seconds=seconds(size), memory_mb=memory(size), setup_seconds=0.1, gas=gas(size))
        for size in SIZES
    ]
    return Calibration(
        schema="assay-calibration/1",
        machine="invented",
        version="0",
        prover="0",
        inputs="public",
        unrolled_entries=96,
        points=tuple(points),
    )


def rows_of(size):
    found = shape(size)
    return found.block, found.table


def test_a_law_of_the_known_terms_is_found_again():
    law = invented(
        lambda size: 0.002 + 1e-6 * rows_of(size)[0] + 3e-6 * rows_of(size)[1],
        lambda size: 30 + 0.004 * max(rows_of(size)),
        lambda size: 200_000 + 700 * size.features,
    )
    for size in [
        Size(kind="trees", features=15, views=30, trees=50, depth=5, nodes=1500),
        Size(kind="linear", features=45),
    ]:
        n, table = rows_of(size)
        found = law.predict(size)
        assert found.prove_seconds == pytest.approx(0.002 + 1e-6 * n + 3e-6 * table, rel=0.12)
        assert found.memory_mb == pytest.approx(30 + 0.004 * max(n, table), rel=0.05)
        assert found.gas == pytest.approx(200_000 + 700 * size.features, rel=0.01)


def test_a_longer_table_than_any_that_was_measured_costs_more():
    law = invented(
        lambda size: 1e-6 * sum(rows_of(size)) + 1e-3, lambda size: 30 + 0.004 * max(rows_of(size)), lambda _: 1
    )
    size = SIZES[7].model_copy(update={"nodes": 90_000})
    assert law.predict(size).prove_seconds > 3 * law.predict(SIZES[7]).prove_seconds
    assert law.predict(size).memory_mb == pytest.approx(30 + 0.004 * max(rows_of(size)), rel=0.05)


def test_the_recorded_machine_is_met_within_a_quarter(calibration):
    """Its circuits differ in everything that a cost depends on, so the few terms must do for all of them."""
    for point in calibration.points:
        found = calibration.predict(point.size)
        assert point.gas is None or found.gas == pytest.approx(point.gas, rel=0.02)
        assert found.memory_mb == pytest.approx(point.memory_mb, rel=0.25)
        assert found.prove_seconds == pytest.approx(point.prove_seconds, rel=0.25)


def test_what_is_not_proven_is_free(calibration):
    assert calibration.predict(None) == FREE


def test_a_kind_that_was_not_measured_is_refused(calibration):
    trees = [point for point in calibration.points if point.size.kind == "trees"]
    only = calibration.model_copy(update={"points": tuple(trees)})
    with pytest.raises(CalibrationDamaged, match="linear"):
        Calibration.model_validate(only.model_dump(by_alias=True)).predict(SIZES[-1])


def test_a_calibration_survives_its_file(calibration, tmp_path):
    path = tmp_path / "ü folder" / "calibration.json"
    calibration.save(path)
    again = Calibration.load(path)
    assert (again, again.digest) == (calibration, calibration.digest)
    path.write_text(path.read_text()[:200])
    with pytest.raises(CalibrationDamaged):
        Calibration.load(path)


def test_bigger_models_have_bigger_shapes():
    small, large = SIZES[0], SIZES[4]
    assert shape(small).block < shape(large).block
    assert shape(small).table < shape(large).table
    assert [power_of_two(value) for value in (1, 2, 3, 16, 17)] == [1, 2, 4, 16, 32]
    beyond = shape(large.model_copy(update={"nodes": 1 << 25}))
    assert beyond.table == 1 << 24
    assert np.log2(shape(large).block).is_integer()


# Processor time of a proof, measured in one run: the circuits that a calibration proves, then others, the last two
# the reference networks `mlp_30_64_64_1` and `lstm_sp500`. Columns: rows in use, table, slots, columns, milliseconds.
NETWORKS = [
    (25, 2048, 32, 8, 36),
    (163, 2048, 128, 64, 100),
    (228, 2048, 256, 64, 240),
    (388, 2048, 512, 128, 775),
    (62, 8192, 64, 16, 108),
    (842, 8192, 128, 32, 144),
    (2418, 8192, 256, 64, 348),
]
OTHERS = [
    (716, 8192, 128, 32, 151),
    (361, 8192, 256, 128, 426),
    (900, 8192, 256, 128, 444),
    (483, 2048, 512, 16, 113),
    (3935, 8192, 128, 128, 395),
]


def test_networks_that_were_not_measured_are_met_within_a_quarter(calibration):
    def point(rows, table, slots, columns, milliseconds):
        size = Size(kind="network", features=13, rows=rows, table=table, slots=slots, columns=columns)
        return Point(size=size, prove_seconds=milliseconds / 1e3, memory_mb=50.0, setup_seconds=0.1, gas=300_000)

    points = [*calibration.points, *(point(*one) for one in NETWORKS)]
    known = calibration.model_dump(by_alias=True) | {"points": [one.model_dump() for one in points]}
    measured = Calibration.model_validate(known)
    for one in OTHERS:
        wanted = point(*one)
        assert measured.predict(wanted.size).prove_seconds == pytest.approx(wanted.prove_seconds, rel=0.25), one
