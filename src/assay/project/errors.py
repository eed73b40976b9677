"""What this room refuses.

::

    AssayError
    └── ProjectError                    project
        ├── NoProject                   project/none       the folder has no task.toml
        ├── ProjectBusy                 project/busy       another process works in it
        ├── StepUnknown                 project/step
        └── StepMissing                 project/missing    what a step needs was not made yet
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ProjectError(AssayError):
    """A project cannot be worked with."""

    code = "project"


class NoProject(ProjectError):
    """The folder has no task.toml."""

    code = "project/none"


class ProjectBusy(ProjectError):
    """Another process works in this project."""

    code = "project/busy"
    retry = True


class StepUnknown(ProjectError):
    """There is no step of that name."""

    code = "project/step"


class StepMissing(ProjectError):
    """What a step needs was not made yet."""

    code = "project/missing"
