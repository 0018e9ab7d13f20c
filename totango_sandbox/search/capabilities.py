"""Which filters exist: seen in documentation or clients, or only inferred by analogy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Container

    from totango_sandbox.switches import Switches

# What a term may carry besides its operators.
_ANNOTATIONS: Final = frozenset(
    {"type", "term", "attribute", "query_term_id", "name", "account_role", "desc", "index"}
    | {"field_display_name", "display_name"}
)
_RANGES: Final = frozenset({"gte", "lte", "gt", "lt", "eq"})

# Filters that a document or a public client shows: (type, term or "") → operators.
_EVIDENCED: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("string", ""): frozenset({"in_list", "eq", "contains"}),
    ("string_attribute", ""): frozenset({"in_list", "eq"}),
    ("date", "date"): frozenset({"joker", "gte", "eq"}),
    ("simple_date_attribute", ""): frozenset({"joker"}),
    ("owner", ""): frozenset({"is_one_of"}),
    ("active_list", ""): frozenset({"is_in_one_of"}),
    ("lifecycle_attribute_stage_by_id", ""): frozenset({"in_list", "not_in_list"}),
    ("totango_user_scope", ""): frozenset({"is_one_of"}),
    ("parent_account", ""): frozenset({"terms"}),
    ("or", ""): frozenset({"or"}),
    ("event_property", ""): frozenset({"eq"}),
}
# Filters that would be there by analogy. Nobody has ever shown one for missing values.
_INFERRED: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("string", "identifier"): frozenset({"not_in_list"}),
    ("date", "date"): frozenset({"lte", "gt", "lt"}),
    ("date", "last_activity_time"): _RANGES | {"joker"},
    ("date", "first_activity_time"): _RANGES | {"joker"},
    ("date", "create_date"): _RANGES | {"joker"},
    ("date_attribute", ""): _RANGES | {"joker"},
    ("simple_date_attribute", ""): _RANGES,
    ("number", ""): _RANGES | {"in_list"},
    ("number_attribute", ""): _RANGES | {"in_list"},
    ("list_attribute", ""): frozenset({"in_list", "eq"}),
    ("event_property", ""): frozenset({"in_list"}),
}


def offered(switches: Switches, kind: str, term: object, operator: str) -> bool:
    """Return whether a filter is there, as switched.

    Args:
        switches: ``terms``, ``term.*`` and ``op.*``.
        kind: type of the term.
        term: what the term is about, for types that have several.
        operator: for example ``gte``.
    """
    kinds = [(kind, str(term)), (kind, "")]
    evidenced = any(operator in _EVIDENCED.get(key, ()) for key in kinds)
    inferred = any(operator in _INFERRED.get(key, ()) for key in kinds)
    if not (evidenced or inferred):
        return False
    names = (f"term.{kind}", f"term.{kind}.{term}", f"op.{kind}.{operator}")
    answers = switches.open_ended(*names)
    if answers:
        return "off" not in answers
    return evidenced or switches.text("terms") == "all"


def checked_operators(
    switches: Switches, kind: str, term: dict[str, Any], known: Container[str]
) -> dict[str, Any]:
    """Return the operators of a term and what they are given.

    Raises:
        ApiError: the type is not known here, or an operator is missing or not there.
    """
    operators = {name: value for name, value in term.items() if name not in _ANNOTATIONS}
    if kind not in known:
        msg = f"unknown term type {kind!r}"
        raise ApiError(msg)
    if not operators:
        msg = f"term {kind!r} has no operator"
        raise ApiError(msg)
    for name in operators:
        if not offered(switches, kind, term.get("term"), name):
            msg = f"term {kind!r} does not support {name!r}"
            raise ApiError(msg)
    return operators
