"""What rows pass on their way from a source: checks that refuse them or set them aside with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.data.expressions import wide

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl


@dataclass(frozen=True)
class Gate:
    """A check of a part of a table, in memory.

    Attributes
    ----------
    needs
        Columns that it looks at.
    passed
        Returns the rows that may pass, or raises.
    """

    needs: tuple[str, ...]
    passed: Callable[[pl.DataFrame], pl.DataFrame]


@dataclass
class Quarantine:
    """Rows that were set aside, with the table they are from and the reason."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    rows: int = 0

    def add(self, rows: pl.DataFrame, *, table: str, reason: str) -> None:
        """Set rows aside."""
        import polars as pl

        if not rows.height:
            return
        said = (pl.lit(table).alias("table"), pl.lit(reason).alias("reason"))
        shown = [_shown(name, dtype) for name, dtype in rows.schema.items() if not name.startswith("\x00")]
        values = pl.struct(shown).struct.json_encode() if shown else pl.lit("{}")
        self.frames.append(rows.select(*said, values.alias("row")))
        self.rows += rows.height

    def frame(self) -> pl.DataFrame | None:
        """All of them: columns `table`, `reason` and `row` (the values, as JSON); None if there are none."""
        import polars as pl

        return pl.concat(self.frames) if self.frames else None


def _shown(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column in a form that JSON has."""
    import polars as pl

    column = pl.col(name)
    if wide.is_wide(dtype):
        return wide.texts(column).alias(name)
    if dtype == pl.Binary:
        return pl.concat_str(pl.lit("0x"), column.bin.encode("hex")).alias(name)
    if dtype == pl.Duration:
        return column.dt.to_string("iso")
    if dtype in {pl.Int128, pl.UInt128} or dtype.is_temporal():
        return column.cast(pl.String)
    return column
