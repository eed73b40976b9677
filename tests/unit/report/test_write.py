"""What the two files say, of whole projects and of parts of them."""

import html
import json
import re
from html.parser import HTMLParser

import polars as pl
import pytest

from assay.bench.decision import Decision
from assay.bench.history import append
from assay.core.errors import ArtefactDamaged, NotFound, ReadOnly, WrongKindOfFile
from assay.report.errors import ExperimentDamaged, ProfileDamaged, QuarantineDamaged
from assay.report.write import write_report
from assay.task.task import Task

from .conftest import HOSTILE, UNICODE

SECTIONS = ("question", "today", "data", "exploration", "front", "decision", "fidelity", "costs", "validity", "again")
HEADINGS = (
    "The question",
    "What decides today",
    "The data",
    "The exploration",
    "The candidates, proven and measured",
    "The decision",
    "Fidelity",
    "Costs",
    "Limits of validity",
    "How to do it again",
)


class Page(HTMLParser):
    """What a browser would find: elements, their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.texts.append(data)


def made(folder):
    page, card = write_report(folder)
    assert (page, card) == (folder / "report.html", folder / "model-card.md")
    return page.read_text(encoding="utf-8"), card.read_text(encoding="utf-8")


def test_a_decided_project_is_reported_whole(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    text, card = made(folder)
    page = Page(text)
    found = {value for _, name, value in page.attributes if name == "id"}
    assert set(SECTIONS) <= found
    assert tuple(re.findall(r"^## (.*)$", card, re.MULTILINE)) == (*HEADINGS, "Terms")
    decision = json.loads((folder / "decision" / "decision.json").read_text())
    assert decision["chosen"]
    for sentence in (*decision["reasons"], *decision["limits"]):
        assert html.escape(sentence[1:], quote=True).replace("&#x27;", "&#39;") in text
    assert stages.dataset.hash in text
    assert stages.dataset.hash in card
    assert text.count("<svg viewBox") == 8
    assert text.count("<details>") >= 6


def test_it_is_the_same_again(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    assert made(folder) == made(folder)


def test_hostile_names_stay_words(stages, tmp_path):
    text, card = made(stages.copy(tmp_path / "project"))
    page = Page(text)
    assert page.tags.count("script") == 1
    assert not {"i", "img"} & set(page.tags)
    assert not [one for one in page.attributes if one[1].startswith("on")]
    shown = "".join(page.texts)
    for words in (HOSTILE, UNICODE, "USD | <i>", "<img src=https://example.org/x.png onerror=alert(2)>"):
        assert words in shown
    assert "<script" not in card.replace("\\<script", "")
    # A table's rows have as many cells as its head, whatever their text.
    bar = re.compile(r"(?<!\\)\|")
    block = []
    for line in [*card.splitlines(), ""]:
        if line.startswith("|"):
            block.append(len(bar.findall(line)))
        elif block:
            assert len(set(block)) == 1, line
            block = []


def test_nothing_is_asked_for_from_elsewhere(stages, tmp_path):
    text, _ = made(stages.copy(tmp_path / "project"))
    page = Page(text)
    links = [value for _, name, value in page.attributes if name in {"src", "href", "action", "srcset"}]
    assert links
    assert all(value.startswith(("#", "data:,")) for value in links)
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style


def test_what_is_known_is_shown(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    text = (folder / "task.toml").read_text(encoding="utf-8")
    (folder / "task.toml").write_text(
        text
        + """
