"""Faults on demand.

A rule is ``<fault>@<surface>[:<when>]…``, for example ``429@search:3`` or
``drop@tracking:every=100`` or ``answer@hub:every=5:applied:say={"success": false}``.

Faults
    NNN             this HTTP status, 400 to 599 (a 429 looks like the real one)
    html            200 with a page that is no JSON
    failed200       200 with {"status": "failed", …}
    errors200       200 with {"errors": …}
    error200        200 with {"error": {…}}
    redirect        302 to ``to``
    answer          ``status`` with the body that ``say`` gives: a page, JSON, text or nothing
                    (all of these do not process the call, unless the rule says ``applied``)
    timeout         processed never, the connection is held for ``hang`` seconds, then closed
    timeout-after   likewise, but processed
    drop            processed, then the connection is closed without an answer
    drop-before     the connection is closed without an answer, unprocessed
    truncate        processed; the answer stops in the middle of its body
    slow=SECONDS    a delay, then everything as usual (and other rules still apply)
    duplicate-page  a search answers with the rows of the page before
    short-page      a search answers with half of the rows that it should
    shift           before a search answers, a row that sorts first is inserted
    shift-delete    before a search answers, the row that sorts first is deleted
    nan, infinity   a search answers with NaN or Infinity in the row in the middle
    control         a search answers with a raw control character in the row in the middle

Surfaces
    search (= accounts + users), accounts, users, scroll, events, attributes, account, domains,
    delete, touchpoint_types, touchpoint_tags, activity_types, objective_statuses and
    objective_categories (together: reference), staff, teams, audit, jobs, plans, collections,
    touchpoints, tasks, api (= all of these), hub, tracking, all

When (all conditions of a rule must hold; without any it always applies)
    N               the Nth call on that surface since the rule was made, counted from 1
    every=N         each Nth call
    p=0.05          a share of calls, chosen by a fixed seed
    match=TEXT      the text occurs in the body or the query, encoded or not
    times=N         at most N times
    hang=SECONDS    for timeouts (default 30)
    retry=SECONDS   Retry-After of a 429 (default 1)
    applied         the call is processed, and only its answer replaced
    status=NNN      status of an ``answer`` (default 200)
    to=URL          for redirects; everything after it belongs to the URL
    say=TEXT        body of an ``answer``, words of a failure; everything after it belongs to it
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from totango_sandbox.errors import FaultRuleError

if TYPE_CHECKING:
    from collections.abc import Callable

SEARCH: Final = frozenset({"accounts", "users"})
REFERENCE: Final = frozenset(
    {
        "touchpoint_types",
        "touchpoint_tags",
        "activity_types",
        "objective_statuses",
        "objective_categories",
    }
)
REST: Final = (
    SEARCH
    | REFERENCE
    | {"scroll", "events", "attributes", "account", "domains", "delete"}
    | {"staff", "teams", "audit", "jobs", "plans", "collections", "touchpoints", "tasks"}
)
ALL: Final = REST | {"hub", "tracking"}
_GROUPS: Final = {"search": SEARCH, "reference": REFERENCE, "api": REST, "all": ALL}
PLAYED_BY_HANDLER: Final = frozenset(
    {"duplicate-page", "short-page", "shift", "shift-delete", "nan", "infinity", "control"}
)
ANSWERS: Final = frozenset({"html", "failed200", "errors200", "error200", "redirect", "answer"})
BEFORE: Final = frozenset({"timeout", "drop-before"})
AFTER: Final = frozenset({"timeout-after", "drop", "truncate"})
_NAMED: Final = ANSWERS | BEFORE | AFTER | PLAYED_BY_HANDLER
_FAULT_STATUS: Final = re.compile(r"[45]\d\d")
_SEED: Final = 20_240_229


@dataclass(slots=True)
class FaultRule:
    """One fault, where it strikes, and when."""

    spec: str
    fault: str
    surfaces: frozenset[str]
    nth: int = 0
    every: int = 0
    probability: float | None = None
    match: str = ""
    times: int = 0
    hang: float = 30.0
    retry: float = 1.0
    applied: bool = False
    status: int = 200
    to: str = ""
    say: str = "the sandbox was told to fail"
    delay: float = 0.0
    seen: int = 0
    struck: int = 0

    @property
    def is_answer(self) -> bool:
        """Whether it puts another answer in the place of the real one."""
        return self.fault in ANSWERS or self.fault.isdigit()

    def strikes(self, dice: random.Random, text: str) -> bool:
        """Return whether the next call on the surface is hit; counts it either way."""
        self.seen += 1
        hit = (
            (not self.times or self.struck < self.times)
            and (not self.nth or self.seen == self.nth)
            and (not self.every or self.seen % self.every == 0)
            and (self.probability is None or dice.random() < self.probability)
            and (not self.match or self.match in text)
        )
        self.struck += hit
        return hit


class FaultInjector:
    """All rules in force."""

    def __init__(self) -> None:
        self.rules: list[FaultRule] = []
        self._kept: list[str] = []
        self._dice = random.Random(_SEED)  # noqa: S311 (repeatable on purpose)

    def replace(self, specs: list[str]) -> None:
        """Put these rules in the place of all others, with fresh counters.

        Raises:
            FaultRuleError: one of them cannot be read; the old ones stay.
        """
        self.rules = [parse_rule(spec) for spec in specs]
        self._dice.seed(_SEED)

    def keep(self) -> None:
        """Remember the rules that are in force now."""
        self._kept = [rule.spec for rule in self.rules]

    def restore(self) -> None:
        """Put back the rules that were remembered."""
        self.replace(self._kept)

    def restart(self) -> None:
        """Count calls from the beginning again."""
        self.replace([rule.spec for rule in self.rules])

    def strike(self, surface: str, query: bytes, body: bytes) -> list[FaultRule]:
        """Return the rules that hit a call."""
        concerned = [rule for rule in self.rules if surface in rule.surfaces]
        if not concerned:
            return []
        text = ""
        if any(rule.match for rule in concerned):
            raw = query.decode("latin-1") + "\n" + body.decode("utf-8", errors="replace")
            text = raw + "\n" + unquote_plus(raw)
        return [rule for rule in concerned if rule.strikes(self._dice, text)]


def parse_rule(spec: str) -> FaultRule:
    """Read one rule.

    Raises:
        FaultRuleError: it is not of the form described above.
    """
    fault, at, rest = spec.strip().partition("@")
    if not at:
        msg = f"fault {spec!r} is not of the form fault@surface[:when]"
        raise FaultRuleError(msg)
    surface, _, when = rest.partition(":")
    if surface not in _GROUPS and surface not in ALL:
        known = ", ".join([*_GROUPS, *sorted(ALL)])
        msg = f"fault {spec!r}: there is no surface {surface!r}; there are {known}"
        raise FaultRuleError(msg)
    rule = FaultRule(spec, fault, _GROUPS.get(surface, frozenset({surface})))
    name, equals, value = fault.partition("=")
    if name == "slow" and equals:
        rule.fault, rule.delay = "slow", _number(spec, value)
    elif fault not in _NAMED and not _FAULT_STATUS.fullmatch(fault):
        known = ", ".join(["NNN", "slow=SECONDS", *sorted(_NAMED)])
        msg = f"fault {spec!r}: there is no fault {fault!r}; there are {known}"
        raise FaultRuleError(msg)
    _read_conditions(rule, when)
    if rule.applied and not rule.is_answer:
        msg = f"fault {spec!r}: applied is for faults that answer"
        raise FaultRuleError(msg)
    if rule.fault == "redirect" and not rule.to:
        msg = f"fault {spec!r}: a redirect needs to=URL"
        raise FaultRuleError(msg)
    return rule


def _read_conditions(rule: FaultRule, when: str) -> None:
    while when:
        name, equals, rest = when.partition("=")
        if equals and name in _TO_THE_END:
            setattr(rule, name, rest)
            return
        condition, _, when = when.partition(":")
        name, equals, value = condition.partition("=")
        if condition == "applied":
            rule.applied = True
        elif not equals:
            rule.nth = _whole(rule.spec, name)
        elif name in _CONDITIONS and value:
            field, read = _CONDITIONS[name]
            setattr(rule, field, read(rule.spec, value))
        else:
            msg = f"fault {rule.spec!r}: {condition!r} is no condition"
            raise FaultRuleError(msg)


def _whole(spec: str, text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        msg = f"fault {spec!r}: {text!r} is not a whole number from 1"
        raise FaultRuleError(msg)
    return int(text)


def _status(spec: str, text: str) -> int:
    if re.fullmatch(r"[2-5]\d\d", text) is None:
        msg = f"fault {spec!r}: {text!r} is not an HTTP status"
        raise FaultRuleError(msg)
    return int(text)


def _number(spec: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not value >= 0:
        msg = f"fault {spec!r}: {text!r} is not a number from 0"
        raise FaultRuleError(msg)
    return value


_TO_THE_END: Final = frozenset({"to", "say"})
_CONDITIONS: Final[dict[str, tuple[str, Callable[[str, str], object]]]] = {
    "every": ("every", _whole),
    "times": ("times", _whole),
    "p": ("probability", _number),
    "match": ("match", lambda _spec, text: text),
    "hang": ("hang", _number),
    "retry": ("retry", _number),
    "status": ("status", _status),
}
