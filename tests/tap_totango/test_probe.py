"""`tap-totango probe`: each switch of the sandbox in each position, the profile, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

from tap_totango.probe import QUESTIONS
from tap_totango.probe.columns import _computed
from tap_totango.probe.command import MAX_CALLS, OF_WHAT_IS_LEFT
from tap_totango.probe.service import ProbedService
from totango_api.config import Connection
from totango_api.errors import RefusedError
from totango_api.http import ApiClient
from totango_api.probe import Caller, asked, caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandboxes import Sandbox

ALL = 1000
BY_NAME = {question.name: question for question in QUESTIONS}
ASKED = set(BY_NAME) - {"list_offset"}
"""Where no list of the user's own is set: see test_probe_own_lists.py."""

# Question, answer with every switch at its default, and others by the switches that bring them.
POSITIONS: list[tuple[str, str, dict[str, dict[str, str]]]] = [
    ("page_size", "as asked", {"refused": {"page_max": "500", "count_over": "error"}}),
    ("page_size", "as asked", {"fewer": {"page_max": "500"}}),
    (
        "page_behind_window",
        "refused",
        {"served": {"beyond_window": "serve"}, "empty": {"beyond_window": "empty"}},
    ),
    (
        "window_rows",
        "10000",
        {
            "5000": {"window_rows": "5000"},
            "1234": {"window_rows": "1234"},
            "at least 10100": {"window_rows": "20000"},
            "10050": {"window_rows": "10050"},
        },
    ),
    ("ties", "unstable", {"stable": {"ties": "stable"}}),
    (
        "total_hits",
        "right",
        {"missing": {"total_hits": "missing"}, "off by -2": {"total_hits": "off_by:-2"}},
    ),
    ("double_decoding", "once", {"twice": {"double_decode": "on"}}),
    ("teams", "all seen", {"some unseen": {"global_team": "required"}}),
    ("failure_status", "400", {"200": {"failed_status": "200"}, "500": {"failed_status": "500"}}),
    (
        "activity_filter",
        "accepted",
        {
            "refused": {"terms": "evidenced"},
            "ignored": {"terms": "evidenced", "unsupported_term": "ignore"},
            "gte only": {"op.date.lte": "off"},
        },
    ),
    (
        "creation_filter",
        "accepted",
        {"refused": {"terms": "evidenced"}, "gte only": {"op.date_attribute.lte": "off"}},
    ),
    ("first_activity_filter", "accepted", {"refused": {"term.date.first_activity_time": "off"}}),
    ("events_filter", "accepted", {"gte only": {"terms": "evidenced"}}),
    ("unknown_filter", "refused", {"ignored": {"unsupported_term": "ignore"}}),
    (
        "exclusion_filter",
        "accepted",
        {
            "refused": {"op.string.not_in_list": "off"},
            "ignored": {"op.string.not_in_list": "off", "unsupported_term": "ignore"},
        },
    ),
    ("unknown_status", "found", {"refused": {"term.string.status_group": "off"}}),
    ("unknown_column", "null", {"refused": {"unknown_field_attribute": "error"}}),
    ("account_columns", "in the account", {"after the user's": {"parent_fields": "appended"}}),
    ("account_columns", "in the account", {"nowhere": {"parent_fields": "none"}}),
    ("simple_dates", "day", {"time": {"simple_dates": "datetime"}}),
    ("choices", "text", {"array": {"multi_list": "array"}}),
    (
        "columns",
        "all given",
        {"1 refused": {"field.owner": "off"}, "2 refused": {"field.number": "off"}},
    ),
    ("events_offset", "pages", {"rows": {"events_offset": "row"}}),
    ("events_order", "newest first", {"oldest first": {"events_order": "asc"}}),
    ("events_total", "not counted", {"counted": {"events_total": "on"}}),
    (
        "attributes",
        "named",
        {
            "refused": {"attributes_json": "off"},
            "missing": {"attributes_json": "404"},
            "no JSON": {"attributes_json": "html"},
            "empty": {"attributes_json": "empty"},
            "another shape": {"attributes_json": "odd"},
        },
    ),
    ("owner_types", "text", {"role": {"role_type": "role"}}),
    (
        "reference_shape",
        "as documented",
        {
            "a list": {"reference_shape": "list"},
            "keyed by id": {"reference_shape": "object"},
            "under one more key": {"reference_shape": "nested"},
        },
    ),
    (
        "reference_names",
        "both",
        {"underscores": {"reference_names": "snake"}, "capitals": {"reference_names": "camel"}},
    ),
    ("options", "texts", {"not named": {"options_shown": "off"}}),
    ("options", "texts", {"objects": {"options_shown": "objects"}}),
    ("scroll", "there", {"not there": {"scroll": "off"}}),
    ("scroll_retry", "advances", {"repeats": {"scroll_retry": "repeat"}}),
    ("audit_year", "refused", {"given": {"audit_year": "exclusive"}}),
    (
        "collections",
        "among hits",
        {"in the response": {"list_shape": "rows"}, "at the top": {"list_shape": "top"}},
    ),
    ("touchpoints_list", "refused", {"listed": {"touchpoints_list": "on"}}),
    ("tasks_list", "refused", {"listed": {"tasks_list": "on"}}),
]

