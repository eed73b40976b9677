"""What this room refuses.

::

    AssayError
    └── TaskError                       task
        ├── TaskUnreadable              task/unreadable       no TOML
        ├── TaskField                   task/field            a field is unknown, missing or has a wrong value
        ├── TaskContradiction           task/contradiction    every field is fine, and together they cannot be
        ├── TemplateUnknown             task/template
        ├── ProjectExists               task/exists           `init` does not overwrite
        └── AnswerMissing               task/answer           `init` was not told what it has to know
"""

from __future__ import annotations

from assay.core.errors import AssayError


class TaskError(AssayError):
    """A task cannot be used."""

    code = "task"


class TaskUnreadable(TaskError):
    """A task file is not TOML."""

    code = "task/unreadable"


class TaskField(TaskError):
    """A field of the task is unknown, missing or has a value that is not allowed."""

    code = "task/field"


class TaskContradiction(TaskError):
    """Two wishes of the task cannot both be met, or it names something that is not there."""

    code = "task/contradiction"


class TemplateUnknown(TaskError):
    """There is no template of that name."""

    code = "task/template"


class ProjectExists(TaskError):
    """A project is there already."""

    code = "task/exists"


class AnswerMissing(TaskError):
    """A new project needs an answer that was not given, or the answer makes no sense."""

    code = "task/answer"
