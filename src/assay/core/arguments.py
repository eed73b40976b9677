"""Arguments of the public verbs: one of the wrong kind is refused by name, before anything is done with it."""

from __future__ import annotations

from assay.core.errors import WrongType

_ARTICLES = {True: "an", False: "a"}


def expect(value: object, kind: type, *, name: str, call: str, hint: str = "") -> None:
    """Refuse an argument that is not of its kind.

    Parameters
    ----------
    value
        What was given.
    kind
        What it has to be.
    name
        The argument's.
    call
        How the verb is called, as code.
    hint
        What to do, where more can be said than how the verb is called.

    Raises
    ------
    WrongType
        It is of another kind.
    """
    if not isinstance(value, kind):
        given, wanted = named(type(value)), named(kind)
        raise WrongType(f"{name} is {given}, and has to be {wanted}", hint or f"Call {call}.")


def named(kind: type) -> str:
    """A class with its article: "a Proof", "an int"."""
    name = "None" if kind is type(None) else kind.__name__
    return name if name == "None" else f"{_ARTICLES[name[0].lower() in 'aeiou']} {name}"
