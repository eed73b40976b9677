"""A real browser for pages: Debian's Chromium, or any other that is installed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path

WIDTHS = (390, 1280)


def chromium():
    """An installed Chromium, or the one that playwright has downloaded; None if there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.executable_path
    return found if Path(found).exists() else None


@contextmanager
def launched(path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser, path, *, width, scheme="light"):
    """The page, and what went wrong or was asked for while it opened."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith("file:") else None)
    page.goto(path.as_uri())
    return page, faults


def overflowing(page):
    """What is wider than the window, with all details closed and open."""
    found = []
    for state in (False, True):
        page.evaluate("open => document.querySelectorAll('details').forEach(one => one.open = open)", state)
        wide, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        found += [f"the page: {wide} of {room}"] if wide > room else []
    return found + page.evaluate(
        """() => Array.from(document.querySelectorAll("main *"))
            .filter(one => !one.closest(".scroll, pre, svg") && one.getBoundingClientRect().right > innerWidth + 1)
            .map(one => one.outerHTML.slice(0, 80))"""
    )
