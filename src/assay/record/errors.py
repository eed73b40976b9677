"""What the records can be refused for.

::

    AssayError
    └── RecordError                     record
        ├── NoRecords                   record/none
        ├── DatabaseUnreachable         record/unreachable
        ├── DatabaseUrl                 record/url
        ├── DatabaseVersion             record/version
        ├── DatabaseBusy                record/busy
        ├── DatabaseFull                record/full
        ├── DatabaseDamaged             record/damaged
        ├── Unknown                     record/unknown
        ├── Conflict                    record/conflict
        ├── LeaseLost                   record/lease-lost
        ├── ArtefactAbsent              record/artefact-absent
        └── Unfit                       record/unfit
"""

from __future__ import annotations

from assay.core.errors import AssayError


class RecordError(AssayError):
    """Base of everything this room raises."""

    code = "record"


class NoRecords(RecordError):
    """The folder is no project, and no other database is named: records that are made there now would be empty."""

    code = "record/none"


class DatabaseUnreachable(RecordError):
    """The database's server or file cannot be opened."""

    code = "record/unreachable"
    retry = True


class DatabaseUrl(RecordError):
    """The address is none of a database that Assay works with."""

    code = "record/url"


class DatabaseVersion(RecordError):
    """The database was made or upgraded by another release of Assay."""

    code = "record/version"


class DatabaseBusy(RecordError):
    """Another process holds the database longer than one waits."""

    code = "record/busy"
    retry = True


class DatabaseFull(RecordError):
    """No space is left where the database is; what was begun is undone."""

    code = "record/full"
    retry = True


class DatabaseDamaged(RecordError):
    """The database's file is none, or parts of it are overwritten."""

    code = "record/damaged"


class Unknown(RecordError):
    """There is no such record."""

    code = "record/unknown"


class Conflict(RecordError):
    """A record of this name is there already, with another content."""

    code = "record/conflict"


class LeaseLost(RecordError):
    """Somebody else took over what this process held; its result does not count."""

    code = "record/lease-lost"
    retry = True


class ArtefactAbsent(RecordError):
    """No artefact of this digest is stored, or not all of it."""

    code = "record/artefact-absent"


class Unfit(RecordError):
    """A number or a text that no record can have, such as one of 80 digits or with the character NUL."""

    code = "record/unfit"