TURNED = [
    (name, answer, switches) for name, _, others in POSITIONS for answer, switches in others.items()
]
CASES = [
    pytest.param(name, default, {}, id=f"{name}={default}")
    for name, default in dict.fromkeys((name, default) for name, default, _ in POSITIONS)
] + [
    pytest.param(name, answer, switches, id=f"{name}={answer}") for name, answer, switches in TURNED
]

PAIRS = [TURNED[place :: len(TURNED) // 2] for place in range(len(TURNED) // 2)]
"""Two positions for one probe, far from one another: neither changes what the other answers."""


def _named(pair: list[tuple[str, str, dict[str, str]]]) -> str:
    return ", ".join(f"{name}={answer}" for name, answer, _ in pair)


@pytest.fixture(scope="module")
def _filled(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    home, seed = tmp_path_factory.mktemp("filled"), "accounts=10100,users=200,events=60"
    with sandboxes.sandbox(home, seed=seed, commands=commands) as running:
        hour, day = timedelta(hours=1), timedelta(days=20)
        tier = {"key_name": "Tier", "type": "list", "object": "accounts", "options": ["A", "B"]}
        ages = [{"timestamp": (datetime.now(UTC) - age).isoformat()} for age in (hour, day)]
        running.load(audit=ages, attributes=[tier])
        yield running


@pytest.fixture
def filled(_filled: Sandbox) -> Iterator[Sandbox]:
    """A tenant with rows of everything, whose switches are at their defaults again afterwards."""
    yield _filled
    _filled._ask("/sandbox/reset", {"settings": True, "rows": False})


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller.time, "sleep", lambda _: None)


@pytest.fixture
def ask(filled: Sandbox) -> Iterator[Callable[[str], Any]]:
    connection = Connection.from_config(filled.config(), user_agent="test")
    with ApiClient(replace(connection, max_retry_seconds=0)) as client:
        yield lambda name: asked(BY_NAME[name], ProbedService(Caller(client, ALL)))


@pytest.mark.parametrize(("name", "answer", "switches"), CASES)
def test_every_position_of_a_switch_is_told(filled, ask, name, answer, switches) -> None:
    filled.set(**switches)
    assert ask(name).value == answer, ask(name)


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=_named)
def test_every_position_is_told_within_the_calls(filled, probe, pair) -> None:
    for _, _, switches in pair:
        filled.set(**switches)
    ran, calls, profile = probe()
    for name, answer, _ in pair:
        assert profile["answers"][name] == answer
    assert len(calls) <= MAX_CALLS
    settled_but_for_what_is_left(ran, profile)


def test_no_pair_shares_a_question_or_a_switch() -> None:
    for (name, _, switches), *others in PAIRS:
        for other_name, _, other_switches in others:
            assert name != other_name
            assert switches.keys().isdisjoint(other_switches)


@pytest.mark.parametrize("kind", sorted(_computed()))
def test_every_column_that_is_refused_is_found_within_the_calls(filled, probe, kind) -> None:
    filled.set(**{f"field.{kind.replace(':', '.')}": "off"})
    ran, calls, profile = probe()
    assert profile["details"]["columns"] == [kind]
    assert len(calls) <= MAX_CALLS
    settled_but_for_what_is_left(ran, profile)


def settled_but_for_what_is_left(ran, profile) -> None:
    """Every question is settled, or is of those that get only the calls that are left."""
    if ran.code:
        left = {question.name for question in OF_WHAT_IS_LEFT}
        assert ASKED - set(profile["answers"]) <= left, ran.stdout
        assert "raise --max-calls" in ran.stdout


@pytest.mark.parametrize("name", ["teams", "ties", "columns"])
def test_a_service_that_refuses_all_teams(filled, ask, monkeypatch, name) -> None:
    search = Caller.search

    def refuses_teams(self: Caller, *about: Any, team_id: str | None = None) -> Any:
        if team_id is not None:
            msg = "No such team."
            raise RefusedError(msg, status=400)
        return search(self, *about)

    monkeypatch.setattr(Caller, "search", refuses_teams)
    answers = {"teams": "refused", "ties": "unstable", "columns": "all given"}
    assert ask(name).value == answers[name]


def test_every_question_is_tried_in_two_positions() -> None:
    elsewhere = {"reference_lists", "audit_limit", "audit_delay", "activity_delay"}
    assert {name for name, _, others in POSITIONS if others} == ASKED - elsewhere


# The command ------------------------------------------------------------------------------------


@pytest.fixture
def probe(tap_command, config_file, filled, tmp_path):
    """`probe(option, …, setting=value)`: what `tap-totango probe` says and writes."""

    def run(*options: str, **settings: Any):
        config = config_file(filled.config(**settings))
        path = tmp_path / "profile.json"
        before = sum(sum(statuses.values()) for statuses in filled.stats()["calls"].values())
        ran = tap_command("probe", "--config", config, "--output", path, *options)
        calls = filled.dump("calls")[before:]
        return ran, calls, json.loads(path.read_text()) if path.exists() else None

    return run


def test_a_probe_stays_within_its_calls_and_changes_nothing(filled, probe) -> None:
    before = filled.writable("accounts")
    ran, calls, profile = probe()
    assert ran.code == 0, ran.said + ran.stdout
    assert f"{len(QUESTIONS)} of {len(QUESTIONS)} questions are settled" in ran.stdout
    assert len(calls) <= MAX_CALLS == 30
    assert {call["method"] for call in calls} <= {"GET", "POST"}
    assert filled.writable("accounts") == before
    assert set(profile["answers"]) == ASKED


def test_no_name_and_no_value_of_the_service_is_told(filled, probe) -> None:
    ran, _, profile = probe()
    told = ran.stdout + json.dumps([profile[key] for key in ("answers", "evidence", "details")])
    secrets = {filled.token}
    for account in filled.dump("accounts")[:300]:
        secrets |= {account["account_id"], account["account_name"]}
    assert not [name for name in secrets if name and name in told]


def test_questions_without_a_call_left_are_said(probe) -> None:
    ran, calls, _ = probe("--max-calls", "5")
    assert ran.code == 1
    assert len(calls) == 5
    assert "raise --max-calls" in ran.stdout


def test_many_refusals_leave_calls_for_every_question(filled, probe) -> None:
    off = ("owner", "health_trend", "named_aggregation", "number", "string.health")
    filled.set(**{f"field.{kind}": "off" for kind in off})
    filled.set(page_max="500", count_over="error", terms="evidenced")
    ran, calls, profile = probe()
    assert len(calls) <= MAX_CALLS
    left = {question.name for question in OF_WHAT_IS_LEFT}
    assert ASKED - set(profile["answers"]) - left == {"unknown_column"}
    assert ran.code == 1
    assert profile["answers"]["columns"] == "some refused"
    refused = {"owner", "health_trend", "named_aggregation", "number:score", "string:health"}
    assert refused <= set(profile["details"]["columns"])
    assert "raise --max-calls" in ran.stdout
    ran, _, profile = probe("--max-calls", "60")
    assert ran.code == 0, ran.stdout
    assert set(profile["details"]["columns"]) == refused | {"number:contract_value"}


def test_what_cannot_be_asked_is_said(filled, probe) -> None:
    filled.chaos("503@events")
    ran, _, profile = probe()
    assert ran.code == 1
    assert "could not be asked" in ran.stdout
    assert "events_offset" not in profile["answers"]
    assert "page_size" in profile["answers"]


def test_a_list_that_is_not_answered_is_an_answer(filled, probe) -> None:
    filled.chaos("403@touchpoint_types")
    ran, _, profile = probe()
    assert ran.code == 0, ran.stdout
    assert profile["answers"]["reference_lists"] == "5 of 6"
    assert profile["details"]["reference_lists"] == ["touchpoint_types"]


def test_a_token_that_is_not_accepted(probe) -> None:
    ran, calls, profile = probe(app_token="no-such-token-at-all")
    assert ran.code == 1
    assert "app_token" in ran.last
    assert profile is None
    assert len(calls) == 1


@pytest.mark.parametrize("content", ['{"app_token": "hidden"}', "no JSON"])
def test_what_is_no_profile_is_not_replaced(
    tap_command, config_file, filled, tmp_path, content
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    before = len(filled.dump("calls"))
    ran = tap_command("probe", "--config", config_file(filled.config()), "--output", path)
    assert ran.code == 1
    assert "which is no profile" in ran.last
    assert path.read_text() == content
    assert len(filled.dump("calls")) == before


def test_an_empty_service_leaves_little_to_ask(tap_command, config_file, service, tmp_path) -> None:
    path = tmp_path / "profile.json"
    config = config_file(service.config())
    ran = tap_command("--config", config, "probe", "--output", path)
    assert ran.code == 0, ran.stdout + ran.said
    assert "ties" not in json.loads(path.read_text())["answers"]


@pytest.mark.parametrize("word", ["check", "probe"])
def test_words_stand_in_help(tap_command, word) -> None:
    assert f"  {word}  " in tap_command("--help").stdout


@pytest.mark.parametrize("form", ["before", "behind", "joined"])
def test_config_on_either_side_of_the_word(tap_command, config_file, filled, form) -> None:
    path = str(config_file(filled.config()))
    arguments = {
        "before": ["--config", path, "check"],
        "behind": ["check", "--config", path],
        "joined": [f"--config={path}", "check"],
    }[form]
    ran = tap_command(*arguments)
    assert ran.code == 0, ran.said
    assert "Token accepted" in ran.stdout


# The profile ------------------------------------------------------------------------------------


@pytest.fixture
def profile_file(tmp_path, filled):
    """`profile_file(answers, key=value)`: the path of a profile of the tenant."""

    def write(answers: dict[str, str] | None = None, **more: Any):
        path = tmp_path / "known.json"
        document = {
            "version": 1,
            "plugin": "tap-totango",
            "probed_at": "2026-01-01T00:00:00Z",
            "api_url": filled.url,
            "service": "12345",
            "answers": answers or {},
        }
        path.write_text(json.dumps(document | more))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"service": "99999"}, ["service 99999", "12345"]),
        ({"api_url": "https://api.totango.com"}, ["api.totango.com", "127.0.0.1"]),
        ({"plugin": "target-totango"}, ["target-totango"]),
        ({"version": 7}, ["version 1"]),
        ({"settings": {"on_incomplete": "warn"}}, ["on_incomplete"]),
        ({"answers": ["refused"]}, ["no probe writes"]),
        ({"surplus": 1}, ["one too many"]),
    ],
    ids=str,
)
def test_a_profile_that_cannot_be_used(tap, filled, profile_file, document, words) -> None:
    path = profile_file(**document)
    tap(config=filled.config(probe_path=path)).failed("probe_path", "tap-totango probe", *words)


