"""Answers in a table of a PostgreSQL or SQLite database of somebody's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.record.database import read_url
from assay.record.errors import DatabaseUrl
from assay.serve.outputs.errors import OutputFails, OutputSettings, OutputTable
from assay.serve.outputs.row import COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import Engine, Table

_SECONDS = 10


class SqlTable:
    """A table that is upserted by the answers' ids.

    Parameters
    ----------
    url
        ``postgresql://..`` or ``sqlite:///..``.
    name
        Of the table; it is made where there is none.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url, self._name = url, name
        self._engine: Engine | None = None
        self._table: Table | None = None

    def give(self, rows: list[dict[str, Any]]) -> None:
        """Insert or replace these rows, all or none.

        Raises
        ------
        OutputFails
            The database does not take them.
        OutputTable
            There is a table of that name, of another form.
        """
        from sqlalchemy import exc
        from sqlalchemy.dialects import postgresql, sqlite

        try:
            table, engine = self._opened()
            dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
            asked = dialect.insert(table)
            changed = {name: asked.excluded[name] for name in COLUMNS if name != "id"}
            with engine.begin() as connection:
                connection.execute(asked.on_conflict_do_update(index_elements=["id"], set_=changed), rows)
        except exc.SQLAlchemyError as error:
            self.close()  # the file or the server may be another one the next time
            said = str(getattr(error, "orig", None) or error).splitlines()
            raise OutputFails(
                f"its database does not take the answers ({said[0]:.160})", "Check that it runs and may be written."
            ) from None

    def close(self) -> None:
        """Give back what is open."""
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._table = None

    def _opened(self) -> tuple[Table, Engine]:
        from sqlalchemy import create_engine

        if self._engine is None:
            self._engine = create_engine(self._address(), connect_args=self._limits(), pool_size=1)
        if self._table is None:
            self._table = self._prepared(self._engine)
        return self._table, self._engine

    def _address(self) -> Any:
        try:
            return read_url(self._url)
        except DatabaseUrl as error:
            raise OutputSettings(error.what, error.todo) from None

    def _limits(self) -> dict[str, Any]:
        if self._url.startswith("sqlite"):
            return {"timeout": _SECONDS}
        return {"connect_timeout": _SECONDS, "options": f"-c statement_timeout={_SECONDS}s -c lock_timeout={_SECONDS}s"}

    def _prepared(self, engine: Engine) -> Table:
        from sqlalchemy import BigInteger, Column, DateTime, Double, MetaData, Table, Text, inspect

        types = {"text": Text, "whole": BigInteger, "number": Double, "time": DateTime}
        columns: list[Column[Any]] = [
            Column(name, types[kind], primary_key=name == "id") for name, kind in COLUMNS.items()
        ]
        table = Table(self._name, MetaData(), *columns)
        table.metadata.create_all(engine)
        seen = inspect(engine)
        there = {column["name"] for column in seen.get_columns(self._name)}
        keys = [seen.get_pk_constraint(self._name)["constrained_columns"]]
        keys += [one["column_names"] for one in seen.get_unique_constraints(self._name)]
        absent = [name for name in COLUMNS if name not in there]
        if absent or ["id"] not in keys:
            lacks = f'has no column "{absent[0]}"' if absent else 'has no key "id"'
            raise OutputTable(
                f'its table "{self._name}" {lacks}', "Name another table: it is made where there is none."
            )
        return table
