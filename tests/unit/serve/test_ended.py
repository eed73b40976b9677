"""Rows for which values within a network end: the endpoint, an answer, its proof and its page say which they are."""

import json

import numpy as np
import pytest
from tests.unit.serve.small import parts
from tests.unit.transpile.networks import tiny

import assay
from assay.record import answers
from assay.serve import keys
from assay.serve.work import Worker

CASE = json.loads((tiny.CASES / "dense.json").read_text())
ROWS = ((np.array(CASE["inputs"]) + 3) / 8).tolist()
ENDED = [2, 4, 5]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    circuit = assay.Circuit.from_json(json.dumps(CASE["circuit"]))
    circuit.network = tiny.ended()
    return parts(tmp_path_factory.mktemp("ended"), circuit=circuit)


def asked(client, *rows):
    answer = client.post("/v2/models/credit/proofs", json={"inputs": [ROWS[row] for row in rows], "join": True})
    assert answer.status_code == 202, answer.text
    return answer.json()["id"]


def test_an_inference_names_them(client):
    def said(rows):
        return client.post("/v2/models/credit/infer", json={"inputs": rows}).json()["parameters"]

    assert said(ROWS)["ended"] == ENDED
    assert said(ROWS[4:5])["ended"] == [0]
    assert "ended" not in said(ROWS[:2])


def test_answers_name_their_own_and_the_proof_all(client, database):
    names = [asked(client, 0, 2), asked(client, 1), asked(client, 5)]
    assert Worker(database).step()
    found = [client.get(f"/v1/answers/{name}").json() for name in names]
    assert [one["joined"]["first"] for one in found] == [0, 2, 3]
    assert [one["outputs"].get("ended") for one in found] == [[1], None, [0]]
    assert answers.get(database, names[0]).outputs["ended"] == [1]
    proof = client.get(f"/v1/answers/{names[0]}/proof").json()
    assert proof["ended"] == [1, 3]
    checked = client.post("/v1/verify", json={"proof": proof}).json()
    assert (checked["valid"], checked["ended"]) == (True, [1, 3])
    # What it is said of is a row of the answer's own, on its page, too.
    _, text = keys.make(database, "boss", ["admin"], who="test")
    client.app.state.assay.keyring._read = 0.0
    client.post("/page/sign-in", data={"key": text, "to": "/page"})
    pages = [client.get(f"/page/answers/{name}").text for name in names]
    assert [page.count("Values within the model ended before its own do") for page in pages] == [1, 0, 1]
