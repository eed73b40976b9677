"""The interface's document is kept and compared; whatever is sent, fitting it or not, nothing answers with 5xx."""

import json
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from tests.unit.serve.small import keep

from assay.record.database import Database
from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.api.reference import OPENAPI_FILE, openapi_text
from assay.serve.settings import Settings

KEPT = Path(__file__).parents[3] / "docs" / "reference" / OPENAPI_FILE


def test_the_kept_document_is_the_application_s():
    assert KEPT.read_text() == openapi_text(), "run `make docs`, and look at what it changes for those who ask"


def test_every_path_says_what_a_refusal_looks_like():
    for path, operations in json.loads(KEPT.read_text())["paths"].items():
        for operation in operations.values():
            assert "application/problem+json" in operation["responses"]["4XX"]["content"], path
            assert operation.get("description"), path


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory, made):
    """A service, and a key that may do everything but decide."""
    place = tmp_path_factory.mktemp("fuzz")
    database = Database(f"sqlite:///{place / 'records.sqlite'}")
    keep(database, made)
    _, text = keys.make(database, "fuzz", ["read", "infer", "prove", "settle", "observe"], who="test")
    app = make_app(Settings(place, database.address, hosts=("testserver",), most_waiting=10**6), database)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    yield schema, {"Authorization": f"Bearer {text}"}
    database.close()


def operations():
    for path, found in json.loads(KEPT.read_text())["paths"].items():
        for method in found:
            if path != "/v1/answers/stream":  # never ends; see test_stream.py
                yield path, method


@pytest.mark.slow
@pytest.mark.parametrize(("path", "method"), operations())
def test_hostile_and_fitting_requests_are_answered_below_500(fuzzed, path, method):
    schema, headers = fuzzed
    operation = schema[path][method]

    def one(case):
        case.path_parameters = {
            name: "credit" if name == "name" and hash(str(value)) % 2 else value
            for name, value in (case.path_parameters or {}).items()
        }
        answer = case.call(headers=headers | {"Host": "testserver"})
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400 and method != "head":
            assert answer.headers["content-type"][0] == "application/problem+json"
            assert json.loads(answer.content)["code"]

    limits = hypothesis.settings(
        max_examples=12, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
        strategy = operation.as_strategy(generation_mode=mode)
        tried = hypothesis.seed(1)(limits(hypothesis.given(case=strategy)(one)))
        try:
            tried()
        except hypothesis.errors.Unsatisfiable:
            assert mode == schemathesis.GenerationMode.NEGATIVE  # nothing that it takes can be wrong
