"""What keeps an output from going on.

::

    ServeError
    └── OutputFails                     output; tried again
        ├── OutputSettings              output/settings
        ├── OutputTable                 output/table
        ├── PrivateAddress              output/private-address
        └── OutputGone                  output/gone; never again
"""

from __future__ import annotations

from assay.serve.errors import ServeError


class OutputFails(ServeError):
    """The output's database, file or address does not take the answers now."""

    code = "output/fails"
    retry = True


class OutputSettings(OutputFails):
    """What is declared cannot be used: no such variable, a secret that others may read, an address that is none."""

    code = "output/settings"


class OutputTable(OutputFails):
    """There is a table of that name, of another form."""

    code = "output/table"


class PrivateAddress(OutputFails):
    """The webhook's name leads to an address that is not a public one."""

    code = "output/private-address"


class OutputGone(OutputFails):
    """The receiver says that it is gone for ever (410)."""

    code = "output/gone"
    retry = False
