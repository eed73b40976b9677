"""The `[research]` section of `task.toml`: what is known before any model is tried."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from assay.task.fields import Switch, Text
from assay.task.sections import Name, Section

Link = Annotated[str, StringConstraints(pattern=r"^https?://\S+$", max_length=500)]


class Work(Section):
    """What others did."""

    title: Name = Field(description="Authors, title, year; or the protocol that does it.")
    link: Link | None = Field(None, description="Where it can be read: https://...")
    finding: Text = Field(description="What they did and found, as far as it matters here.")


class Known(Section):
    """One source of information that could decide, whether it is used or not."""

    name: Name = Field(description="What it is; a source of [[data.sources]] by its name.")
    used_today: Switch = Field(default=False, description="Whether the existing process uses it.")
    for_a_person: Switch = Field(default=False, description="Whether a person who had to decide would want it.")
    known: Name = Field(description='When it is known: "at the end of the block", "a day later".')
    cost: Name = Field(description='What it costs: "free", "an archive node", "500 USD a month".')
    used: Switch = Field(description="Whether the models may use it.")
    why: Text = Field(description="Why it is used, or not.")


class Research(Section):
    """What is known before any model is tried: what others did, what is drawn from it, and which sources there are.

    It changes no result. The report shows it.
    """

    works: tuple[Work, ...] = Field((), description="What others did.")
    strategy: str = Field("", description="What is drawn from it: which features, horizons and models, and why.")
    sources: tuple[Known, ...] = Field((), description="Every source that was thought of, used or rejected.")


class People(Section):
    """Whom the answers are about, for the page that is written for them; it changes no result."""

    who: str = Field("", description='Who they are, in the words of the page: "people who borrow here".')
    effect: str = Field("", description="What an answer means for one of them, in a sentence or two.")
    contact: str = Field("", description="Whom to ask, or to object to: an address, a link, a name.")
    objection: str = Field("", description="What happens when somebody objects, in a sentence or two.")
