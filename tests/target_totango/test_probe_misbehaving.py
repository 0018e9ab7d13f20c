"""`target-totango probe` on services that no switch of the sandbox describes."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from probed_tenants import HELD, fill, held_by

from target_totango.probe import account, made_engagements
from target_totango.verify import polling
from totango_api.errors import ApiError
from totango_api.probe import caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox

    from totango_api.http import Response
    from totango_api.probe import Answer

    Ask = Callable[[str], Answer]
    Spoil = Callable[[Callable[[int, dict[str, str]], dict[str, str] | None]], None]

TEXT = account.TEXT_ATTRIBUTE


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of a probe, on whose clock nothing else takes time."""
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, monotonic=lambda: sum(waits), time=time.time)
    for module in (account, polling, made_engagements, caller):
        monkeypatch.setattr(module, "time", clock)
    return waits


@pytest.fixture
def filled(service: Sandbox) -> Sandbox:
    fill(service, **HELD)
    return service


@pytest.fixture
def spoil(probed: account.ProbedAccount, monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """`spoil(change)`: what arrives of each tracking call, by its number; None = nothing does."""

    def set_change(change: Callable[[int, dict[str, str]], dict[str, str] | None]) -> None:
        track, calls = probed.track, iter(range(1, 100))

        def spoiled(values: dict[str, str], *, sdr_token: str | None = None) -> Response:
            arriving = change(next(calls), dict(values))
            return track({} if arriving is None else arriving, sdr_token=sdr_token)

        monkeypatch.setattr(probed, "track", spoiled)

    return set_change


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("long_values", 2),
        ("empty_values", 2),
        ("empty_values", 3),
        ("unknown_option", 2),
        ("sfid_writes", 2),
        ("owner_values", 2),
    ],
)
def test_a_write_that_is_not_seen_answers_nothing(
    filled: Sandbox, ask: Ask, spoil: Spoil, name: str, lost: int
) -> None:
    spoil(lambda number, values: None if number == lost else values)
    found = ask(name)
    assert (found.value, found.state, found.evidence) == ("?", "failed", "the write was not seen")
    assert held_by(filled) == HELD


def test_the_other_owner_s_write_that_is_not_seen_answers_nothing(
    filled: Sandbox, ask: Ask, spoil: Spoil
) -> None:
    filled.set(owner_values="email")
    spoil(lambda number, values: None if "Sales Manager" in values else values)
    assert ask("owner_values").state == "failed"


def test_a_service_that_takes_minutes_gets_more_time_to_verify(
    filled: Sandbox, ask: Ask, probed: account.ProbedAccount, waited: list[float], monkeypatch: Any
) -> None:
    filled.set(visible_after="300")
    probed.wait_seconds, search = 60, probed.caller.search

    def seen_late(*about: Any) -> Any:
        if sum(waited) > 20:
            filled.settle()
        return search(*about)

    monkeypatch.setattr(probed.caller, "search", seen_late)
    found = ask("write_visibility")
    seconds = int(found.value.removeprefix("after ").removesuffix(" s"))
    assert seconds > 20
    assert found.settings == {"verify_timeout": 20 * seconds}


def test_a_text_that_comes_back_otherwise_is_told(ask: Ask, filled: Sandbox, spoil: Spoil) -> None:
    spoil(lambda _, values: {**values, TEXT: "?"})
    found = ask("escaped_characters")
    assert found.value == "changed"
    assert found.evidence.endswith("other 1 came")


@pytest.mark.parametrize("definitions", ["403@attributes", 'answer@attributes:say={"list":[]}'])
def test_types_that_are_not_told_are_not_guessed(
    filled: Sandbox, ask: Ask, definitions: str
) -> None:
    filled.chaos(definitions)
    assert ask("unknown_attributes").value == "created"


