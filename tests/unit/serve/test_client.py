"""`assay.Client` against the real application on a real socket."""

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from tests.unit.serve.small import model

import assay
from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.errors import Refused, ServiceUnreachable
from assay.serve.models import Models

ROW = [0.5, -0.25, float("nan")]


@pytest.fixture
def address(settings, database, release):
    server = uvicorn.Server(uvicorn.Config(make_app(settings, database), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def client(address, database):
    _, text = keys.make(database, "test", ["read", "infer", "prove", "observe"], who="test")
    return assay.Client(address, text)


def test_what_it_infers_is_what_the_model_says(client):
    rows = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    said = client.infer("credit", rows, version=1)
    values = next(one["data"] for one in said["outputs"] if one["name"] == "values")
    assert np.allclose(values, model().predict(rows, output_margin=True), atol=1e-6)


@pytest.mark.usefixtures("worker")
def test_it_proves_waits_and_asks_nothing_twice(client, database, release):
    answer = client.prove("credit", [ROW], context=2**255 + 1, request="mine")
    assert answer["state"] == "answered"
    assert client.prove("credit", [ROW], context=2**255 + 1, request="mine", wait=0)["id"] == answer["id"]
    proof = client.proof(answer["id"])
    assert proof.context == 2**255 + 1
    assert assay.verify(Models(database).verifying(release.digest), proof)
    assert [one["name"] for one in client.releases()] == ["credit"]


def test_what_came_of_it_is_brought_and_corrected_with_a_reason(client):
    waiting = client.prove("credit", [ROW], wait=0)["id"]
    assert client.outcome(waiting, 1)["changed"]
    assert not client.outcome(waiting, 1)["changed"]
    with pytest.raises(Refused, match="kept already"):
        client.outcome(waiting, 0)
    for _ in range(2):
        assert client.outcome(waiting, 0, reason="paid late", request="mine")["outcome"] == 0
    assert client.outcome(waiting, 1, reason="it bounced")["outcome"] == 1
    assert not client.outcome(waiting, 0, reason="paid late", request="mine")["changed"]
    assert client.answer(waiting)["outcome"] == 1


@pytest.mark.usefixtures("worker")
def test_the_guide_on_outcomes_happens(client):
    page = (Path(__file__).parents[3] / "docs" / "guides" / "monitoring.md").read_text(encoding="utf-8")
    names = {"client": client}
    exec(compile(re.search(r"```python\n(.+?)```", page, re.DOTALL)[1], "monitoring.md", "exec"), names)  # noqa: S102  our own page
    assert client.answer(names["answer"]["id"])["outcome"] == "defaulted"


def test_an_answer_is_taken_back(client):
    waiting = client.prove("credit", [ROW], wait=0)
    assert client.wait(waiting["id"], 0.05)["state"] == "fixed"
    assert client.cancel(waiting["id"])["state"] == "cancelled"
    assert client.wait(waiting["id"])["state"] == "cancelled"


def test_refusals_have_the_services_code(client):
    with pytest.raises(Refused) as caught:
        client.prove("credit", [ROW], settle=True)
    assert (caught.value.code, caught.value.status) == ("serve/not-permitted", 403)
    with pytest.raises(Refused, match="no release") as caught:
        client.infer("nobody", [ROW])
    assert caught.value.status == 404


def test_nothing_answers_or_something_else_does(address):
    with pytest.raises(ServiceUnreachable, match=r"127\.0\.0\.1:9"):
        assay.Client("http://127.0.0.1:9", "k").releases()
    with pytest.raises(ServiceUnreachable, match="cannot be read"):
        assay.Client("ftp://example.org", "k")
    with pytest.raises(Refused) as caught:
        assay.Client(address, "assay_no").releases()
    assert caught.value.code == "serve/not-authorised"
    assert "secret" not in repr(assay.Client(address, "secret"))