def test_a_profile_that_is_not_there(tap, filled, tmp_path) -> None:
    tap(config=filled.config(probe_path=str(tmp_path / "none.json"))).failed("cannot be read")


WRONG = {
    "page_behind_window": "refused",
    "activity_filter": "refused",
    "creation_filter": "refused",
    "first_activity_filter": "refused",
    "attributes": "refused",
    "unknown_column": "refused",
    "columns": "2 refused",
    "events_offset": "rows",
}
"""What a service that refuses nothing may be said to refuse."""


@pytest.fixture
def small(service: Sandbox) -> Sandbox:
    service.load(
        attributes=[{"key_name": "Plan", "type": "text", "object": "accounts"}],
        accounts=[
            {
                "account_id": f"a-{n}",
                "last_activity_time": n * 10**9,
                "health": "green",
                "attributes": {"Success Manager": "Ann Example", "Plan": "Gold"},
            }
            for n in range(1, 30)
        ],
        events=[{"id": f"e-{n}", "type": "note", "timestamp": n * 10**9} for n in range(1, 30)],
    )
    return service


@pytest.fixture
def read(tap, small, profile_file):
    """`read(answers, …)`: a run of the tap with a profile, and the calls of it."""

    def run(answers: dict[str, str] | None = None, state: Any = None, **more: Any):
        config = small.config(max_retry_seconds=0)
        if answers is not None:
            config["probe_path"] = profile_file(answers, api_url=small.url, **more)
        before = len(small.dump("calls"))
        ran = tap(config=config, state=state)
        return ran, len(small.dump("calls")) - before

    return run


