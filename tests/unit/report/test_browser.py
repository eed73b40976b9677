"""The page in a real browser: at phone and desktop width, light and dark."""

import os
from pathlib import Path

import pytest
from tests.browser import WIDTHS, chromium, launched, opened, overflowing

from assay.report.write import write_for_people, write_report


@pytest.fixture(scope="module")
def browser():
    pytest.importorskip("playwright")
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed, so the page was NOT looked at: install one, or `playwright install`")
    with launched(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(stages, tmp_path_factory):
    base = tmp_path_factory.mktemp("pages")
    return {
        "people": write_for_people(stages.copy(base / "people")),
        "decided": write_report(stages.copy(base / "decided"))[0],
        "none": write_report(stages.copy(base / "none", gas=150_000))[0],
        "data": write_report(stages.copy(base / "data", front=False, decision=False))[0],
        "empty": write_report(stages.copy(base / "empty", data=False, front=False, decision=False))[0],
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["decided", "none", "data", "empty", "people"])
def test_nothing_overflows_fails_or_is_asked_for(browser, pages, kind, width, scheme):
    page, faults = opened(browser, pages[kind], width=width, scheme=scheme)
    assert overflowing(page) == []
    assert faults == []
    if folder := os.environ.get("ASSAY_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{kind}-{width}-{scheme}.png", full_page=True)
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_figures_fill_their_width(browser, pages, width):
    page, _ = opened(browser, pages["decided"], width=width)
    gaps = page.evaluate(
        """() => [...document.querySelectorAll(".panels, .bars, .columns, .stack")].flatMap(figure => {
            const whole = figure.parentElement.getBoundingClientRect();
            const own = figure.getBoundingClientRect();
            const parts = figure.matches(".panels") ? [...figure.children].map(one => one.getBoundingClientRect()) : [];
            const rows = [...new Set(parts.map(one => one.top))];
            const ends = rows.map(top => Math.max(...parts.filter(one => one.top === top).map(one => one.right)));
            return [own.right, ...ends].map(end => whole.right - end);
        })"""
    )
    page.close()
    assert len(gaps) > 3
    assert max(map(abs, gaps)) < 2


@pytest.mark.parametrize("width", WIDTHS)
def test_words_can_be_read_in_both_schemes(browser, pages, width):
    seen = {}
    for scheme in ("light", "dark"):
        page, _ = opened(browser, pages["decided"], width=width, scheme=scheme)
        found = page.evaluate(
            """() => ["body", "thead th", "td.good", "svg text.title", "figcaption", "a"].map(which => {
                const style = getComputedStyle(document.querySelector(which));
                return which.startsWith("svg") ? style.fill : style.color;
            }).concat(getComputedStyle(document.body).backgroundColor)"""
        )
        *texts, paper = (luminance(colour) for colour in found)
        for text in texts:
            light, dark = max(text, paper), min(text, paper)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (scheme, found)
        seen[scheme] = paper
        page.close()
    assert seen["light"] > 0.8
    assert seen["dark"] < 0.05


def luminance(colour):
    """Relative luminance of "rgb(r, g, b)" (WCAG 2)."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_heads_sort_tables(browser, pages):
    page, faults = opened(browser, pages["decided"], width=1280)
    table = page.locator("#front > .scroll table")
    head = table.locator("th", has_text="Gas")
    place = head.evaluate("one => one.cellIndex")

    def values():
        cells = table.locator(f"tbody tr td:nth-child({place + 1})").all()
        return [cell.get_attribute("data-v") for cell in cells]

    def numbers():
        return [float(value) for value in values() if value is not None]

    assert len(numbers()) > 1
    head.locator("button").click()
    assert numbers() == sorted(numbers())
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").press("Enter")
    assert numbers() == sorted(numbers(), reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    # What has no number stays at the end either way.
    assert None in values()
    assert values()[-1] is None
    names = table.locator("th", has_text="Model")
    names.locator("button").click()
    shown = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert [name.lower() for name in shown] == sorted(name.lower() for name in shown)
    assert head.get_attribute("aria-sort") is None
    assert faults == []
    page.close()


def test_a_figures_data_is_behind_it(browser, pages):
    page, _ = opened(browser, pages["decided"], width=390)
    for figure in page.locator("figure").all():
        details = figure.locator("details")
        assert details.count() == 1, figure.inner_text()
        details.locator("summary").click()
        assert details.locator("tbody tr").count() > 0
    page.close()
