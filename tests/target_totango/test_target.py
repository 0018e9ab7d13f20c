"""What a run does to Totango, told by what a sandbox holds afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from stub_totango import Asked, Reply, ok, serving
from target_runs import ACCOUNTS, ACTIVITIES, USERS, held, record, schema, state

from target_totango.pipeline.results import InvalidRowError
from target_totango.pipeline.run_end import IncompleteRunError
from totango_api.errors import InputError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]
    Hub = dict[str, Any]


UNPROVEN: dict[str, Any] = {"canary": False}
"""Settings of a run that reads nothing back."""


def account(identifier: Any, **attributes: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **attributes)


def user(account_id: str, identifier: Any, **attributes: Any) -> dict[str, Any]:
    return record("users", account_id=account_id, user_id=identifier, **attributes)


def activity(identifier: int, account_id: str = "a", user_id: str = "u") -> dict[str, Any]:
    return record(
        "activities",
        id=identifier,
        account_id=account_id,
        user_id=user_id,
        activity="Pay",
        module="Billing",
    )


# What arrives ----------------------------------------------------------------------------------


def test_accounts_and_users_arrive_with_names_and_attributes(
    deliver: Deliver, service: Sandbox
) -> None:
    done = deliver(
        ACCOUNTS,
        USERS,
        account("a-1", account_name="Ünï & Co", Plan="Pro", Contract__Value=49000.5),
        user("a-1", "jo@x.com", user_name="Jo", Title="100% + more"),
        state(1),
    ).ok()
    assert held(service, "accounts") == {
        ("a-1",): {"account_name": "Ünï & Co", "Plan": "Pro", "Contract Value": 49000.5}
    }
    assert held(service, "users") == {
        ("a-1", "jo@x.com"): {"user_name": "Jo", "Title": "100% + more"}
    }
    assert done.states == [state(1)["value"]]
    assert done.totals == {"received": 2, "sent": 2}


def test_activities_arrive_once_each(deliver: Deliver, service: Sandbox) -> None:
    deliver(ACTIVITIES, activity(1), activity(2)).ok()
    assert [(row["activity"], row["module"]) for row in service.dump("activities")] == [
        ("Pay", "Billing")
    ] * 2


def test_numbers_as_keys_are_text_without_being_altered(deliver: Deliver, service: Sandbox) -> None:
    whole = schema("accounts", account_id={"type": "integer"})
    deliver(whole, account(5), '{"type":"RECORD","stream":"accounts","record":{"account_id":6.0}}')
    assert set(held(service, "accounts")) == {("5",), ("6",)}


def test_a_stream_with_a_prefix_is_recognised(deliver: Deliver, service: Sandbox) -> None:
    deliver(schema("crm-accounts", "account_id"), record("crm-accounts", account_id="a")).ok()
    assert set(held(service, "accounts")) == {("a",)}


def test_what_totango_computes_is_left_out_and_said(deliver: Deliver, service: Sandbox) -> None:
    computed = schema(
        "accounts",
        "account_id",
        "last_activity_time",
        "health_trend",
        "_extra",
        owner={"readOnly": True},
    )
    done = deliver(
        computed,
        account("a", last_activity_time="x", health_trend={}, _extra={}, owner="me"),
    ).ok()
    assert held(service, "accounts") == {("a",): {}}
    assert "not written: last_activity_time, health_trend, _extra, owner" in done.said


def test_a_title_is_the_api_name_when_the_column_was_made_of_it(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(
        schema("accounts", "account_id", my_plan={"title": "My Plan"}, kpi={"title": "Some KPI"}),
        account("a", my_plan="x", kpi="y"),
    ).ok()
    assert held(service, "accounts")[("a",)] == {
        "My Plan": "x",
        "kpi": "y",
    }


def test_a_name_with_a_blank_end_is_sent_as_it_is_and_said(
    deliver: Deliver, service: Sandbox
) -> None:
    odd = schema("accounts", "account_id", " Tier", region={"title": "Region "})
    done = deliver(
        odd, record("accounts", **{"account_id": "a", " Tier": "1", "region": "EU"})
    ).ok()
    assert held(service, "accounts")[("a",)] == {" Tier": 1, "Region ": "EU"}
    assert "begin or end with a blank are sent as they are: ' Tier', 'Region '" in done.said


@pytest.mark.parametrize("name", [" ", "Tier\n", " " + "x" * 100])
def test_names_that_cannot_be_are_refused(deliver: Deliver, name: str) -> None:
    done = deliver(schema("accounts", "account_id", name), record("accounts", account_id="a"))
    assert isinstance(done.error, InputError)
    assert "cannot be used" in str(done.error)


def test_fields_match_the_definitions_of_the_tenant(deliver: Deliver, service: Sandbox) -> None:
    service.load(attributes=[{"object": "accounts", "key_name": "Renewal Risk", "type": "text"}])
    done = deliver(
        schema("accounts", "account_id", "renewal_risk", "contract_value", "brand_new"),
        account("a", renewal_risk="high", contract_value="5", brand_new="!"),
    ).ok()
    there = held(service, "accounts")[("a",)]
    assert there["Renewal Risk"] == "high"
    assert there["Contract Value"] == 5
    assert "does not know yet: brand_new" in done.said


@pytest.mark.parametrize("answer", ["off", "odd"])
def test_without_definitions_the_core_names_are_matched(
    deliver: Deliver, service: Sandbox, answer: str
) -> None:
    service.set(attributes_json=answer)
    done = deliver(
        schema("accounts", "account_id", "contract_value"), account("a", contract_value="5")
    ).ok()
    assert held(service, "accounts") == {("a",): {"Contract Value": 5}}
    assert "attributes of the service are not known" in done.said


@pytest.mark.parametrize("fault", ["401@attributes", "503@attributes"])
def test_nothing_is_written_while_it_is_unknown_what_attributes_are_called(
    deliver: Deliver, service: Sandbox, fault: str
) -> None:
    service.chaos(fault)
    done = deliver(ACCOUNTS, account("a"), max_retry_seconds=0)
    assert fault[:3] in str(done.error)
    assert service.calls("tracking") == []


# Mapping ---------------------------------------------------------------------------------------

COMPANIES = schema("crm-companies", "Id", "Name", "Owner", "Signed", "Tags", "Extra")
COMPANY = record(
    "crm-companies",
    Id="42",
    Name="Acme",
    Owner={"Name": "Dana Reed"},
    Signed="31/12/2024",
    Tags=["a", "b"],
    Extra="!",
)
MAPPING: dict[str, Any] = {
    "stream": "crm-*",
    "object": "accounts",
    "account_id": "acc_{Id}",
    "account_name": "Name",
    "attributes": {
        "Success Manager": "Owner.Name",
        "Create Date": {"field": "Signed", "date_format": "%d/%m/%Y"},
        "Source": {"constant": "CRM"},
        "Label": "Tags",
        "Name again": "Name",
        "Region": {"field": "Extra", "default": "none"},
    },
    "unmapped": "drop",
}


def test_a_mapping_takes_paths_templates_constants_formats_and_fields_twice(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(COMPANIES, COMPANY, mappings=[MAPPING]).ok()
    assert held(service, "accounts") == {
        ("acc_42",): {
            "account_name": "Acme",
            "Success Manager": "Dana Reed",
            "Create Date": "2024-12-31",
            "Source": "CRM",
            "Label": "a,b",
            "Name again": "Acme",
            "Region": "!",
        }
    }


def test_every_problem_of_a_mapping_is_told_before_the_first_write(
    deliver: Deliver, service: Sandbox
) -> None:
    wrong = {
        "stream": "crm-companies",
        "object": "users",
        "account_id": "Idd",
        "attributes": {"X" * 101: "Name", "Extra": "Name"},
    }
    done = deliver(COMPANIES, COMPANY, state(1), mappings=[wrong])
    assert isinstance(done.error, InputError)
    for part in ("'Idd'", "user_id is missing", "XXX", "(3)"):
        assert part in str(done.error)
    assert service.calls("tracking") == []


def test_an_unmapped_stream_fails_by_name_unless_it_is_to_be_ignored(
    deliver: Deliver, service: Sandbox
) -> None:
    odd = [schema("invoices", "price"), record("invoices", price=1)]
    done = deliver(*odd)
    assert "invoices" in str(done.error)
    done = deliver(*odd, ACCOUNTS, account("a"), state(1), unmapped_streams="ignore").ok()
    assert done.report["ignored_streams"] == {"invoices": 1}
    assert done.states == [state(1)["value"]]
    assert set(held(service, "accounts")) == {("a",)}


def test_stream_maps_and_flattening_come_first(deliver: Deliver, service: Sandbox) -> None:
    nested = schema(
        "firms",
        key={"type": "string"},
        info={"type": "object", "properties": {"plan": {"type": "string"}}},
    )
    deliver(
        nested,
        record("firms", key="a", info={"plan": "Pro"}),
        stream_maps={
            "firms": {
                "__alias__": "accounts",
                "account_id": "key",
                "Plan": "info['plan']",
                "__else__": None,
            }
        },
    ).ok()
    assert held(service, "accounts") == {("a",): {"Plan": "Pro"}}


# Rows that cannot be written -------------------------------------------------------------------


def test_all_faults_of_a_row_come_at_once_with_the_record_unchanged(
    deliver: Deliver, service: Sandbox
) -> None:
    raw = (
        '{"type":"RECORD","stream":"accounts","record":{"account_id":"a b","account_name":"'
        + "n" * 129
        + '","Contract Value":"1,000","Plan":1.50}}'
    )
    done = deliver(ACCOUNTS, raw, account("good"), state(1))
    assert isinstance(done.error, IncompleteRunError)
    assert done.codes == [
        {
            ("account_id", "characters"),
            ("account_name", "too long"),
            ("Contract Value", "not a number"),
        }
    ]
    assert done.states == [state(1)["value"]]
    assert set(held(service, "accounts")) == {("good",)}
    assert "a b" not in done.said


def test_rejects_keep_the_digits_and_are_replayed(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    raw = '{"type":"RECORD","stream":"accounts","record":{"account_id":"a b","Plan":1.500}}'
    deliver(ACCOUNTS, raw)
    service.set(unknown_attributes="text")
    text = (tmp_path / "rejects.singer").read_text()
    assert '"Plan":1.500' in text
    done = deliver(*text.replace("a b", "a-b", 1).strip().split("\n")).ok()
    assert held(service, "accounts") == {("a-b",): {"Plan": "1.500"}}
    assert done.rejects == []


def test_replaying_never_writes_into_the_file_that_is_read(
    deliver: Deliver, tmp_path: Path
) -> None:
    deliver(ACCOUNTS, account("a b"))
    text = (tmp_path / "rejects.singer").read_text()
    kept = tmp_path / "kept.singer"
    kept.write_text(text)
    done = deliver(*text.strip().split("\n"), rejects_path=str(kept))
    assert isinstance(done.error, IncompleteRunError)
    [older] = tmp_path.glob("kept.*T*Z.singer")
    assert older.read_text() == text
    assert len(kept.read_text().strip().split("\n")) == 2


def test_salesforce_ids_are_refused_or_converted(deliver: Deliver, service: Sandbox) -> None:
    short = "001D000000IRFma"
    done = deliver(ACCOUNTS, account(short))
    assert done.codes == [{("account_id", "short Salesforce id")}]
    assert "001D000000IRFmaIAH" in done.rejected[0]["_reject"]["reason"]
    deliver(ACCOUNTS, account(short), salesforce_ids="convert").ok()
    assert set(held(service, "accounts")) == {("001D000000IRFmaIAH",)}


@pytest.mark.parametrize(("policy", "plan"), [("skip", "old"), ("clear", None), ("reject", "old")])
def test_null_policy(deliver: Deliver, service: Sandbox, policy: str, plan: str | None) -> None:
    service.set(empty_value="clear")
    deliver(ACCOUNTS, account("a", Plan="old")).ok()
    done = deliver(ACCOUNTS, account("a", Plan=None), null_policy=policy)
    assert held(service, "accounts")[("a",)].get("Plan") == plan
    assert bool(done.rejected) == (policy == "reject")


def test_a_list_item_with_a_comma_rejects_the_row_for_that_attribute(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a", Plan=["a,b"]), account("b", Plan=["a", "b"]))
    assert done.codes == [{("Plan", "comma in a list item")}]
    assert done.totals["sent"] == 1


def test_long_texts_are_cut_only_when_asked(deliver: Deliver, service: Sandbox) -> None:
    long = account("a", Plan="x" * 513)
    assert deliver(ACCOUNTS, long).codes == [{("Plan", "too long")}]
    done = deliver(ACCOUNTS, long, too_long="truncate").ok()
    assert held(service, "accounts")[("a",)]["Plan"] == "x" * 512
    assert done.totals["truncated"] == 1


def test_records_that_do_not_fit_their_schema_are_rejected(deliver: Deliver) -> None:
    typed = schema("accounts", account_id={"type": "string"}, Seats={"type": "integer"})
    done = deliver(typed, account("a", Seats="many"), account("b", Seats=3))
    assert done.codes == [{("Seats", "does not fit the schema")}]
    assert done.totals["sent"] == 1


def test_a_column_that_is_not_mapped_rejects_no_row(deliver: Deliver, service: Sandbox) -> None:
    typed = schema(
        "accounts",
        keys=("account_id",),
        account_id={"type": "string"},
        Seats={"type": "integer"},
        Notes={"type": "string"},
    )
    typed["schema"] |= {"required": ["account_id", "Notes"], "additionalProperties": False}
    mapping = {"stream": "accounts", "attributes": {"Licenses": "Seats"}}
    rows = [
        account("a", Seats=1, Notes=5),
        account("b", Seats=2),
        account("c", Seats=3, Notes="", More=1),
        account("d", Seats="many", Notes=5),
    ]
    done = deliver(typed, *rows, mappings=[mapping])
    assert set(held(service, "accounts")) == {("a",), ("b",), ("c",)}
    assert ("Seats", "does not fit the schema") in done.codes[0]
    assert not any(field == "Notes" for field, _ in done.codes[0])
    assert done.said.count("Notes does not fit its SCHEMA") == 1


def test_an_attribute_that_does_not_fit_its_schema_can_be_left_out(
    deliver: Deliver, service: Sandbox
) -> None:
    whole = {"type": ["integer", "null"]}
    typed = schema("accounts", "Plan", account_id={"type": "string"}, Seats=whole, Licenses=whole)
    rows = [account("a", Seats="many", Licenses=3, Plan="x" * 600), account(5, Seats=3)]
    done = deliver(typed, *rows, invalid_attributes="leave_out")
    assert done.codes == [{("account_id", "does not fit the schema")}]
    assert held(service, "accounts") == {("a",): {"Licenses": 3}}
    assert done.totals["left_out"] == 2
    assert "Left out in stream 'accounts': Plan: too long (1 row)." in done.said
    (entry,) = done.report["streams"]
    assert entry["left_out_reasons"] == {
        "Seats: does not fit the schema": 1,
        "Plan: too long": 1,
    }


def test_draft_4_schemas_are_taken(deliver: Deliver, service: Sandbox) -> None:
    draft4 = {
        "type": "SCHEMA",
        "stream": "public-accounts",
        "schema": {
            "type": "object",
            "definitions": {"anything": {"type": ["null", "integer"]}},
            "properties": {
                "account_id": {"type": "string"},
                "n": {"$ref": "#/definitions/anything"},
                "v": {
                    "type": "number",
                    "exclusiveMaximum": True,
                    "maximum": 10,
                    "multipleOf": 1e-38,
                },
            },
        },
        "key_properties": ["account_id"],
    }
    done = deliver(
        draft4,
        {"type": "ACTIVATE_VERSION", "stream": "public-accounts", "version": 1},
        record("public-accounts", account_id="a", n=1, v=9.5) | {"version": 1},
        record("public-accounts", account_id="b", n=1, v=10) | {"version": 1},
        {"type": "ACTIVATE_VERSION", "stream": "public-accounts", "version": 1},
    )
    assert set(held(service, "accounts")) == {("a",)}
    assert done.codes == [{("v", "does not fit the schema")}]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("NaN", ("Contract Value", "not a number")),
        ("-Infinity", ("Contract Value", "not a number")),
        ("1e999999999", ("Contract Value", "number out of range")),
        (r'"\ud800"', ("Contract Value", "not a number")),
    ],
)
def test_numbers_that_are_none_are_rejected(
    deliver: Deliver, raw: str, code: tuple[str, str]
) -> None:
    line = json.dumps(account("a", Contract__Value="RAW")).replace('"RAW"', raw)
    done = deliver(ACCOUNTS, line, account("b"))
    assert done.codes == [{code}]
    assert done.totals["sent"] == 1


def test_half_a_surrogate_pair_is_rejected_and_kept(deliver: Deliver) -> None:
    line = r'{"type":"RECORD","stream":"accounts","record":{"account_id":"a","Plan":"x\ud800"}}'
    done = deliver(ACCOUNTS, line)
    assert done.codes == [{("Plan", "not Unicode")}]
    assert done.rejected[0]["Plan"] == "x\ud800"


def test_more_rejects_than_allowed_fail_and_fewer_do_not(deliver: Deliver) -> None:
    rows = [ACCOUNTS, account("a b"), account("c d"), account("e")]
    assert deliver(*rows, max_rejected=2).error is None
    failed = deliver(*rows, max_rejected=1)
    assert isinstance(failed.error, IncompleteRunError)
    assert "Rejected in stream 'accounts': account_id: " in failed.said
    assert " (2 rows)." in failed.said
    assert "2 rows were rejected" in str(failed.error)
    assert deliver(*rows, max_rejected="70%").error is None
    assert isinstance(deliver(*rows, max_rejected="66.6 %").error, IncompleteRunError)


def test_fields_that_no_schema_names_are_said_and_counted(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = [account("a", Plan="x", Odd=1), account("b", Odd=2, Other=3), account("c")]
    done = deliver(ACCOUNTS, *rows).ok()
    assert done.totals["unannounced"] == 2
    assert done.said.count("its SCHEMA does not name them: Odd.") == 1
    assert done.said.count("its SCHEMA does not name them: Other.") == 1
    assert held(service, "accounts")[("a",)] == {"Plan": "x"}


def test_unwanted_fields_are_not_spoken_of(deliver: Deliver) -> None:
    mapping = {"stream": "accounts", "attributes": {"Plan": "Plan"}, "unmapped": "drop"}
    done = deliver(ACCOUNTS, account("a", Plan="x", Odd=1), mappings=[mapping]).ok()
    assert "unannounced" not in done.totals
    assert "does not name" not in done.said


def test_added_metadata_fits_a_closed_schema_and_can_be_mapped(
    deliver: Deliver, service: Sandbox
) -> None:
    closed = schema("accounts", "account_id", "Plan", keys=("account_id",))
    closed["schema"]["additionalProperties"] = False
    mapping = {
        "stream": "accounts",
        "attributes": {"Load": "_sdc_sequence"},
        "unmapped": "include",
    }
    done = deliver(
        closed, account("a", Plan="x"), add_record_metadata=True, mappings=[mapping]
    ).ok()
    assert done.totals == {"received": 1, "sent": 1}
    found = held(service, "accounts")[("a",)]
    assert found["Plan"] == "x"
    assert int(found["Load"]) > 0


def test_on_invalid_fail_stops_at_the_first_invalid_row(deliver: Deliver, service: Sandbox) -> None:
    done = deliver(
        ACCOUNTS, account("a"), state(1), account("b c"), account("d"), state(2), on_invalid="fail"
    )
    assert isinstance(done.error, InvalidRowError)
    assert set(held(service, "accounts")) == {("a",)}
    assert state(2)["value"] not in done.states
    assert done.rejects == []


def test_a_stream_map_that_fails_on_a_row_rejects_that_row(
    deliver: Deliver, service: Sandbox
) -> None:
    maps = {"accounts": {"Plan": "record['Plan'].upper()", "account_id": "account_id"}}
    done = deliver(ACCOUNTS, account("a", Plan="x"), account("b", Plan=None), stream_maps=maps)
    assert held(service, "accounts") == {("a",): {"Plan": "X"}}
    assert done.codes == [{("", "stream map failed")}]
    assert done.rejected[0]["account_id"] == "b"


def test_a_row_without_its_singer_key_is_rejected(deliver: Deliver) -> None:
    keyed = schema("accounts", "account_id", "row_id", keys=("row_id",))
    done = deliver(keyed, account("a"), account("b", row_id=1))
    assert done.codes == [{("row_id", "missing")}]
    assert done.totals["sent"] == 1


def test_a_mapping_that_fits_no_stream_is_named(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a"), mappings=[{"stream": "acounts"}]).ok()
    assert "mapping for 'acounts' fitted no stream" in done.said


# State -----------------------------------------------------------------------------------------


def test_an_empty_state_wipes_nothing(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a"), state(1), {"type": "STATE", "value": {}})
    assert done.states == [state(1)["value"]]


def test_the_last_of_many_states_goes_out(deliver: Deliver) -> None:
    messages = [message for n in range(50) for message in (account(f"a-{n}"), state(n))]
    done = deliver(ACCOUNTS, *messages).ok()
    assert done.states[-1] == state(49)["value"]
    assert len(done.states) < 10


def test_no_state_passes_an_undelivered_row(deliver: Deliver, service: Sandbox) -> None:
    service.chaos("503@tracking:match=lost")
    rows = [message for n in range(25) for message in (account(f"lost-{n}"), state(n))]
    settings = {"max_retry_seconds": 0, "max_in_flight": 1}
    done = deliver(ACCOUNTS, account("a"), state("good"), *rows, **settings)
    assert "could not be delivered" in str(done.error)
    assert "503" in str(done.error)
    assert done.states == [state("good")["value"]]
    assert done.rejected == []


def test_a_wrong_sdr_token_ends_the_run_at_once(deliver: Deliver, service: Sandbox) -> None:
    service.set(sdr_token="right", sdr_token_status=401)
    rows = [ACCOUNTS, account("a"), state(1)]
    done = deliver(*rows, sdr_token="wrong")
    assert "Check sdr_token" in str(done.error)
    assert (done.states, done.rejected) == ([], [])
    assert deliver(*rows, sdr_token="right").ok().states == [state(1)["value"]]


def test_a_call_that_fails_once_is_retried(deliver: Deliver, service: Sandbox) -> None:
    service.chaos("503@tracking:1", "drop@tracking:2", "429@tracking:3")
    deliver(ACCOUNTS, *(account(f"a-{n}") for n in range(10)), max_retry_seconds=30).ok()
    assert len(held(service, "accounts")) == 10


def test_other_answers_than_200_and_201_are_not_taken_for_success(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("redirect@tracking:to=http://127.0.0.1:9/")
    done = deliver(ACCOUNTS, account("a"))
    assert "1 row was not delivered" in str(done.error)
    assert "answered 302" in str(done.error)


def test_calls_go_through_a_proxy_where_the_environment_names_one(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(call: Asked) -> Reply:
        asked.append(call.path)
        return ok("GIF89a") if call.path.endswith("/pixel.gif") else (404, {}, b"")

    with serving(answer) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        rows = [account(f"a-{n}", Plan="x") for n in range(20)]
        done = deliver(ACCOUNTS, *rows, state(1), tracking_url="http://127.0.0.1:9/gate").ok()
    assert done.totals == {"received": 20, "sent": 20}
    assert done.states == [state(1)["value"]]
    assert asked.count("http://127.0.0.1:9/gate/pixel.gif") == 20


def test_a_program_may_call_it_from_within_an_event_loop(
    deliver: Deliver, service: Sandbox
) -> None:
    async def program() -> Delivered:
        return deliver(ACCOUNTS, account("a"), state(1))

    assert asyncio.run(program()).ok().states == [state(1)["value"]]
    assert set(held(service, "accounts")) == {("a",)}


# Order and repetition --------------------------------------------------------------------------


def test_rows_of_one_key_arrive_in_order(deliver: Deliver, service: Sandbox) -> None:
    service.set(unknown_attributes="text")
    service.chaos("slow=0.02@tracking:p=0.3")
    rows = [account(f"a-{n % 7}", Plan=f"{n}") for n in range(140)]
    done = deliver(ACCOUNTS, *rows).ok()
    assert {row["Plan"] for row in held(service, "accounts").values()} == {
        str(n) for n in range(133, 140)
    }
    assert done.totals["repeated"] == 133


def test_an_account_arrives_before_its_users(deliver: Deliver, service: Sandbox) -> None:
    service.chaos("slow=0.3@tracking:match=Plan")
    rows = [user("first", f"u{n}") for n in range(5)]
    deliver(ACCOUNTS, USERS, account("first", Plan="x"), *rows).ok()
    # Calls are noted when they are answered: had a user not waited, it would be noted first.
    calls = service.calls("tracking")
    assert len(calls) == 6
    assert calls[0]["ms"] >= 300


def test_the_most_recent_row_wins_by_a_chosen_field(deliver: Deliver, service: Sandbox) -> None:
    stamped = schema("accounts", "account_id", "Plan", "at")
    rows = [
        account("a", Plan="second", at="2024-02-01T00:00:00Z"),
        account("a", Plan="first", at="2024-01-31T23:59:59+00:00"),
        account("a", Plan="third", at="2024-02-01T02:00:00+01:00"),
    ]
    mapping = {"stream": "accounts", "recency_field": "at"}
    done = deliver(stamped, *rows, state(1), mappings=[mapping]).ok()
    assert held(service, "accounts")[("a",)]["Plan"] == "third"
    assert done.totals == {"received": 3, "sent": 2, "repeated": 2, "skipped": 1}
    assert done.states == [state(1)["value"]]


def test_a_number_that_is_a_text_is_as_recent_as_the_number(
    deliver: Deliver, service: Sandbox
) -> None:
    stamped = schema("accounts", "account_id", "Plan", "at")
    rows = [account("a", Plan=f"v{number}", at=number) for number in ("9", "10", "8")]
    mapping = {"stream": "accounts", "recency_field": "at"}
    done = deliver(stamped, *rows, mappings=[mapping]).ok()
    assert held(service, "accounts")[("a",)]["Plan"] == "v10"
    assert done.totals["skipped"] == 1


# Input that is not as it should be -------------------------------------------------------------


def test_a_schema_may_change_in_the_middle(deliver: Deliver, service: Sandbox) -> None:
    deliver(
        schema("accounts", "account_id", "Plan"),
        account("a", Plan="x"),
        schema("accounts", "account_id", "Status"),
        account("a", Status="Paying"),
    ).ok()
    assert held(service, "accounts")[("a",)] == {
        "Plan": "x",
        "Status": "Paying",
    }


def test_thousands_of_streams_are_taken(deliver: Deliver, service: Sandbox) -> None:
    """More than a process may have open files, or nested calls."""
    messages: list[Any] = []
    for n in range(2_500):
        messages.append(schema(f"s{n}-accounts", "account_id"))
        if n % 100 == 0:
            messages.append(record(f"s{n}-accounts", account_id=f"a-{n}"))
    deliver(*messages).ok()
    assert len(held(service, "accounts")) == 25


def test_a_text_of_a_megabyte_is_rejected_and_kept(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a", Plan="x" * 1_000_000))
    assert done.codes == [{("Plan", "too long")}]
    assert len(done.rejected[0]["Plan"]) == 1_000_000


def test_no_input_is_success(deliver: Deliver) -> None:
    done = deliver().ok()
    assert done.states == []


def test_blank_lines_are_nothing(deliver: Deliver, service: Sandbox) -> None:
    deliver(ACCOUNTS, "", "   ", account("a"), "").ok()
    assert set(held(service, "accounts")) == {("a",)}


@pytest.mark.parametrize("keys", ["account_id", None, [], ["account_id"]])
def test_key_properties_may_be_a_text(deliver: Deliver, service: Sandbox, keys: Any) -> None:
    deliver(schema("accounts", "account_id") | {"key_properties": keys}, account("a")).ok()
    assert set(held(service, "accounts")) == {("a",)}


@pytest.mark.parametrize("keys", [5, {"a": 1}, [["account_id"]], [None]])
def test_key_properties_that_are_no_names_are_refused(deliver: Deliver, keys: Any) -> None:
    done = deliver(schema("accounts", "account_id") | {"key_properties": keys}, account("a"))
    assert isinstance(done.error, InputError)


def test_a_version_may_be_activated_before_its_schema(deliver: Deliver, service: Sandbox) -> None:
    version = {"type": "ACTIVATE_VERSION", "stream": "accounts", "version": 1}
    done = deliver(version, ACCOUNTS, account("a", Plan="Pro"), state(1), version).ok()
    assert held(service, "accounts")[("a",)] == {"Plan": "Pro"}
    assert done.said.count("before its SCHEMA is ignored") == 1


@pytest.mark.parametrize("named", [{}, {"account_id": {"type": "string"}}])
def test_fields_that_patterns_describe_are_attributes(
    deliver: Deliver, service: Sandbox, named: dict[str, Any]
) -> None:
    service.set(unknown_attributes="create")
    described = schema("accounts", keys=("account_id",))
    described["schema"] = {
        "type": "object",
        "properties": named,
        "patternProperties": {"^(account_id|x_.*)$": {"type": "string"}},
    }
    rows = [account("a", x_one="1"), account("b", x_two="2", other="3"), account("c", x_one=5)]
    done = deliver(described, *rows, state(1))
    assert held(service, "accounts") == {("a",): {"x_one": 1}, ("b",): {"x_two": 2}}
    assert done.codes == [{("x_one", "does not fit the schema")}]
    assert done.totals["unannounced"] == 1


@pytest.mark.parametrize(
    "maps",
    [
        {"accounts": {"Plan": "nope(1)"}},
        {"accounts": {"Plan": "1 +"}},
        {"accounts": {"Plan": "Pln"}},
        {"accounts": {"__filter__": "account_id =="}},
        {"accounts": {"account_id": None}},
        {"accounts": {"__key_properties__": ["zz"]}},
        {"accounts": {"__else__": 5}},
    ],
)
def test_a_mistake_in_a_stream_map_is_a_sentence(
    deliver: Deliver, service: Sandbox, maps: dict[str, Any]
) -> None:
    done = deliver(ACCOUNTS, account("a", Plan="x"), state(1), stream_maps=maps)
    assert isinstance(done.error, SettingsError)
    assert "stream_maps cannot be used" in str(done.error)
    assert (done.states, done.rejects) == ([], [])
    assert held(service, "accounts") == {}


def test_a_stream_map_for_no_stream_is_named(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a"), stream_maps={"acounts": {"Plan": "'x'"}}).ok()
    assert "stream map for 'acounts' fitted no stream" in done.said


def test_batch_messages_are_refused_by_name(deliver: Deliver, service: Sandbox) -> None:
    batch = {"type": "BATCH", "stream": "accounts", "encoding": {}, "manifest": []}
    done = deliver(ACCOUNTS, account("a"), state(1), batch)
    assert "BATCH" in str(done.error)
    assert done.states == [state(1)["value"]]


# Activities ------------------------------------------------------------------------------------


def test_an_activity_of_unknown_fate_is_reported_and_not_repeated(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("drop@tracking:1")
    done = deliver(ACTIVITIES, activity(1), activity(2), state(1), max_in_flight=1)
    assert isinstance(done.error, IncompleteRunError)
    assert "a replay writes them again" in str(done.error)
    assert done.codes == [{("", "uncertain")}]
    assert len(service.dump("activities")) == 2
    assert len(service.calls("tracking")) == 2


def test_an_activity_that_certainly_did_not_arrive_is_retried(
    deliver: Deliver, service: Sandbox
) -> None:
    service.chaos("429@tracking:1")
    deliver(ACTIVITIES, activity(1)).ok()
    assert len(service.dump("activities")) == 1


# Ledger ----------------------------------------------------------------------------------------


def test_unchanged_rows_are_not_sent_again(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    rows = [ACCOUNTS, account("a", Plan="x"), account("b", Plan="x"), state(1)]
    deliver(*rows, **ledger).ok()
    done = deliver(
        ACCOUNTS, account("a", Plan="x"), account("b", Plan="y"), state(2), **ledger
    ).ok()
    assert done.totals == {"received": 2, "sent": 1, "unchanged": 1}
    assert done.states == [state(2)["value"]]
    # There and back again within one run: the ledger must not think that b is as it was.
    done = deliver(ACCOUNTS, account("b", Plan="z"), account("b", Plan="y"), **ledger).ok()
    assert done.totals["sent"] == 2
    assert held(service, "accounts")[("b",)]["Plan"] == "y"


def test_what_a_service_only_acknowledged_is_sent_again_with_another_token(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    service.set(sdr_token="right", sdr_token_status=200)
    rows = [ACCOUNTS, account("a", Plan="x")]
    assert deliver(*rows, **ledger, **UNPROVEN).ok().totals["sent"] == 1
    assert held(service, "accounts") == {}
    assert deliver(*rows, **ledger, **UNPROVEN).ok().totals["unchanged"] == 1
    done = deliver(*rows, **ledger, sdr_token="right").ok()
    assert done.totals["sent"] == 1
    assert "another service id, token or host" in done.said
    assert set(held(service, "accounts")) == {("a",)}
    assert deliver(*rows, **ledger, sdr_token="right").ok().totals["unchanged"] == 1


def test_what_was_read_back_is_confirmed_whatever_the_token(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    rows = [ACCOUNTS, account("a", Plan="x")]
    deliver(*rows, **ledger, verify="all").ok()
    assert deliver(*rows, **ledger, sdr_token="another").ok().totals["unchanged"] == 1


def test_what_could_not_be_read_back_goes_out_again_where_all_is_verified(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True, "canary": False}
    rows = [ACCOUNTS, account("a", Plan="x")]
    service.chaos("503@accounts")
    done = deliver(*rows, **ledger, verify="all", max_retry_seconds=0)
    assert done.error is not None
    service.chaos()
    assert deliver(*rows, **ledger).ok().totals["unchanged"] == 1
    again = deliver(*rows, **ledger, verify="all").ok()
    assert (again.totals["sent"], again.totals["verified"]) == (1, 1)
    assert deliver(*rows, **ledger, verify="all").ok().totals["unchanged"] == 1


def test_activities_are_never_sent_twice_with_a_ledger(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db")}
    service.chaos("drop@tracking:1")
    first = deliver(ACTIVITIES, activity(1), activity(2), activity(2), max_in_flight=1, **ledger)
    assert first.totals == {
        "received": 3,
        "sent": 1,
        "uncertain": 1,
        "repeated": 1,
        "skipped": 1,
    }
    service.chaos()
    again = deliver(ACTIVITIES, activity(1), activity(2), activity(3), **ledger)
    assert again.totals == {"received": 3, "sent": 1, "uncertain": 1, "unchanged": 1}
    assert len(service.dump("activities")) == 3
    # Whoever replays an uncertain row has decided.
    replayed = deliver(*(json.dumps(message) for message in again.rejects), **ledger).ok()
    assert replayed.totals == {"received": 1, "sent": 1}


def test_activities_without_a_key_count_as_often_as_they_come(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    keyless = schema("activities", "account_id", "user_id", "activity", "module")
    one = record("activities", account_id="a", user_id="u", activity="Pay", module="M")
    ledger = {"ledger_path": str(tmp_path / "ledger.db")}
    done = deliver(keyless, one, one, state(1), **ledger).ok()
    assert done.said.count("Stream 'activities' has no key") == 1
    again = deliver(keyless, one, state(2), **ledger).ok()
    assert again.totals == {"received": 1, "sent": 1}
    assert len(service.dump("activities")) == 3


def test_activities_without_a_key_are_not_repeated_after_a_run_that_was_cut_off(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    keyless = schema("activities", "account_id", "user_id", "activity", "module")
    one = record("activities", account_id="a", user_id="u", activity="Pay", module="M")
    ledger = {"ledger_path": str(tmp_path / "ledger.db")}
    assert isinstance(deliver(keyless, one, one, '{"type', **ledger).error, InputError)
    # Rejects are no part of what comes again, nor does sending them make the run complete.
    late = record("activities", account_id="b", user_id="u", activity="Pay", module="M" * 200)
    replay = json.dumps(deliver(keyless, late, '{"type', **ledger).rejects[1])
    replay = replay.replace("M" * 200, "M")
    assert deliver(keyless, replay, **ledger).ok().totals == {"received": 1, "sent": 1}
    assert deliver(keyless, replay, **ledger).ok().totals == {"received": 1, "unchanged": 1}
    again = deliver(keyless, one, one, one, **ledger).ok()
    assert again.totals == {"received": 3, "sent": 1, "unchanged": 2}
    assert "cut off" in again.said
    assert deliver(keyless, one, **ledger).ok().totals == {"received": 1, "sent": 1}
    assert len(service.dump("activities")) == 5


# Modes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "accounts", "users"),
    [
        ("update_only", {("old",): "new"}, {("old", "u")}),
        ("create_only", {("old",): "before", ("fresh",): "new"}, {("old", "u"), ("old", "v")}),
    ],
)
def test_modes(
    deliver: Deliver,
    service: Sandbox,
    mode: str,
    accounts: dict[tuple[str], str],
    users: set[tuple[str, str]],
) -> None:
    deliver(ACCOUNTS, USERS, account("old", Plan="before"), user("old", "u", Title="T")).ok()
    done = deliver(
        ACCOUNTS,
        USERS,
        account("old", Plan="new"),
        account("fresh", Plan="new"),
        user("old", "u", Title="New"),
        user("old", "v", Title="New"),
        state(1),
        sync_mode=mode,
    ).ok()
    there = {key: row["Plan"] for key, row in held(service, "accounts").items()}
    assert there == accounts
    assert set(held(service, "users")) == users
    titles = {row["Title"] for row in held(service, "users").values()}
    assert titles == ({"New"} if mode == "update_only" else {"T", "New"})
    assert done.totals["skipped"] == 2
    assert done.totals["updated" if mode == "update_only" else "created"] == 2
    assert done.states == [state(1)["value"]]


def test_a_mapping_may_have_a_mode_of_its_own(deliver: Deliver, service: Sandbox) -> None:
    deliver(ACCOUNTS, account("old", Plan="before")).ok()
    mapping = {"stream": "accounts", "sync_mode": "create_only", "verify": "all"}
    rows = [account("old", Plan="new"), account("fresh", Plan="new"), user("fresh", "u")]
    done = deliver(ACCOUNTS, USERS, *rows, mappings=[mapping]).ok()
    assert held(service, "accounts")[("old",)]["Plan"] == "before"
    assert done.totals == {"received": 3, "sent": 2, "created": 1, "skipped": 1, "verified": 1}
    assert done.report["streams"][0]["skip_reasons"] == {"create_only: in Totango already": 1}


def test_a_mapping_may_skip_what_is_unchanged(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    mapping = {"stream": "accounts", "skip_unchanged": True}
    settings = {"ledger_path": str(tmp_path / "ledger.db"), "mappings": [mapping]}
    for sent in (2, 1):
        done = deliver(ACCOUNTS, USERS, account("a"), user("a", "u"), **settings).ok()
        assert done.totals["sent"] == sent
    assert "skip_unchanged needs ledger_path" in str(
        deliver(ACCOUNTS, account("a"), mappings=[mapping]).error
    )


# Integration Hub -------------------------------------------------------------------------------


@pytest.fixture(params=[0, 100_000], ids=["one thread", "paced threads"])
def hub(request: pytest.FixtureRequest) -> Hub:
    """Settings for hub batches, of which calls that are paced take another way."""
    return {"delivery": "hub", "rate_limit_per_minute": request.param, **UNPROVEN}


def test_the_hub_takes_every_object(deliver: Deliver, service: Sandbox, hub: Hub) -> None:
    tickets = schema("tickets", "account_id", "collection_id", "Priority")
    mapping = {
        "stream": "tickets",
        "object": "collections",
        "collection_type": {"constant": "ticket"},
        "delivery": "hub",
    }
    deliver(
        ACCOUNTS,
        USERS,
        ACTIVITIES,
        tickets,
        account("a", account_name="A", Plan="Pro"),
        user("a", "u", user_name="U", Title="Boss"),
        activity(1),
        record("tickets", account_id="a", collection_id="T-1", Priority="high"),
        **hub,
        mappings=[mapping],
    ).ok()
    assert held(service, "accounts") == {("a",): {"account_name": "A", "Plan": "Pro"}}
    assert held(service, "users") == {("a", "u"): {"user_name": "U", "Title": "Boss"}}
    assert len(service.dump("activities")) == 1
    assert len(service.dump("collections")) == 1
    assert service.calls("tracking") == []


def test_bad_rows_of_a_batch_are_found_and_the_good_ones_land(
    deliver: Deliver, service: Sandbox, hub: Hub
) -> None:
    service.set(hub_error_detail="none")
    service.load(attributes=[{"object": "accounts", "key_name": "Due", "type": "date"}])
    due = schema("accounts", "account_id", "due")
    rows = [account(f"a-{n}", due="2024-01-01") for n in range(60)]
    service.chaos("400@hub:match=a-13")
    done = deliver(due, *rows, state(1), **hub, hub_batch_size=25)
    assert isinstance(done.error, IncompleteRunError)
    assert [row["account_id"] for row in done.rejected] == ["a-13"]
    assert "Totango refused the row (400)" in done.rejected[0]["_reject"]["reason"]
    assert len(held(service, "accounts")) == 59
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize(("accounts", "calls"), [(80, 3), (10, 10)])
def test_rows_of_several_kinds_in_turn_fill_their_batches(
    deliver: Deliver, service: Sandbox, hub: Hub, accounts: int, calls: int
) -> None:
    service.chaos("slow=0.05@hub:p=0.5")
    rows = []
    for n in range(80):
        a = f"a-{n % accounts}"
        rows += [account(a, Plan=f"p{n}"), user(a, f"u{n}", Title="T"), activity(n, a, f"u{n}")]
    done = deliver(ACCOUNTS, USERS, ACTIVITIES, *rows, state(1), **hub).ok()
    assert len(service.calls("hub")) <= calls
    plans = {row["Plan"] for row in held(service, "accounts").values()}
    assert plans == {f"p{n}" for n in range(80 - accounts, 80)}
    assert len(held(service, "users")) == len(service.dump("activities")) == 80
    assert done.states == [state(1)["value"]]


def test_batches_follow_what_their_rows_depend_on(
    deliver: Deliver, service: Sandbox, hub: Hub
) -> None:
    rows = [activity(1, "a", "u"), user("a", "u", Title="T"), account("a", Plan="p")]
    deliver(ACCOUNTS, USERS, ACTIVITIES, *rows, **hub).ok()
    paths = [call["path"].rsplit("/", 1)[-1] for call in service.calls("hub")]
    assert paths == ["accounts", "users", "usage"]


def test_batches_that_fail_among_good_ones_are_no_outage(
    deliver: Deliver, service: Sandbox, hub: Hub
) -> None:
    service.chaos("500@hub:every=3")
    rows = [activity(n) for n in range(200)]
    done = deliver(ACTIVITIES, *rows, state(1), **hub, hub_batch_size=25)
    assert isinstance(done.error, IncompleteRunError)
    assert (done.totals["sent"], done.totals["uncertain"]) == (150, 50)
    assert done.states == [state(1)["value"]]


@pytest.mark.slow
def test_many_failed_batches_in_a_row_are_an_outage(
    deliver: Deliver, service: Sandbox, hub: Hub
) -> None:
    service.chaos("500@hub")
    rows = [activity(n) for n in range(200)]
    done = deliver(ACTIVITIES, *rows, **hub, hub_batch_size=2)
    assert "20 calls in a row" in str(done.error)


# Verification ----------------------------------------------------------------------------------


def test_verification_confirms_what_is_there(deliver: Deliver, service: Sandbox) -> None:
    service.set(visible_after="0.5")
    done = deliver(
        ACCOUNTS,
        USERS,
        account("a", account_name="A", Plan="Pro", Contract__Value=5),
        user("a", "u", user_name="U"),
        verify="all",
        verify_timeout=20,
    ).ok()
    assert done.totals["verified"] == 2


def test_verification_finds_what_is_not_there(deliver: Deliver, service: Sandbox) -> None:
    service.set(unknown_attributes="drop")
    rows = [schema("accounts", "account_id", "Odd"), account("a", Odd="x"), account("b"), state(1)]
    done = deliver(*rows, verify="all", verify_timeout=0, **UNPROVEN)
    assert "1 row was not found in Totango as sent" in str(done.error)
    assert done.codes == [{("Odd", "different")}]
    assert done.totals["verified"] == 1
    assert done.totals["different"] == 1
    warned = deliver(*rows, verify="all", verify_timeout=0, verify_mismatch="warn").ok()
    assert warned.totals["different"] == 1


def test_what_is_not_read_back_is_said_once(deliver: Deliver) -> None:
    named = schema("users", "account_id", "user_id", "account_name")
    rows = [user("a", f"u{n}", account_name="A") for n in range(3)]
    done = deliver(ACTIVITIES, named, *rows, *map(activity, range(3)), verify="all").ok()
    assert done.totals["verified"] == 3
    assert done.said.count("activities cannot be read back") == 1
    assert done.said.count("Account attributes that rows of users carry are not verified") == 1


def test_a_sample_of_few_rows_is_not_empty(deliver: Deliver) -> None:
    rows = [account("a"), user("a", "u"), user("a", "v")]
    done = deliver(ACCOUNTS, USERS, *rows, verify="sample", verify_share=0.0001).ok()
    assert done.totals["verified"] == 2


def test_the_last_row_of_the_first_key_is_what_a_sample_looks_for(deliver: Deliver) -> None:
    rows = [account("a-1", Plan="old"), account("a-2", Plan="x"), account("a-1", Plan="new")]
    done = deliver(ACCOUNTS, *rows, verify="sample", verify_share=0.0001).ok()
    assert done.totals["verified"] == 1


def test_a_row_of_a_mapping_that_is_not_verified_is_not_taken_for_a_difference(
    deliver: Deliver,
) -> None:
    mappings = [
        {"stream": "accounts", "verify": "all"},
        {"stream": "firms", "object": "accounts", "verify": "off"},
    ]
    firms = schema("firms", "account_id", "Plan")
    rows = [ACCOUNTS, account("a-1", Plan="old"), firms]
    rows.append(record("firms", account_id="a-1", Plan="new"))
    assert deliver(*rows, mappings=mappings).ok().totals["verified"] == 1


def test_a_sample_is_a_share(deliver: Deliver) -> None:
    rows = [account(f"a-{n}") for n in range(200)]
    done = deliver(ACCOUNTS, *rows, verify="sample", verify_share=0.25).ok()
    assert 20 < done.totals["verified"] < 80


# Reports ---------------------------------------------------------------------------------------


def test_a_report_that_cannot_be_written_is_said_even_where_the_run_fails(
    deliver: Deliver,
) -> None:
    done = deliver(ACCOUNTS, account("b c"), report_path="/dev/full")
    assert "1 row was rejected" in str(done.error)
    assert "The report /dev/full cannot be written" in done.said
    done = deliver(ACCOUNTS, account("a"), report_path="/dev/full")
    assert "The report /dev/full cannot be written" in str(done.error)


def test_reports_make_a_history(deliver: Deliver, tmp_path: Path) -> None:
    history = tmp_path / "runs" / "history.jsonl"
    deliver(ACCOUNTS, account("a"), report_path=str(history)).ok()
    deliver(ACCOUNTS, account("b c"), report_path=str(history))
    first, second = map(json.loads, history.read_text().splitlines())
    assert (first["totals"]["sent"], first["totals"]["rejected"]) == (1, 0)
    assert (second["totals"]["sent"], second["totals"]["rejected"]) == (0, 1)
    assert first["finished_at"] <= second["finished_at"]


def test_what_was_not_looked_up_is_null(deliver: Deliver) -> None:
    asked = ("created", "updated", "verified", "different", "missing")
    done = deliver(ACCOUNTS, account("a")).ok()
    assert [done.report["totals"][name] for name in asked] == [None] * 5
    done = deliver(ACCOUNTS, account("a"), sync_mode="update_only", verify="all").ok()
    assert [done.report["totals"][name] for name in asked] == [0, 1, 1, 0, 0]


# Dry run ---------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_says_what_it_would_do(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(ACCOUNTS, account("same", Plan="x"), account("other", Plan="x")).ok()
    before = len(service.calls("tracking"))
    rows = [
        account("same", Plan="x"),
        account("other", Plan="y"),
        account("new", Plan="x"),
        account("b a d"),
    ]
    done = deliver(ACCOUNTS, *rows, state(1), dry_run=True)
    assert len(service.calls("tracking")) == before
    assert done.states == []
    assert done.rejects == []
    plan = done.report["plan"]
    assert {name: plan[name] for name in ("create", "update", "unchanged", "rejected")} == {
        "create": 1,
        "update": 1,
        "unchanged": 1,
        "rejected": 1,
    }
    assert plan["changes"] == {"Plan": 1}
    assert plan["first_rows"][1]["sends"] == {"sdr_o": "other", "sdr_o.Plan": "y"}
    assert "sdr_o=other" in done.said
    assert plan["change_examples"] == {"Plan": [{"id": ["other"], "old": "x", "new": "y"}]}
    assert "other: 'x' -> 'y'" in done.said
    [example] = plan["rejected_examples"]["account_id: characters"]
    assert example["record"] == {"account_id": "b a d"}
    assert "Rejected: account_id: characters" in done.said
    assert str(done.error) == "1 row was rejected. Nothing was written."


def test_a_dry_run_shows_three_examples_of_each_reason(deliver: Deliver) -> None:
    rows = [account(f"b a d {n}") for n in range(5)]
    done = deliver(ACCOUNTS, *rows, dry_run=True)
    assert len(done.report["plan"]["rejected_examples"]["account_id: characters"]) == 3
    assert done.said.count('{"account_id": "b a d') == 3


def test_a_dry_run_compares_as_a_read_back_does(deliver: Deliver, service: Sandbox) -> None:
    """Read as text, for want of definitions, a moment has no time."""
    rows = [
        schema("accounts", "account_id", "Renewed"),
        account("a", Renewed="2024-07-01T10:00:00Z"),
    ]
    deliver(*rows).ok()
    service.set(attributes_json="off")
    done = deliver(*rows, dry_run=True)
    assert (done.report["plan"]["unchanged"], done.report["plan"]["changes"]) == (1, {})


def test_a_dry_run_without_a_token_cannot_tell(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("a"), dry_run=True, app_token=None).ok()
    assert done.report["plan"]["cannot_tell"] == 1


# Deletions -------------------------------------------------------------------------------------

GONE = "2024-01-01T12:30:00Z"
DELETABLE = schema("users", "account_id", "user_id", "Title", "_sdc_deleted_at")


@pytest.fixture
def three_users(deliver: Deliver) -> None:
    deliver(DELETABLE, *(user("a", f"u{n}", Title="x") for n in range(3))).ok()


@pytest.mark.usefixtures("three_users")
def test_users_are_deleted_only_when_asked(deliver: Deliver, service: Sandbox) -> None:
    rows = [DELETABLE, user("a", "u0", _sdc_deleted_at=GONE), state(1)]
    done = deliver(*rows).ok()
    assert done.totals == {"received": 1, "skipped": 1}
    assert len(held(service, "users")) == 3
    done = deliver(*rows, hard_delete=True).ok()
    assert done.totals == {"received": 1, "deleted": 1}
    assert done.states == [state(1)["value"]]
    assert set(held(service, "users")) == {("a", "u1"), ("a", "u2")}


@pytest.mark.usefixtures("three_users")
def test_too_many_deletions_delete_nobody(deliver: Deliver, service: Sandbox) -> None:
    rows = [user("a", f"u{n}", _sdc_deleted_at=GONE) for n in range(3)]
    done = deliver(DELETABLE, *rows, state(1), hard_delete=True, max_deletes=2)
    assert "max_deletes is 2" in str(done.error)
    assert len(held(service, "users")) == 3
    assert done.states == []


@pytest.mark.usefixtures("three_users")
def test_a_user_that_comes_back_is_not_deleted(deliver: Deliver, service: Sandbox) -> None:
    done = deliver(
        DELETABLE,
        user("a", "u0", _sdc_deleted_at=GONE),
        user("a", "u0", Title="back"),
        state(1),
        hard_delete=True,
    ).ok()
    assert held(service, "users")[("a", "u0")]["Title"] == "back"
    assert done.states == [state(1)["value"]]


def test_a_user_whose_deletion_was_not_answered_does_not_count_as_confirmed(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    deliver(DELETABLE, user("a", "u", Title="x"), **ledger).ok()
    service.chaos("drop@delete")
    gone = user("a", "u", _sdc_deleted_at=GONE)
    done = deliver(DELETABLE, gone, state(1), hard_delete=True, max_retry_seconds=0, **ledger)
    assert done.totals == {"received": 1, "undelivered": 1}
    assert (done.states, done.rejected) == ([], [])
    assert held(service, "users") == {}
    again = deliver(DELETABLE, user("a", "u", Title="x"), **ledger).ok()
    assert again.totals == {"received": 1, "sent": 1}
    assert set(held(service, "users")) == {("a", "u")}


def test_accounts_cannot_be_deleted_and_that_is_said_once(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(ACCOUNTS, account("a")).ok()
    rows = [account("a", _sdc_deleted_at=GONE), account("b", _sdc_deleted_at=GONE)]
    done = deliver(ACCOUNTS, *rows, hard_delete=True).ok()
    assert set(held(service, "accounts")) == {("a",)}
    assert done.said.count("no way to delete accounts") == 1


def test_a_new_version_deletes_who_is_gone_but_an_empty_one_nobody(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    def version(number: int) -> dict[str, Any]:
        return {"type": "ACTIVATE_VERSION", "stream": "users", "version": number}

    settings = {"hard_delete": True, "ledger_path": str(tmp_path / "ledger.db")}
    rows = [user("a", f"u{n}", Title="x") | {"version": 1} for n in range(3)]
    deliver(DELETABLE, *rows, version(1), **settings).ok()
    deliver(DELETABLE, version(2), **settings).ok()
    assert len(held(service, "users")) == 3
    rows = [user("a", f"u{n}", Title="y") | {"version": 3} for n in range(2)]
    done = deliver(DELETABLE, *rows, version(3), **settings).ok()
    assert set(held(service, "users")) == {("a", "u0"), ("a", "u1")}
    assert done.totals["vanished"] == 1


def test_ids_that_differ_only_in_case_are_said_once_and_counted(
    deliver: Deliver, service: Sandbox
) -> None:
    rows = [user("a", f"{name}@x.example") for name in ("Bob", "bob", "BOB", "ann", "bob")]
    done = deliver(USERS, *rows).ok()
    assert done.totals["case_variants"] == 2
    assert done.totals["repeated"] == 1
    assert done.said.count("differ in case alone") == 1
    assert "bob@x.example" not in done.said
    assert len(held(service, "users")) == 4
    odd = [user("a", "Eve@x.example", Title=["a,b"]), user("a", "eve@x.example")]
    for pair in (odd, odd[::-1]):
        assert deliver(USERS, *pair).totals["case_variants"] == 1
    assert "case_variants" not in deliver(USERS, odd[0], odd[0]).totals
    mapping = {"stream": "users", "user_id": {"field": "user_id", "lower": True}}
    lower = deliver(USERS, *rows, mappings=[mapping]).ok()
    assert lower.totals["repeated"] == 3
    assert "case_variants" not in lower.totals


def test_activities_that_are_rejected_have_no_ids_to_differ(deliver: Deliver) -> None:
    rows = [
        record("activities", id=1, account_id="a", user_id=name, activity="Pay") for name in "uU"
    ]
    done = deliver(ACTIVITIES, *rows)
    assert (done.totals["rejected"], "case_variants" in done.totals) == (2, False)
