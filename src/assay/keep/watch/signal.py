"""A signal: one thing that is looked at, how it stands, and what to do if it stands badly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from assay.keep.watch.alarms import Alarm, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

State = Literal["well", "alarm", "between", "unknown"]
"""between: not well enough to take an alarm back, not bad enough to raise one. unknown: too little is known yet."""

TITLES = {
    "loss-promised": "Loss against what was promised",
    "loss-existing": "Loss against today's process",
    "outcomes-missing": "Outcomes arrive",
    "periods-missing": "Periods are answered",
    "inputs-missing": "Inputs that are missing",
    "inputs-range": "Inputs beyond training",
    "inputs-moved": "Inputs that moved",
    "outputs-moved": "Outputs that moved",
    "outputs-clamped": "Values at the ends of their ranges",
    "calibration": "Calibration",
    "fidelity": "Proofs say what the model says",
    "proving-slow": "Time of a proof",
    "proving-failed": "Proofs that fail",
    "periods-expired": "Answers that come too late",
    "latency": "Blocks until the answer acts",
    "money-gas": "What an answer costs",
    "money-spent": "What is spent in a day",
    "money-wasted": "Transactions in vain",
}
TODO = {
    "loss-promised": "train again on data up to now, or go back: `assay release back`",
    "loss-existing": "let the existing process decide until a better model is released: `assay release freeze`",
    "outcomes-missing": "see that the live loop runs and that the data of the label still arrive",
    "periods-missing": "see that `assay up` runs, that its node gives blocks, and `assay status`",
    "inputs-missing": "find out why the source no longer gives them before you trust an answer",
    "inputs-range": "check the source for a change of unit; if the world changed, train again",
    "inputs-moved": "look at the realised loss, and train again on data up to now",
    "outputs-moved": "look at the inputs that moved and at the realised loss",
    "outputs-clamped": "train again with rows that reach as far: beyond an end every value counts as the same one",
    "calibration": "train again, and until then do not act on the probabilities as if they were shares",
    "fidelity": "freeze the release, and report it: a proof must never say what the model does not",
    "proving-slow": "give the prover a faster or less busy machine, or more of them: `assay up --only work`",
    "proving-failed": "read the errors of the refused answers on the page, and `assay explain CODE`",
    "periods-expired": "look at proving times, the node and the fees; `assay explain settle/late`",
    "latency": "raise the fees that are paid (`max_fee_gwei`), or prove on a faster machine",
    "money-gas": "wait for cheaper gas, answer less often, or move to a cheaper chain",
    "money-spent": "see *Transactions* for what cost so much before the limit stops the service",
    "money-wasted": "see *Transactions* for why they failed or were replaced; give each program an account of its own",
}

CURED = frozenset(
    {
        *("loss-promised", "loss-existing", "calibration"),
        *("inputs-range", "inputs-moved", "outputs-moved", "outputs-clamped"),
    }
)
"""What a model that learns from newer rows may cure. Dear gas, a source or a node that is away: it does not."""
OF_MODEL = CURED | {"fidelity", "proving-slow", "proving-failed", "periods-expired", "latency"}
"""What may come of the model that decides, so that the one before may do better."""


@dataclass(frozen=True)
class Signal:
    """How one thing stands.

    Attributes
    ----------
    name
        Of its alarm, and its entry of the runbook.
    said
        One plain sentence without its full stop: how it stands.
    rows, since, about
        Of the alarm, if it is one.
    """

    name: str
    state: State
    said: str
    figures: dict[str, float] = field(default_factory=dict)
    rows: Rows = field(default_factory=lambda: Rows(0))
    since: float | None = None
    about: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called for people."""
        return TITLES[self.name]

    @property
    def todo(self) -> str:
        """What to do if it is an alarm."""
        return TODO[self.name]

    def alarm(self, release: str, chain: str | None, now: float) -> Alarm:
        """The alarm that it is."""
        since = now if self.since is None else self.since
        why = f"{self.said}: {self.todo}."
        return Alarm(self.name, release, why, self.rows, since, self.figures, chain, self.about)


def unknown(name: str, why: str) -> Signal:
    """A signal of which nothing can be said yet."""
    return Signal(name, "unknown", why)


def listed(names: Sequence[str], most: int = 4) -> str:
    """Names in a sentence."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