def test_a_token_that_is_not_asked_for_may_be_checked_all_the_same(
    filled: Sandbox, probed: account.ProbedAccount, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    track = probed.track
    monkeypatch.setattr(
        probed, "track", lambda values, sdr_token=None: track({} if sdr_token else values)
    )
    assert ask("sdr_token").value == "wrong ones refused"


@pytest.mark.parametrize(("shown", "answer"), [("Tin", "changed"), (None, "emptied")])
def test_what_a_list_makes_of_a_text_that_is_no_option(
    filled: Sandbox,
    ask: Ask,
    spoil: Spoil,
    probed: account.ProbedAccount,
    shown: str | None,
    answer: str,
) -> None:
    filled.set(empty_value="clear")
    spoil(
        lambda _, values: {**values, "Tier": shown or ""} if "no option" in str(values) else values
    )
    found = ask("unknown_option")
    assert found.value == answer
    assert "is put back" in found.evidence
    assert held_by(filled) == HELD
    assert not probed.to_restore


def test_a_value_that_cannot_be_put_back_is_said_to_be_another(
    filled: Sandbox, ask: Ask, spoil: Spoil, probed: account.ProbedAccount
) -> None:
    before = probed.read()
    spoil(lambda _, values: {**values, "Tier": "Tin"} if "Tier" in values else values)
    found = ask("unknown_option")
    assert (found.value, "see what is left" in found.evidence) == ("changed", True)
    assert "another value of the attribute 'Tier'" in probed.restore(before)


def test_a_name_that_cannot_be_put_back_is_said_to_be_left(
    filled: Sandbox, ask: Ask, spoil: Spoil, probed: account.ProbedAccount
) -> None:
    before = probed.read()
    spoil(lambda number, values: values if number == 1 else None)
    ask("write_visibility")
    filled.chaos("403@hub")
    assert "its name" in probed.restore(before)


def test_columns_that_nobody_has_written_may_be_refused(
    filled: Sandbox, probed: account.ProbedAccount
) -> None:
    filled.chaos(f"400@accounts:match={TEXT}")
    assert probed.read() == account.Seen("Tested", None, None)


def test_an_account_that_cannot_be_read_is_not_taken_for_one_without_columns(
    filled: Sandbox, probed: account.ProbedAccount
) -> None:
    filled.chaos(f"503@accounts:match={TEXT}")
    with pytest.raises(ApiError):
        probed.read()


@pytest.mark.parametrize(
    ("fault", "value", "state"),
    [("400", "does not arise", "nothing to ask"), ("503", "?", "failed")],
)
def test_a_column_that_is_refused_is_not_written_and_one_that_is_not_answered_is_not_known(
    filled: Sandbox, ask: Ask, fault: str, value: str, state: str
) -> None:
    filled.chaos(f"{fault}@accounts:match=sfid")
    found = ask("sfid_writes")
    assert (found.value, found.state) == (value, state)
    assert held_by(filled) == HELD


# The hub and the user API -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "what"),
    [(401, "the token is not accepted"), (403, "the token is not accepted"), (400, "not taken")],
)
def test_a_hub_that_refuses_a_row_is_told(
    filled: Sandbox, ask: Ask, status: int, what: str
) -> None:
    filled.chaos(f"{status}@hub")
    found = ask("hub_accounts")
    assert (found.value, found.evidence) == ("refused", f"status {status}: {what}")
    assert ask("hub_batch").value == "does not arise"


@pytest.mark.parametrize("status", [401, 403])
def test_a_hub_without_users_for_this_token_is_not_said_to_have_them(
    filled: Sandbox, ask: Ask, status: int
) -> None:
    filled.chaos(f"{status}@hub")
    assert ask("hub_users").value == "refused"


def test_a_hub_that_takes_one_row_at_a_time(filled: Sandbox, ask: Ask) -> None:
    filled.set(hub_max_rows="1")
    found = ask("hub_batch")
    assert found.value == "1 row"
    assert found.settings == {"hub_batch_size": 1}


@pytest.mark.parametrize("said", ["null", "[]", '"ok"', "ok", "{}"])
def test_a_hub_that_says_nothing_of_a_failure_took_the_number(
    filled: Sandbox, ask: Ask, said: str
) -> None:
    filled.set(hub_values="any")
    filled.chaos(f"answer@hub:applied:say={said}")
    assert ask("hub_values").value == "numbers too"


def test_a_deletion_that_gets_no_answer_answers_nothing(filled: Sandbox, ask: Ask) -> None:
    filled.chaos("drop@delete")
    found = ask("missing_user")
    assert (found.value, found.state) == ("?", "failed")


# Touchpoints and tasks --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["update_ids", "unknown_reference", "event_edits", "task_edits"])
def test_what_was_made_but_is_not_seen_answers_nothing(
    filled: Sandbox, ask: Ask, name: str
) -> None:
    filled.set(visible_after="300")
    found = ask(name)
    assert (found.value, found.state) == ("?", "failed")
    assert "was not seen in time" in found.evidence


def test_a_type_that_is_left_out_of_a_change_is_told(
    filled: Sandbox, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = made_engagements.MadeEngagement
    change = made.change
    monkeypatch.setattr(made, "change", lambda self, fields=None, **how: change(self, **how))
    assert ask("unknown_reference").value == "left out"


def test_types_that_cannot_be_read_are_not_taken_for_none(filled: Sandbox, ask: Ask) -> None:
    filled.chaos("503@touchpoint_types")
    found = ask("unknown_reference")
    assert (found.value, found.state) == ("?", "failed")
    assert not filled.dump("touchpoints")


def test_a_probe_that_cannot_put_back_says_to_look(
    filled: Sandbox, probe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_it(*_: Any) -> tuple[()]:
        filled.chaos("503@all")
        return ()

    monkeypatch.setattr("target_totango.probe.command.ask_all", break_it)
    ran, _ = probe("--yes")
    assert ran.code == 1
    assert "could not be put back: look at the account" in ran.stdout
