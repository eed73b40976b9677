"""What this room refuses, and what its sources could not give.

::

    AssayError
    └── DataError                       data
        ├── SettingsUnfit               data/settings         the task asks what this data or source cannot give
        ├── SourceUnreadable            data/unreadable       a file is cut short, damaged, or of another format
        ├── SourceEmpty                 data/empty            there is nothing to read
        ├── SourceUnknown               data/unknown-table    a table is named that no source or event makes
        ├── SqlFailed                   data/sql              a database refused, or is not there
        ├── ColumnMissing               data/column-missing   a column is missing or has another name
        ├── MixedTypes                  data/mixed-types      numbers and text in one column
        ├── ExpressionInvalid           data/expression       an SQL expression that cannot be evaluated row by row
        ├── FunctionFailed              data/function         a Python function of the project failed
        ├── RpcUnreachable              data/rpc-unreachable  no node answers (retry)
        ├── RpcRefused                  data/rpc-refused      the node limits or refuses requests (retry)
        ├── RpcWrongChain               data/rpc-chain        the node is on another chain than the task says
        ├── WebUnreachable              data/web-unreachable  a web service does not answer (retry)
        ├── WebRefused                  data/web-refused      a web service answers with an error (retry)
        ├── CollectionStopped           data/collection       a chunk failed after every retry (retry)
        ├── AbiMismatch                 data/abi-mismatch     logs do not fit the event's types
        ├── AbiInvalid                  data/abi              a signature or an ABI that cannot be read
        ├── BlocksMissing               data/gap              blocks are missing
        ├── Reorganised                 data/reorg            a block does not follow the one before
        ├── Duplicated                  data/duplicate        rows with equal keys
        ├── TimeBackwards               data/time-backwards   rows are not in the order of their time
        ├── ContractBroken              data/contract         rows break a rule whose on_fail is refuse
        ├── NotFinite                   data/not-finite       an infinity, or NaN in the target
        ├── ConstantColumn              data/constant         a feature has one value only
        ├── OnchainDiffers              data/onchain          a contract would compute another number
        ├── StateAbsent                 data/state-absent     a slot of a contract holds nothing
        ├── OneClass                    data/one-class        a part of the rows has one class only
        ├── TooFewRows                  data/too-few-rows     a part of the rows would be empty or tiny
        ├── Leaks                       data/leak             a feature knows the future or the target
        ├── RowsDamaged              data/rows-damaged     rows that were written down do not fit their columns
        └── NoDataset                   data/no-dataset       a folder that holds no dataset
"""

from __future__ import annotations

from assay.core.errors import AssayError


class DataError(AssayError):
    """Data cannot be collected or used."""

    code = "data"


class SettingsUnfit(DataError):
    """The task asks for something that this data, or this source, cannot give."""

    code = "data/settings"


class SourceUnreadable(DataError):
    """A file is cut short, damaged, or of another format than its source says."""

    code = "data/unreadable"


class SourceEmpty(DataError):
    """A source has no files or no rows."""

    code = "data/empty"


class SourceUnknown(DataError):
    """The task names a table that none of its sources and events makes."""

    code = "data/unknown-table"


class SqlFailed(DataError):
    """A database is not there, or refused the query."""

    code = "data/sql"


class ColumnMissing(DataError):
    """A column is missing, or has another name."""

    code = "data/column-missing"


class MixedTypes(DataError):
    """A column holds numbers and text, or a type that cannot be used here."""

    code = "data/mixed-types"


class ExpressionInvalid(DataError):
    """An SQL expression cannot be read, or does not look at one row at a time."""

    code = "data/expression"


class FunctionFailed(DataError):
    """A Python function of the project is absent, failed, or returned something else than one value a row."""

    code = "data/function"


class RpcUnreachable(DataError):
    """No node answers at the address, or not in time."""

    code = "data/rpc-unreachable"
    retry = True


class RpcRefused(DataError):
    """The node answers, and limits or refuses the requests."""

    code = "data/rpc-refused"
    retry = True


class RpcWrongChain(DataError):
    """The node is on another chain than the task says."""

    code = "data/rpc-chain"


class WebUnreachable(DataError):
    """A web service does not answer, or not in time, or breaks off."""

    code = "data/web-unreachable"
    retry = True


class WebRefused(DataError):
    """A web service limits or refuses the requests, or answers with something else than was asked for."""

    code = "data/web-refused"
    retry = True


class CollectionStopped(DataError):
    """A chunk of blocks could not be collected; those before it are kept."""

    code = "data/collection"
    retry = True


class AbiMismatch(DataError):
    """Logs do not fit the event's types, or none are of the event."""

    code = "data/abi-mismatch"


class AbiInvalid(DataError):
    """An event's signature or a contract's ABI cannot be read."""

    code = "data/abi"


class BlocksMissing(DataError):
    """Blocks are missing between the first and the last."""

    code = "data/gap"


class Reorganised(DataError):
    """A block does not follow the one before: the chain was reorganised while it was collected."""

    code = "data/reorg"


class Duplicated(DataError):
    """Rows have equal keys."""

    code = "data/duplicate"


class TimeBackwards(DataError):
    """Rows are not in the order of their time."""

    code = "data/time-backwards"


class ContractBroken(DataError):
    """Rows break a rule of [[data.checks]] whose on_fail is refuse."""

    code = "data/contract"


class NotFinite(DataError):
    """A feature has an infinity, or the target is no finite number."""

    code = "data/not-finite"


class ConstantColumn(DataError):
    """A feature has one value only."""

    code = "data/constant"


class OnchainDiffers(DataError):
    """A feature is declared to be computed on the chain, and a contract would compute another number."""

    code = "data/onchain"


class StateAbsent(DataError):
    """A slot of another contract holds nothing, which is more often a wrong slot than a zero."""

    code = "data/state-absent"


class OneClass(DataError):
    """A part of the rows has one class only."""

    code = "data/one-class"


class TooFewRows(DataError):
    """A part of the rows would be empty or tiny."""

    code = "data/too-few-rows"


class Leaks(DataError):
    """A feature knows the future or the target."""

    code = "data/leak"


class RowsDamaged(DataError):
    """Rows that were written down, as in a certificate, do not fit their columns."""

    code = "data/rows-damaged"


class NoDataset(DataError):
    """A folder holds no dataset."""

    code = "data/no-dataset"
