"""Which families there are: Assay's own, and those of installed plug-ins."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from assay.models.errors import FamilyUnknown
from assay.models.families.family import Family

if TYPE_CHECKING:
    from assay.models.rows import Problem, Rows

ENTRY_POINTS = "assay.families"

# One file each; imported when asked for. A plug-in cannot take one of these names.
OWN = {
    "existing": "assay.models.existing:ExistingProcess",
    "linear": "assay.models.families.linear:Linear",
    "logistic": "assay.models.families.logistic:Logistic",
    "tree": "assay.models.families.tree:DecisionTree",
    "forest": "assay.models.families.forest:Forest",
    "xgboost": "assay.models.families.xgboost:Xgboost",
    "lightgbm": "assay.models.families.lightgbm:Lightgbm",
    "mlp": "assay.models.families.mlp:Mlp",
    "cnn1d": "assay.models.families.cnn1d:Cnn1d",
    "gru": "assay.models.families.gru:Gru",
    "lstm": "assay.models.families.lstm:Lstm",
    "bilstm": "assay.models.families.bilstm:Bilstm",
    "ewma": "assay.models.families.ewma:Ewma",
    "garch": "assay.models.families.garch:Garch",
    "har": "assay.models.families.har:Har",
}

EXISTING = "existing"


def names() -> list[str]:
    """Names of all families, Assay's own first."""
    others = {point.name for point in entry_points(group=ENTRY_POINTS)} - set(OWN)
    return [*OWN, *sorted(others)]


def family(name: str) -> Family:
    """The family of that name.

    Raises
    ------
    FamilyUnknown
        There is none, or its plug-in does not load.
    """
    if name in OWN:
        module, _, attribute = OWN[name].partition(":")
        kind = getattr(import_module(module), attribute)
    else:
        kind = _plugin(name)
    made: Family = kind()
    return made


def suitable(wanted: tuple[str, ...], problem: Problem, rows: Rows) -> tuple[list[Family], dict[str, str]]:
    """The families to try, and the names of the others with the reason why not.

    Parameters
    ----------
    wanted
        Names that the task allows; if empty all but those that have to be asked for.
    problem, rows
        What they have to learn.

    Raises
    ------
    FamilyUnknown
        A wanted name is none.
    """
    found, reasons = [], {}
    for name in wanted or tuple(names()):
        if name == EXISTING:
            continue
        one = family(name)
        reason = one.refuses(problem, rows)
        if reason is None and one.asked and not wanted:
            reason = "is tried where [explore] families names it"
        if reason is None:
            found.append(one)
        else:
            reasons[name] = reason
    return found, reasons


def _plugin(name: str) -> type[Family]:
    points = [point for point in entry_points(group=ENTRY_POINTS) if point.name == name]
    if not points:
        near = get_close_matches(name, names(), n=1)
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        raise FamilyUnknown(
            f'there is no model family called "{name}"', f"{hint}There are {', '.join(names())} ([explore] families)."
        )
    try:
        kind = points[0].load()
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise FamilyUnknown(
            f'the plug-in of the model family "{name}" does not load ({what:.160})', "Repair or remove its package."
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Family)):
        raise FamilyUnknown(
            f'the plug-in of the model family "{name}" is no assay.models.families.family.Family',
            "Repair or remove it.",
        )
    return kind
