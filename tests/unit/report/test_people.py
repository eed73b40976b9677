"""The page for those who are decided about: what decides, from which of their data, how to check it, whom to ask."""

import json

import pytest
from tests.unit.report.conftest import HOSTILE, content, write_task

from assay.cli.main import run
from assay.report.errors import NothingDecided
from assay.report.write import write_for_people


def page(folder):
    return write_for_people(folder).read_text(encoding="utf-8")


@pytest.fixture
def decided(stages, tmp_path):
    return stages.copy(tmp_path / "decided")


def test_it_says_what_from_what_how_good_and_how_to_check(stages, decided):
    text = page(decided)
    for name in stages.dataset.features:
        assert name in text or name == HOSTILE
    row = json.loads((decided / "decision" / "decision.json").read_text())
    assert f"{row['test_rows']}" in text
    assert "assay verify" in text
    assert "These figures are public" in text
    assert "public_inputs" in text, "how to ask the contract itself"
    assert "the dispute file below has them" in text
    assert "has not said what an answer means for you" in text
    assert "has not said whom to ask" in text
    assert "has not said what happens when you object" in text


def test_hostile_names_stay_words(decided):
    text = page(decided)
    assert "<script" not in text
    assert "<img" not in text


@pytest.mark.parametrize("field", ["who", "effect", "contact", "objection"])
def test_every_field_of_its_section_is_shown_as_words(decided, field):
    write_task(decided, content(people={field: "They <b>are</b> asked"}))
    assert "They &lt;b&gt;are&lt;/b&gt; asked" in page(decided)


def test_hidden_figures_are_said_to_be_hidden(decided):
    write_task(decided, content(protocol={"inputs": "private"}))
    text = page(decided)
    assert "Your figures stay hidden" in text
    assert "nobody can read them there" in text
    assert "the dispute file below has them" not in text


def test_the_command_says_what_the_page_cannot(decided, capsys):
    assert run(["report", "--for", "people", str(decided)]) == 0
    assert "does not say effect, contact, objection" in capsys.readouterr().err
    write_task(decided, content(people=dict.fromkeys(("effect", "contact", "objection"), "said")))
    assert run(["report", "--for", "people", str(decided)]) == 0
    assert capsys.readouterr().err == ""


def test_nobody_is_decided_about_without_a_decision(stages, tmp_path):
    for name, options in {"open": {"decision": False}, "none": {"gas": 150_000}}.items():
        folder = stages.copy(tmp_path / name, **options)
        with pytest.raises(NothingDecided):
            write_for_people(folder)
        assert not (folder / "people.html").exists()
