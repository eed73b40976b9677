"""Rows of a web service, from a real server that misbehaves: limits, failures, half answers, cursors that go round."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from tests.unit.data.small import make_task

from assay.core.errors import AssayError
from assay.data.build import build
from assay.data.errors import ColumnMissing, SettingsUnfit, SourceEmpty, SourceUnreadable, WebRefused, WebUnreachable
from assay.data.sources.context import Context
from assay.data.sources.open import open_source

ROWS = [{"id": i, "amount": f"{i}.25", "token": {"symbol": "AB"[i % 2]}, "wei": 10**20 + i} for i in range(1, 96)]


class Handler(BaseHTTPRequestHandler):
    """Answers with what the test's function makes of the parameters: (status, content)."""

    protocol_version = "HTTP/1.1"
    state = SimpleNamespace()

    def do_GET(self):
        self._answer(dict(parse_qsl(urlsplit(self.path).query)))

    def do_POST(self):
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, asked):
        state = self.state
        state.asked.append(asked)
        state.headers.append(dict(self.headers))
        fault = state.faults.pop(0) if state.faults else None
        if fault == "drop":
            self.close_connection = True
            self.connection.close()
            return
        status, content = fault or (200, state.page(asked))
        if not isinstance(content, bytes):
            content = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + (50 if fault and fault[0] == 206 else 0)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = status == 206

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    """A server; the test says what each page is (`page`) and what goes wrong before (`faults`)."""
    state = SimpleNamespace(asked=[], headers=[], faults=[], page=lambda _: ROWS)
    handler = type("Own", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1/key-9f3"
    yield state
    server.shutdown()
    server.server_close()


def opened(service, project, tmp_path, **options):
    source = {"name": "swaps", "kind": "web", "url": service.url, "retries": 2, **options}
    task = make_task({"sources": [source]})
    work = tmp_path / f"work-{len(list(tmp_path.iterdir()))}"
    work.mkdir()
    return open_source(task.data.sources[0], task.data, Context(project, work))["swaps"].frame()


def by_cursor(asked):
    start = int(asked.get("after", 0))
    rows = ROWS[start : start + 20]
    more = start + 20 < len(ROWS)
    return {"data": rows, "pageInfo": {"endCursor": str(start + 20) if more else None}}


CURSOR = {"rows": "data", "paging": "cursor", "parameter": "after", "cursor": "pageInfo.endCursor"}


def check_all(frame):
    assert frame["id"].to_list() == [row["id"] for row in ROWS]
    assert frame["amount"].to_list() == [float(row["amount"]) for row in ROWS]
    assert frame["wei"].to_list() == [row["wei"] for row in ROWS]  # wider than 64 bits, exact
    assert frame["token_symbol"].to_list() == [row["token"]["symbol"] for row in ROWS]


def test_one_page_is_rows(service, project, tmp_path):
    check_all(opened(service, project, tmp_path, parameters={"pool": "0xab", "all": True}))
    assert service.asked == [{"pool": "0xab", "all": "true"}]


@pytest.mark.parametrize(
    ("page", "options", "pages"),
    [
        (by_cursor, CURSOR, 5),
        (
            lambda asked: {"d": [row for row in ROWS if row["id"] > int(asked.get("id_gt", 0))][:20]},
            {"rows": "d", "paging": "last", "parameter": "id_gt", "cursor": "id"},
            6,
        ),
        (
            lambda asked: [row for row in ROWS if row["id"] >= int(asked["from"])][:20],
            {"paging": "last", "parameter": "from", "cursor": "id", "first": 0},
            6,
        ),
        (lambda asked: ROWS[int(asked["skip"]) :][:20], {"paging": "offset", "parameter": "skip"}, 6),
        (lambda asked: ROWS[(int(asked["page"]) - 1) * 20 :][:20], {"paging": "page", "parameter": "page"}, 6),
    ],
)
def test_every_way_of_paging_gives_every_row_once_and_asks_for_nothing_twice(
    service, project, tmp_path, page, options, pages
):
    service.page = page
    check_all(opened(service, project, tmp_path, **options))
    assert len(service.asked) == pages
    check_all(opened(service, project, tmp_path, **options))
    assert len(service.asked) == pages


def test_a_graphql_query_has_its_page_as_a_variable(service, project, tmp_path):
    service.page = lambda asked: {"data": {"swaps": by_cursor(asked["variables"])}}
    query = "query($after: String, $pool: String) { swaps(pool: $pool, after: $after) { id amount } }"
    more = {"rows": "data.swaps.data", "cursor": "data.swaps.pageInfo.endCursor"}
    check_all(opened(service, project, tmp_path, **CURSOR | more, query=query, parameters={"pool": "0xab"}))
    assert [asked["variables"].get("after") for asked in service.asked] == [None, "20", "40", "60", "80"]
    assert all(asked["query"] == query and asked["variables"]["pool"] == "0xab" for asked in service.asked)


@pytest.mark.parametrize("fault", ["drop", (429, b"slow down"), (500, b"oops"), (503, b"")])
def test_a_failure_that_passes_is_waited_out(service, project, tmp_path, fault):
    service.page = by_cursor
    service.faults = [None, fault, fault]
    check_all(opened(service, project, tmp_path, **CURSOR))


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ((429, b"slow down"), WebRefused, "answers 429: slow down. What was collected is kept"),
        ((500, b"oops"), WebRefused, "answers 500"),
        ((404, b"<html>gone</html>"), WebRefused, "answers 404"),
        ("drop", WebUnreachable, "gives no whole answer"),
        ((206, b'[{"id": 1}'), WebUnreachable, "gives no whole answer"),
        ((200, b"<html>log in</html>"), WebRefused, "something else than JSON"),
        ((200, b'{"data": [{"id": 1}'), WebRefused, "something else than JSON"),
        ((200, {"errors": [{"message": "no field swap"}]}), WebRefused, "refuses the query: .*no field swap"),
        ((200, {"rows": []}), SourceUnreadable, "no list of rows at data"),
        ((200, {"data": 5}), SourceUnreadable, "no list of rows at data"),
    ],
)
def test_a_failure_that_stays_is_said_and_costs_no_page(service, project, tmp_path, fault, error, words):
    service.page = by_cursor
    service.faults = [None, None, *[fault] * 5]
    with pytest.raises(error, match=words) as caught:
        opened(service, project, tmp_path, **CURSOR)
    assert "key-9f3" not in str(caught.value)
    service.faults, kept = [], len(list((project / "web" / "swaps").glob("*.json")))
    assert kept >= 2
    before = len(service.asked)
    check_all(opened(service, project, tmp_path, **CURSOR))
    assert [asked["after"] for asked in service.asked[before:]] == ["40", "60", "80"]


