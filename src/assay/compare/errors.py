"""What comparing can be refused for.

::

    AssayError
    └── CompareError                    compare
        ├── NotComparable               compare/not-comparable
        ├── LinkRefused                 compare/link-refused
        ├── PlanUnreadable              compare/plan-unreadable
        ├── PlanUnfit                   compare/plan-unfit
        ├── PlanChanged                 compare/plan-changed
        ├── PlanNotOnChain              compare/plan-not-on-chain
        ├── StartPassed                 compare/start-passed
        ├── ArmUnfit                    compare/arm-unfit
        ├── ExperimentRuns              compare/experiment-runs
        ├── NoExperiment                compare/no-experiment
        ├── NotTheGuardian              compare/not-the-guardian
        └── OutcomesUnfit               compare/outcomes-unfit
"""

from __future__ import annotations

from assay.core.errors import AssayError


class CompareError(AssayError):
    """Base of everything this room raises."""

    code = "compare"


class NotComparable(CompareError):
    """The units, outcomes or shares allow no comparison."""

    code = "compare/not-comparable"


class LinkRefused(CompareError):
    """What is shown as a link of the hash chain is none."""

    code = "compare/link-refused"


class PlanUnreadable(CompareError):
    """The plan's file is no TOML text."""

    code = "compare/plan-unreadable"


class PlanUnfit(CompareError):
    """A field of the plan says what cannot be."""

    code = "compare/plan-unfit"


class PlanChanged(CompareError):
    """The plan's file is not what was agreed when the experiment started."""

    code = "compare/plan-changed"


class PlanNotOnChain(CompareError):
    """No contract of the experiment has this plan's digest."""

    code = "compare/plan-not-on-chain"


class StartPassed(CompareError):
    """The experiment's first block is not in the future any more."""

    code = "compare/start-passed"


class ArmUnfit(CompareError):
    """An arm cannot decide: no such release, frozen, retired, or without a contract or traffic."""

    code = "compare/arm-unfit"


class ExperimentRuns(CompareError):
    """Another experiment of the project runs on the chain."""

    code = "compare/experiment-runs"


class NoExperiment(CompareError):
    """No experiment was started."""

    code = "compare/no-experiment"


class NotTheGuardian(CompareError):
    """The account may not stop the experiment."""

    code = "compare/not-the-guardian"


class OutcomesUnfit(CompareError):
    """Outcomes that are brought in belong to no unit, or say otherwise than before."""

    code = "compare/outcomes-unfit"