def test_a_wrong_profile_costs_no_row_and_no_column(read) -> None:
    wrong = {"columns": ["owner", "string:health"]}
    (plain, _), (hinted, _) = read(), read(WRONG, details=wrong)
    assert plain.ok().by_key("accounts") == hinted.ok().by_key("accounts")
    assert hinted.schema("accounts") == plain.schema("accounts")
    assert len(plain.records("accounts")) == 29


def test_a_wrong_profile_costs_no_row_of_a_later_run(read) -> None:
    state = read()[0].ok().state
    (plain, _), (hinted, _) = read(state=state), read(WRONG, state=state)
    assert plain.ok().keys("accounts") == hinted.ok().keys("accounts")
    assert plain.value("accounts") == hinted.value("accounts")
    assert "probe_path" in hinted.said


@pytest.mark.parametrize("suspects", [["owner"], ["string:health"], ["owner", "string:health"]])
def test_a_suspect_column_is_null_only_where_it_is_refused(read, small, suspects) -> None:
    small.set(**{"field.owner": "off"})
    ran, _ = read({"columns": "refused"}, details={"columns": suspects})
    rows = ran.ok().records("accounts")
    assert {row["success_manager_owner"] for row in rows} == {None}
    assert {row["health"] for row in rows} == {"green"}
    assert {row["plan"] for row in rows} == {"Gold"}