def test_nobody_there(service, project, tmp_path):
    with pytest.raises(WebUnreachable):
        opened(service, project, tmp_path, url="http://127.0.0.1:9/x", retries=0)
    with pytest.raises(SettingsUnfit, match="no address"):
        opened(service, project, tmp_path, url="ftp://example.org")


def test_pages_that_never_end_are_refused(service, project, tmp_path):
    service.page = lambda _: {"data": ROWS[:3], "pageInfo": {"endCursor": "same"}}
    with pytest.raises(WebRefused, match="says that the next is at 'same', as one before"):
        opened(service, project, tmp_path, **CURSOR)
    service.page = lambda _: ROWS[:3]  # a service that does not know `page`
    with pytest.raises(WebRefused, match="more than most_pages = 4 pages"):
        opened(service, project, tmp_path, folder="other", paging="page", parameter="page", most_pages=4)


def test_rows_that_are_lists_have_the_names_that_the_task_gives(service, project, tmp_path):
    service.page = lambda _: [[1735689600000 + i, f"{i}.5", "x"] for i in range(30)]
    frame = opened(service, project, tmp_path, columns=["open_time", "price"], time="open_time")
    assert frame.columns == ["open_time", "price"]
    assert str(frame["open_time"][0]) == "2025-01-01 00:00:00+00:00"
    with pytest.raises(SourceUnreadable, match="a list of 3 values, and columns names 0"):
        opened(service, project, tmp_path, folder="other")


@pytest.mark.parametrize(
    ("rows", "options", "error", "words"),
    [
        ([], {}, SourceEmpty, "gives no rows"),
        ([5], {}, SourceUnreadable, "5 is no row"),
        ([{"id": 1, "many": [1, 2]}], {}, SourceUnreadable, "many of row 1 holds several values"),
        ([{"a_b": 1, "a": {"b": 2}}], {}, SourceUnreadable, "two fields of a row would be the column a_b"),
        ([{"id": 1}], {"columns": ["price"]}, ColumnMissing, "no row has a field price"),
        ([{"id": 1}] * 9 + [{"id": "one"}], {}, AssayError, "'one'"),
    ],
)
def test_rows_that_are_none(service, project, tmp_path, rows, options, error, words):
    service.page = lambda _: rows
    with pytest.raises(error, match=words):
        opened(service, project, tmp_path, **options)


def test_another_query_is_not_mixed_with_what_is_kept(service, project, tmp_path):
    opened(service, project, tmp_path, parameters={"pool": "0xab"})
    with pytest.raises(SettingsUnfit, match="holds the answers to another query"):
        opened(service, project, tmp_path, parameters={"pool": "0xcd"})


def test_secrets_come_from_the_environment_and_go_to_the_service_only(service, project, tmp_path, monkeypatch):
    monkeypatch.setenv("SWAPS", service.url)
    monkeypatch.setenv("SWAPS_KEY", "secret-1")
    service.page = lambda _: [{"x": i % 7, "y": i % 11 + 0.5} for i in range(200)]
    source = {"name": "swaps", "kind": "web", "url": "$SWAPS", "headers": {"Authorization": "$SWAPS_KEY"}}
    build(make_task({"sources": [source], "may_repeat": ["rows"]}), project, project / "data")
    assert service.headers[0]["Authorization"] == "secret-1"
    written = [
        path.read_bytes() for folder in ("web", "data") for path in (project / folder).rglob("*") if path.is_file()
    ]
    assert not any(secret in text for text in written for secret in (b"secret-1", b"key-9f3"))
