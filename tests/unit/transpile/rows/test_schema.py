"""What a circuit's file of rows has to look like."""

import json
from dataclasses import replace

from assay.bench.circuits import trees
from assay.transpile.circuit.circuit import Circuit, Feature
from assay.transpile.rows.schema import rows_schema


def test_a_scale_is_said_wherever_the_circuit_is_described():
    plain = trees(features=2, rules=1, count=2, depth=2)
    first = plain.features[0].name
    scaled = replace(plain, meta=plain.meta | {"scales": {first: 12}})
    assert Circuit.from_json(scaled.to_json()).scales == {first: 12}
    assert f"given as {first} / 10^12, towards zero" in scaled.summary()
    items = json.loads(rows_schema(scaled, max_batch=1))["properties"]["inputs"]["items"]["prefixItems"]
    said = [" It is the quantity divided by 10^12, its fraction left away." in item["description"] for item in items]
    assert said == [True, False]
    assert "scales" not in plain.summary()


def test_a_strangers_scales_are_taken_only_where_they_can_be():
    plain = trees(features=2, rules=1, count=2, depth=2)
    name = plain.features[0].name
    for said in ("12", [12], {name: "12"}, {name: 0}, {name: 77}, {name: True}, {"nobody": 3}, None):
        assert replace(plain, meta=plain.meta | {"scales": said}).scales == {}


def test_fixed_features_say_their_range_whichever_way_they_are_rounded():
    plain = trees(features=3, rules=1, count=2, depth=2)
    ends = {"fine": (-20, 20, 3), "whole": (-5, 7, 0), "coarse": (0, 9, -4)}
    features = [Feature(name, "fixed", *about) for name, about in ends.items()]
    text = rows_schema(replace(plain, features=features), max_batch=1)
    items = json.loads(text)["properties"]["inputs"]["items"]["prefixItems"]
    assert [(item["minimum"], item["maximum"]) for item in items] == [(-2.5, 2.5), (-5, 7), (0, 144)]
    for item, step in zip(items, ("2^-3", "2^0", "2^4"), strict=True):
        assert f"a multiple of {step}." in item["description"]