[research]
strategy = "Volatility <i> clusters"
[[research.works]]
title = "Somebody <b>, 2009"
link = "https://example.org/paper"
finding = "Three horizons | do"
[[research.sources]]
name = "rows"
used_today = true
known = "at once"
cost = "free"
used = true
why = "it is there"
[[research.sources]]
name = "news"
for_a_person = true
known = "a day later"
cost = "500 USD a month"
used = false
why = "too late"
""",
        encoding="utf-8",
    )
    page, card = made(folder)
    found = Page(page)
    shown = "".join(found.texts)
    for words in ("Somebody <b>, 2009", "Volatility <i> clusters", "a day later", "rejected", "too late"):
        assert words in shown
    assert ("a", "href", "https://example.org/paper") in found.attributes
    assert not {"i"} & set(found.tags)
    assert "## What is known" in card
    assert "Three horizons \\| do" in card


def test_what_the_training_rows_lack_is_said(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    assert "What the training rows lack" in made(folder)[0]
    place = folder / "data" / "profile.json"
    profile = json.loads(place.read_text())
    regime = {"column": "x0", "low": 1.0, "high": 2.5, "train": 0.002, "test": 0.31}
    beyond = {"column": "y", "low": -1.0, "high": 3.0, "below": 0, "above": 4}
    entities = {"count": 2, "rows": 12, "names": ["a", "b"]}
    profile["lacking"] = {"test_rows": 60, "regimes": [regime], "beyond": [beyond], "entities": entities}
    place.write_text(json.dumps(profile))
    text, card = made(folder)
    for words in (
        "12 test rows of 60 are of 2 entities that no training row is of (a, b).",
        "x0 from 1 to 2.5: 31 % of the test rows, and 0.2 % of the training rows.",
        "y: 4 test rows above 3, where no training row is.",
    ):
        assert words in text
        assert words in card


def test_how_the_decision_came_about(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    task = Task.load(folder)
    decision = Decision.load(folder / "decision")
    append(folder / "decision", task, decision)
    assert "How it came about" not in made(folder)[0]
    limits = task.limits.model_copy(update={"gas": 300_000})
    append(folder / "decision", task.model_copy(update={"limits": limits}), decision)
    for text in made(folder):
        assert "How it came about" in text
        assert re.search(r"gas.{0,3}: 400000, now 300000", text)


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        ({"data": False, "front": False, "decision": False}, ["assay data build", "assay explore", "assay decide"]),
        ({"front": False, "decision": False}, ["assay explore", "assay decide"]),
        ({"decision": False}, ["assay decide"]),
    ],
)
def test_a_part_of_a_project_says_what_is_missing(stages, tmp_path, there, missing):
    text, card = made(stages.copy(tmp_path / "project", **there))
    for command in missing:
        assert f"<code>{command}</code>" in text
        assert f"`{command}`" in card
    assert "No decision yet" in text
    assert ("No dataset was built yet" in text) == ("data" in there)
    assert ("Nothing was explored yet" in text) == ("front" in there)


def test_none_qualifies(stages, tmp_path):
    folder = stages.copy(tmp_path / "project", gas=150_000)
    text, card = made(folder)
    decision = json.loads((folder / "decision" / "decision.json").read_text())
    assert (decision["chosen"], decision["binding"]) == (None, "gas")
    for said in (text, card):
        assert "No model is good enough: the limit on gas is in the way" in said
        assert "nearest candidate" in said
    assert decision["nearest"]["id"] in text
    assert 'class="verdict none"' in text


def test_what_no_longer_belongs_together_is_said(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    assert "Out of date" not in made(folder)[0]
    task = folder / "task.toml"
    task.write_text(task.read_text(encoding="utf-8").replace('"gas" = 400000', '"gas" = 210000'), encoding="utf-8")
    text, card = made(folder)
    assert "decision was made with another existing process, other values, limits" in text
    assert "decision was made with another existing process, other values, limits" in card
    front = json.loads((folder / "candidates" / "front.json").read_text())
    (folder / "candidates" / "front.json").write_text(json.dumps(front | {"dataset": "0" * 64}))
    assert "exploration was made on an earlier version of the dataset" in made(folder)[0]


def test_quarantined_rows_are_counted_with_their_reasons(stages, tmp_path):
    text, card = made(stages.copy(tmp_path / "project"))
    count = stages.dataset.manifest.quarantined
    assert count > 0
    assert "x0: not between -2.5 and 2.5" in text
    assert f"| {count} | x0: not between" in card


def test_addresses_that_may_hold_passwords_are_left_out(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    task = folder / "task.toml"
    task.write_text(task.read_text(encoding="utf-8") + "# postgresql://me:secret@host/db\n", encoding="utf-8")
    text, card = made(folder)
    assert "secret" not in text + card
    assert "postgresql://(left out)" in text


def test_what_is_damaged_is_refused_and_the_old_report_stays(stages, tmp_path):
    folder = stages.copy(tmp_path / "project")
    before = made(folder)
    (folder / "data" / "profile.json").write_text('{"rows": []}')
    with pytest.raises(ProfileDamaged, match=r"profile\.json"):
        write_report(folder)
    (folder / "data" / "profile.json").unlink()
    (folder / "data" / "quarantine.parquet").write_bytes(b"PAR1")
    with pytest.raises(QuarantineDamaged, match=r"quarantine\.parquet"):
        write_report(folder)
    pl.DataFrame({"other": [1]}).write_parquet(folder / "data" / "quarantine.parquet")
    with pytest.raises(QuarantineDamaged):
        write_report(folder)
    (folder / "data" / "rows.parquet").write_bytes(b"")
    with pytest.raises(ArtefactDamaged):
        write_report(folder)
    assert (folder / "report.html").read_text(encoding="utf-8") == before[0]
    assert not list(folder.glob("*.partial-*"))


def test_a_folder_in_the_way(stages, tmp_path):
    folder = stages.copy(tmp_path / "project", data=False, front=False, decision=False)
    (folder / "report.html").mkdir()
    with pytest.raises(WrongKindOfFile, match=r"report\.html"):
        write_report(folder)
    assert not (folder / "model-card.md").exists()
    assert not list(folder.glob("*.partial-*"))


def test_experiments_that_were_reported_stand_in_the_card(stages, tmp_path):
    folder = stages.copy(tmp_path / "project", data=False, front=False, decision=False)
    said = {"name": "fee-1", "title": "Does it pay?", "design": "switchback", "state": "ended", "chain": "main"}
    said |= {"plan": "ab" * 32, "release": "cd" * 32, "against": "existing", "doubts": ["2 links were withheld."]}
    place = folder / "experiments" / "fee-1"
    place.mkdir(parents=True)
    (place / "summary.json").write_text(json.dumps(said | {"words": "No effect shown: 0.1 (-1 to 1)."}))
    _, card = made(folder)
    assert "**Does it pay?** (switchback on main, release `cdcdcdcdcdcdcdcd` against existing" in card
    assert "No effect shown" in card
    assert "2 links were withheld." in card
    (place / "summary.json").write_text("{}")
    with pytest.raises(ExperimentDamaged, match="Report it again"):
        made(folder)


def test_no_project_and_a_read_only_folder(stages, tmp_path, monkeypatch):
    with pytest.raises(NotFound):
        write_report(tmp_path)
    folder = stages.copy(tmp_path / "project", data=False, front=False, decision=False)
    folder.chmod(0o500)
    try:
        (folder / "probe").touch()
    except PermissionError:
        with pytest.raises(ReadOnly):
            write_report(folder)
    else:
        pytest.skip("this user may write anywhere")
    finally:
        folder.chmod(0o700)


def test_progress_is_told(stages, tmp_path):
    said = []
    write_report(stages.copy(tmp_path / "project"), progress=said.append)
    assert said == ["Reading the project", "Drawing", "Writing"]
