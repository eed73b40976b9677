"""What keeping can be refused for.

::

    AssayError
    └── KeepError                       keep
        ├── BackupDamaged               keep/backup-damaged
        ├── NotEmpty                    keep/not-empty
        ├── NothingToKeep               keep/nothing-to-keep
        ├── NothingToDispute            keep/nothing-to-dispute
        ├── OtherRows                   keep/other-rows
        ├── DisputeAltered              keep/dispute-altered
        ├── NothingToCertify            keep/nothing-to-certify
        ├── CertificateAltered          keep/certificate-altered
        ├── NothingToCompare            keep/nothing-to-compare
        ├── NoEntry                     keep/no-entry
        └── NoSuchAlarm                 keep/no-such-alarm
"""

from __future__ import annotations

from assay.core.errors import AssayError


class KeepError(AssayError):
    """Base of everything this room raises."""

    code = "keep"


class BackupDamaged(KeepError):
    """The file is no backup, or not as it was written."""

    code = "keep/backup-damaged"


class NothingToKeep(KeepError):
    """The database has no release: what was meant is elsewhere."""

    code = "keep/nothing-to-keep"


class NotEmpty(KeepError):
    """A backup would be written over what is there."""

    code = "keep/not-empty"


class OtherRows(KeepError):
    """Rows are given that are not those of the answer."""

    code = "keep/other-rows"


class NothingToDispute(KeepError):
    """The answer has no proof."""

    code = "keep/nothing-to-dispute"


class DisputeAltered(KeepError):
    """The file is no dispute file, or something in it does not fit the rest."""

    code = "keep/dispute-altered"


class NothingToCertify(KeepError):
    """What may be shown of the test rows does not say how good the model is on them."""

    code = "keep/nothing-to-certify"


class CertificateAltered(KeepError):
    """The file is no certificate, or cannot be read as one."""

    code = "keep/certificate-altered"


class NothingToCompare(KeepError):
    """No contract stands at the address, or nothing is given that it could be compared with."""

    code = "keep/nothing-to-compare"


class NoEntry(KeepError):
    """The runbook has no entry of this name."""

    code = "keep/no-entry"


class NoSuchAlarm(KeepError):
    """An alarm is to be taken back that does not stand, or without a reason."""

    code = "keep/no-such-alarm"
