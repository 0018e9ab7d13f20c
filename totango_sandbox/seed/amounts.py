"""How much to make up, as given on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from totango_sandbox.errors import SeedError

_AMOUNTS: Final = ("accounts", "users", "events", "collections", "seed")
_CHOICES: Final = {
    "activity": ("some", "all", "spread", "none"),
    "created": ("some", "all", "none"),
    "keys": ("all", "none"),
}


@dataclass(slots=True)
class Amounts:
    """How much to make up, and which rows have dates and keys.

    Attributes:
        collections: rows of the collection ``tickets``.
        activity: rows with a first and last activity: ``some`` (a third of them at the same
            moment), ``all``, ``spread`` (all, at moments of their own) or ``none``.
        created: accounts with a ``Create Date``: ``some``, ``all`` or ``none``.
        keys: accounts with a foreign key (``ofid``) and a Salesforce id (``sfid``): ``all`` or
            ``none``.
    """

    accounts: int = 2500
    users: int = 4000
    events: int = 300
    collections: int = 0
    seed: int = 1
    activity: str = "some"
    created: str = "some"
    keys: str = "none"


def parse_seed(text: str) -> Amounts | None:
    """Read ``accounts=N,users=N,events=N`` and what else there is; ``none`` is None.

    Raises:
        SeedError: it is neither.
    """
    if text.strip() == "none":
        return None
    amounts = Amounts(accounts=0, users=0, events=0)
    for part in text.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name in _CHOICES and value in _CHOICES[name]:
            setattr(amounts, name, value)
        elif name in _AMOUNTS and value.isdigit():
            setattr(amounts, name, int(value))
        else:
            also = ", ".join(f"{name}={'|'.join(values)}" for name, values in _CHOICES.items())
            msg = (
                f"--seed {text!r} is not like accounts=2500,users=4000,events=300 "
                f"(also collections=N, seed=N, {also})."
            )
            raise SeedError(msg)
    if amounts.users + amounts.events + amounts.collections and not amounts.accounts:
        msg = f"--seed {text!r}: users, events and collections need accounts to belong to."
        raise SeedError(msg)
    return amounts