def test_a_profile_saves_calls(read, small) -> None:
    small.set(**{"field.owner": "off"}, terms="evidenced")
    answers = {"activity_filter": "refused", "columns": "1 refused"}
    plain, more = read()
    hinted, calls = read(answers, details={"columns": ["owner"]})
    assert hinted.ok().keys("accounts") == plain.ok().keys("accounts")
    assert calls < more - 8
    state = plain.state
    assert read(answers, state=state)[1] < read(state=state)[1]


@pytest.mark.parametrize("setting", [{}, {"team_id": "7"}, {"page_size": 11}], ids=str)
def test_settings_of_a_profile_count_where_none_is_set(
    tap, small, profile_file, setting: dict[str, Any]
) -> None:
    small.set(global_team="required", page_max=10, count_over="error")
    path = profile_file(settings={"team_id": "-1", "page_size": 10}, api_url=small.url)
    ran = tap(config=small.config(probe_path=path, max_retry_seconds=0, **setting))
    if "page_size" in setting:
        ran.failed("count cannot be more than 10")
    else:
        assert (len(ran.ok().records("accounts")) == 29) is not bool(setting)


def test_what_a_probe_suggests_is_what_a_profile_gives(filled, probe) -> None:
    filled.set(global_team="required", page_max=500, count_over="error")
    ran, _, profile = probe()
    assert profile["settings"] == {"team_id": "-1", "page_size": 100}
    assert "team_id: -1" in ran.stdout
    assert "page_size: 100" in ran.stdout


def test_numbers_of_the_environment(tap_command, filled, monkeypatch) -> None:
    for name, value in filled.config(request_timeout="20.5", lookback_seconds=60).items():
        monkeypatch.setenv(f"TAP_TOTANGO_{name.upper()}", str(value))
    assert tap_command("check", "--config", "ENV").code == 0
    assert tap_command("--config=ENV", "--discover").code == 0


def test_a_wrong_profile_that_keeps_rows_away_is_named(read, small) -> None:
    small.set(total_hits="off_by:3")
    ran, _ = read(WRONG)
    ran.failed("could not be read", "probe_path")
