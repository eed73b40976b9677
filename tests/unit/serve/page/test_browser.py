"""The page in a real browser: it loads nothing from elsewhere, fits a phone, can be read by everyone, and is live."""

import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from tests.browser import WIDTHS, chromium, launched
from tests.unit.serve.page.test_page import ROW, ask
from tests.unit.serve.small import keep

from assay.serve import keys
from assay.serve.api.app import make_app
from assay.serve.work import Worker

AXE = Path(__file__).parents[4] / "node_modules" / "axe-core" / "axe.min.js"
PAGES = ("", "/answers", "/releases", "/releases/credit/2", "/transactions", "/settings")


@contextmanager
def served(app):
    """The application on a port of this machine; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        threading.Event().wait(0.02)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        app.state.assay.stopping.set()
        server.should_exit = True
        thread.join()


@pytest.fixture
def text(database, release, made_again):
    keep(database, made_again)
    return keys.make(database, "boss", ["admin"], who="test")[1]


@pytest.fixture
def browser():
    path = chromium()
    if path is None:
        pytest.skip("no Chromium is installed, so the page was NOT looked at")
    with launched(path) as found:
        yield found


def signed_in(browser, address, text, **options):
    page = browser.new_page(**options)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("request", lambda asked: faults.append(asked.url) if not asked.url.startswith(address) else None)
    page.goto(f"{address}/page")
    page.get_by_label("API key").fill(text)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{address}/page")
    return page, faults


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_fits_and_can_be_read(browser, settings, database, text, width, scheme):
    app = make_app(settings, database)
    with served(app) as address:
        name = ask_of(app, text)
        Worker(database, "worker").step()
        size = {"width": width, "height": 900}
        page, faults = signed_in(browser, address, text, viewport=size, color_scheme=scheme, bypass_csp=True)
        for path in (*PAGES, f"/answers/{name}"):
            page.goto(f"{address}/page{path}")
            wide, room = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
            assert wide <= room, path
            page.add_script_tag(path=AXE)
            found = page.evaluate("async () => (await axe.run()).violations.map(v => [v.id, v.nodes.map(n => n.html)])")
            assert found == [], path
        page.close()
        assert faults == []


@pytest.mark.slow
def test_the_page_lives_and_moves_who_decides_by_keyboard_alone(browser, settings, database, text):
    app = make_app(settings, database)
    with served(app) as address:
        page, faults = signed_in(browser, address, text)
        assert page.get_by_text("Nothing was asked yet").is_visible()
        name = ask_of(app, text)
        page.locator(f'a[href="/page/answers/{name}"]').wait_for()  # without a reload
        page.goto(f"{address}/page/answers/{name}")
        Worker(database, "worker").step()
        page.get_by_role("heading", name="Answered with a proof").wait_for()
        for number in range(2):
            ask_of(app, text, [float(number), 0, 0])
            Worker(database, "worker").step()
        page.goto(f"{address}/page")
        page.locator(".chart canvas").wait_for()
        page.goto(f"{address}/page/releases/credit/2")
        page.get_by_label("Why").focus()
        page.keyboard.type("better")
        page.keyboard.press("Tab")
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/page/releases")
        assert "credit@2 since" in page.locator(".way").inner_text()
        page.close()
        assert faults == []


def ask_of(app, text, row=ROW):
    from starlette.testclient import TestClient

    return ask(TestClient(app), text, row)
