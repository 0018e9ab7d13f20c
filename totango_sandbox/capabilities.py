"""Which filters exist: seen in documentation or clients, or only inferred by analogy."""

from __future__ import annotations

from typing import Final

from totango_sandbox.switches import Switches

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
    """Whether a filter is there, as switched.

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
    said = [switches.filters[name] for name in names if name in switches.filters]
    if said:
        return all(said)
    return evidenced or switches.text("terms") == "all"
