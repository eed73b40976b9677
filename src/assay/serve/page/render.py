"""From values to HTML: every value is escaped, nothing is marked as safe."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

import assay
from assay.serve.page import words

PAGES = {
    "now": "Now",
    "answers": "Answers",
    "watch": "Watch",
    "releases": "Releases",
    "transactions": "Transactions",
    "settings": "Settings",
}


def render(template: str, /, **values: Any) -> str:
    """A page by its template's name."""
    return _environment().get_template(f"{template}.html.j2").render(page=template, **values)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("assay.serve.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "moment": words.moment,
        "lasting": words.lasting,
        "ether": words.ether,
        "short": words.short,
        "tone": words.tone,
        "json": json.dumps,
    }
    made.globals |= {"pages": PAGES, "said": words.STATES, "version": assay.__version__}
    return made
