"""The reference page and the JSON schema in docs/reference are those of the code."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest

from assay.task.reference import PAGE_FILE, SCHEMA_FILE, page, schema_text
from assay.task.schema import schema

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
TODO = "run `make docs`"


def test_they_are_fresh():
    assert (FOLDER / SCHEMA_FILE).read_text() == schema_text(), TODO
    assert (FOLDER / PAGE_FILE).read_text() == page(), TODO


def test_the_page_names_every_field():
    fields = re.findall(r"^\| `(\w+)` \|", page(), flags=re.MULTILINE)
    tables = [node["properties"] for node in [schema(), *schema()["$defs"].values()] if "properties" in node]
    # The field that tells kinds apart stands in the headings instead.
    headings = re.findall(r"`(kind|op) = ", page())
    missing = {name for table in tables for name in table} - set(fields) - set(headings)
    assert missing == {
        "existing",
        "predict",
        "data",
        "protocol",
        "chains",
        "limits",
        "explore",
        "research",
        "retrain",
        "serve",
        "watch",
        "outputs",
        "people",
    }


def test_every_field_says_what_it_means():
    for row in re.findall(r"^\| `.*\|$", page(), flags=re.MULTILINE):
        assert len(row.replace("\\|", "").split("|")[4].strip()) > 5, row


@pytest.mark.parametrize("template", ["dynamic-fee", "credit-score"])
def test_the_schema_takes_what_the_templates_write(template, project):
    raw = tomllib.loads(project(template).file.read_text())
    jsonschema.Draft202012Validator(schema()).validate(raw)
    raw["limits"]["gsa"] = 1
    with pytest.raises(jsonschema.ValidationError, match="gsa"):
        jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(raw)))
