"""What this room refuses: models, rows and circuits.

::

    AssayError
    ├── ModelError                      model
    │   ├── ModelUnreadable             model/unreadable     the file cannot be read at all
    │   ├── ModelMalformed              model/malformed      it was read, and contradicts itself
    │   └── ModelUnsupported            model/unsupported    it is fine, and Assay does not convert it
    ├── OptionError                     option               an argument of `transpile` makes no sense
    ├── CircuitMalformed                circuit/malformed    a circuit.json that is none
    └── RowsError                       rows
        ├── RowsUnreadable              rows/unreadable
        ├── RowsWidth                   rows/width
        │   └── ColumnsDiffer           rows/columns
        ├── LibraryRefuses              rows/library         the model's own predict does not take them
        ├── NotANumber                  rows/not-a-number
        ├── MissingValue                rows/missing
        └── OutOfRange                  rows/out-of-range
"""

from __future__ import annotations

from assay.core.errors import AssayError


class ModelError(AssayError):
    """A model cannot be converted."""

    code = "model"


class ModelUnreadable(ModelError):
    """A model file is absent, truncated, or of no format that is read."""

    code = "model/unreadable"


class ModelMalformed(ModelError):
    """A model contradicts itself: a child that does not exist, a cycle, a threshold that is not a number."""

    code = "model/malformed"


class ModelUnsupported(ModelError):
    """A model of a kind that is not converted."""

    code = "model/unsupported"


class OptionError(AssayError):
    """An argument of `transpile` makes no sense for this model."""

    code = "option"


class CircuitMalformed(AssayError):
    """A circuit file does not hold a circuit."""

    code = "circuit/malformed"


class CircuitVersion(CircuitMalformed):
    """A circuit file is of a format version that this release does not read."""

    code = "circuit/version"


class RowsError(AssayError):
    """Input rows cannot be used."""

    code = "rows"


class RowsUnreadable(RowsError):
    """A file of rows is absent, truncated, or of no format that is read."""

    code = "rows/unreadable"


class RowsWidth(RowsError):
    """A row does not have one value for each feature."""

    code = "rows/width"


class ColumnsDiffer(RowsWidth):
    """The columns' names are not the model's."""

    code = "rows/columns"


class LibraryRefuses(RowsError):
    """The model's own library does not predict these rows."""

    code = "rows/library"


class NotANumber(RowsError):
    """A value is text, or a number that is no whole number where one is needed."""

    code = "rows/not-a-number"


class MissingValue(RowsError):
    """A value is missing and the model does not say what to do then."""

    code = "rows/missing"


class OutOfRange(RowsError):
    """A value lies outside the range that the circuit was made for."""

    code = "rows/out-of-range"
