"""The documentation as a site: it builds without a warning, no link leads nowhere, and questions find their answers."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tools import reference, site

ROOT = Path(__file__).parents[2]
ASKED = [
    "How do I update the model behind a consumer?",
    "How do I bind inputs to chain state?",
    "How do I keep a proof from being replayed?",
    "How do I turn an output into my fixed point?",
    "What does it cost me a month?",
    "What do I do when the prover dies?",
    "How do I leave Assay with everything that is mine?",
]


def test_no_link_of_any_page_leads_nowhere():
    found = {page.relative_to(ROOT).as_posix(): list(site.links(page)) for page in site.pages()}
    assert len(found["docs/index.md"]) > 20


def test_a_broken_link_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# A *title*: `x`\n\n```md\n[fine](in-code.md)\n```\n[here](#a-title-x) [gone](gone.md#x)\n")
    with pytest.raises(site.BrokenLink, match=r"page\.md:6 links to gone\.md#x, which is not there"):
        list(site.links(page))
    page.write_text("# A title\n[there](#another-title)\n")
    with pytest.raises(site.BrokenLink, match=r"page\.md:2 .* no such heading"):
        list(site.links(page))


@pytest.mark.parametrize("name", ["commands.md", "errors.md", "api.md", "contracts.md"])
def test_generated_pages_are_the_codes(name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], "run `make docs`"


@pytest.mark.parametrize("question", ASKED)
def test_each_question_has_an_answer_that_leads_on(question):
    text = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    answer = text.split(f"## {question}\n")[1].split("\n## ")[0]
    assert re.search(r"\]\(\w+/[\w-]+\.md\)", answer)


@pytest.mark.slow
def test_the_site_builds_and_its_search_finds_the_questions():
    done = subprocess.run([str(shutil.which("make")), "site"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    index = json.loads((ROOT / "site" / "search.json").read_text(encoding="utf-8"))
    titles = {one["title"] for one in index["items"]}
    assert not [question for question in ASKED if question not in titles]
    pages = list((ROOT / "site").rglob("*.html"))
    assert len(pages) >= len(site.pages())
    asked_for = re.compile(r'(?:src|href)="https?://(?!zensical\.org)')
    assert not [page for page in pages if "docs/index" in str(page) and asked_for.search(page.read_text())]
