"""Where marks, ticks and labels lie."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.report.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Axis, Mark, scatter
from assay.report.render import code, markdown
from assay.report.table import UNKNOWN, short
from assay.report.words import gain, size, span, thousands


def drawn(points, **options):
    marks = [Mark(x, y, chr(65 + place), "front", "") for place, (x, y) in enumerate(points)]
    texts = {"x_title": "x", "x_words": str, "y_words": str, "about": "points"}
    return scatter("t", marks, **texts, **options)


FINITE = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9)


@given(st.lists(st.tuples(st.floats(0, 1e9), FINITE), min_size=1, max_size=12), st.none() | st.floats(1e-6, 1e9))
def test_everything_lies_in_the_drawing(points, limit):
    made = drawn(points, x_limit=limit, y_limit=0.05, zero=0.0)
    for mark in made.marks:
        assert LEFT <= mark.x <= WIDTH - RIGHT
        assert TOP <= mark.y <= HEIGHT - BOTTOM
    for tick in made.x_ticks:
        assert LEFT <= tick.at <= WIDTH - RIGHT
    for tick in made.y_ticks:
        assert TOP <= tick.at <= HEIGHT - BOTTOM
    assert 1 <= len(made.y_ticks) <= 12
    for place in (made.limit_y, made.zero_y):
        assert TOP <= place <= HEIGHT - BOTTOM
    assert made.limit_x is None or LEFT <= made.limit_x <= WIDTH - RIGHT


def test_better_is_higher_and_cheaper_is_left():
    cheap, dear = drawn([(1.0, 0.1), (2.0, 0.3)]).marks
    assert cheap.x < dear.x
    assert cheap.y > dear.y


def test_costs_of_different_orders_are_on_a_logarithmic_axis():
    made = drawn([(0.004, 0.1), (0.4, 0.2), (40.0, 0.3)])
    first, second, third = (mark.x for mark in made.marks)
    assert second - first == pytest.approx(third - second, abs=0.2)
    assert [tick.text for tick in made.x_ticks] == ["0.01", "0.1", "1.0", "10.0"]


def test_a_far_limit_does_not_squeeze_the_marks():
    assert drawn([(1.0, 0.1), (2.0, 0.2)], x_limit=1e6).limit_x is None
    assert drawn([(1.0, 0.1), (2.0, 0.2)], x_limit=4.0).limit_x is not None


def test_what_is_far_below_is_at_the_edge():
    marks = [Mark(1, 0.1, "", "front", ""), Mark(1, 0.08, "", "front", ""), Mark(1, -50.0, "", "other", "")]
    made = scatter("t", marks, x_title="", x_words=str, y_words=str, about="", zero=0.0)
    assert [mark.low for mark in made.marks] == [False, False, True]


def test_labels_do_not_cover_each_other():
    labels = [(mark.label_x, mark.label_y) for mark in drawn([(1.0, 0.1 + 0.002 * n) for n in range(4)]).marks]
    for one, other in itertools.combinations(labels, 2):
        assert abs(one[0] - other[0]) > 7 or abs(one[1] - other[1]) > 9


def test_ticks_are_round():
    assert Axis(0.0, 1.0).ticks() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert Axis(2.0, 9.0, log=True).ticks() == [2.0, 5.0]


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (short(0.16898), "0.169"),
        (short(0.16898, full=True), "0.1690"),
        (short(12345.6), "12,346"),
        (short(float("inf")), "not a number"),
        (gain(0.07), "+7.0 %"),
        (gain(-0.2), "-20 %"),
        (gain(None), UNKNOWN),
        (span(24.0), "24 s"),
        (span(21600.0), "6 hours"),
        (span(86400.0), "1 day"),
        (size(352), "352 bytes"),
        (size(50_264), "50 kB"),
        (thousands(1_000_000), "1M"),
        (thousands(1500), "1.5k"),
    ],
)
def test_numbers_in_words(made, wanted):
    assert made == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("volatility_day", "volatility_day"),
        ("_a_ *b*", r"\_a\_ \*b\*"),
        ("a|b\nc", r"a\|b c"),
        ("<b>[x](y)", r"\<b\>\[x\](y)"),
        ("&lt; \\", "\\&lt; \\\\"),
    ],
)
def test_markdown_shows_text_as_it_is(text, wanted):
    assert markdown(text) == wanted


def test_code_in_markdown():
    assert code("a_b") == "`a_b`"
    assert code("a`b|c") == "`` a`b|c ``"
