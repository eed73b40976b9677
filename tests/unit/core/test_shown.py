"""What objects say of themselves."""

from dataclasses import dataclass

from assay.core.shown import Shown, Told


@dataclass(frozen=True, repr=False)
class Thing(Shown):
    name: str
    content: bytes = b"x" * 50_000

    def _facts(self):
        return [("name", self.name), ("size", f"{len(self.content):,} bytes")]


class Report(Told):
    def __str__(self):
        return f"NOT OK: <b>{'x' * 400}\nrow 1"


def test_one_line_and_never_the_content():
    assert repr(Thing("a\nb")) == str(Thing("a\nb")) == "<Thing: name a b, size 50,000 bytes>"
    assert len(repr(Thing("y" * 10_000))) == 300


def test_a_notebook_shows_a_table_without_markup_of_others():
    shown = Thing("<script>alert(1)</script>")._repr_html_()
    assert "<script>" not in shown
    assert shown.count("<tr>") == 2
    assert len(Thing("y" * 10_000)._repr_html_()) < 1000


def test_a_report_is_its_first_line_and_a_notebook_shows_it_whole():
    assert repr(Report()).startswith("<Report: NOT OK: <b>xxx")
    assert len(repr(Report())) == 300
    assert "&lt;b&gt;" in Report()._repr_html_()
    assert Report()._repr_html_().endswith("\nrow 1</pre>")
