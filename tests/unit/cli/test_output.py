import io
import json

import pytest

from assay.cli.output import Output, progress, size


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_json_is_one_object_on_one_line(capsys):
    Output(json=True).table({"rows": 3}, "title", [("rows", "3")])
    assert capsys.readouterr().out == '{"rows": 3}\n'


def test_json_has_no_numbers_that_json_has_not():
    with pytest.raises(ValueError, match="JSON compliant"):
        Output(json=True).result({"x": float("nan")}, "")


def test_a_table_is_aligned(capsys):
    Output(json=False).table({}, "title", [("a", "1"), ("long name", "2")])
    assert capsys.readouterr().out == "title\n  a          1\n  long name  2\n"


def test_progress_is_silent_where_nobody_watches(capsys):
    with progress("first") as step:
        step("second")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("plain", [True, False])
def test_progress_names_the_step_on_a_terminal_and_honours_no_color(monkeypatch, plain):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress("first") as step:
        step("second step")
    assert "second step" in terminal.getvalue()
    assert ("\x1b[3" not in terminal.getvalue()) == plain


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_618_000_000, "2.6 GB"), (20_000_000, "20.0 MB")],
)
def test_sizes_are_for_people(count, text):
    assert size(count) == text


def test_json_keeps_floats_exact(capsys):
    Output(json=True).result({"x": [0.1 + 0.2]}, "")
    assert json.loads(capsys.readouterr().out) == {"x": [0.1 + 0.2]}
