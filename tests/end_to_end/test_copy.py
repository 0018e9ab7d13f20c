"""One Totango service copied to another, with no mapping at all; `make demo` does it by a pipe."""

from __future__ import annotations


def test_both_hold_the_same_and_a_second_copy_changes_nothing(
    service, sandbox, pipe_here, config_file
) -> None:
    source, copy = sandbox(seed="accounts=300,users=500"), service
    commands = (
        ["tap-totango", "--config", config_file(source.config())],
        ["target-totango", "--config", config_file(copy.config())],
    )
    pipe_here(*commands).ok()
    once = copy.readable("accounts"), copy.readable("users")
    assert once == (source.readable("accounts"), source.readable("users"))
    assert copy.dump("log") == [], "the second service had to drop something"
    pipe_here(*commands).ok()
    assert (copy.readable("accounts"), copy.readable("users")) == once


ODD_NAMES = (
    "Plan",
    "plan",
    "PLAN",
    "ARR %",
    "ARR $",
    "3 months",
    "Größe",
    "Название",
    "日本",
    "a.b-c_d",
)


def test_every_attribute_name_survives_the_way_through_columns(
    service, sandbox, pipe_here, config_file
) -> None:
    source, copy = service, sandbox()
    definitions = [
        {"key_name": name, "type": "text", "object": kind}
        for name in ODD_NAMES
        for kind in ("accounts", "users")
    ]
    values = {name: f"value of {name}" for name in ODD_NAMES}
    account = {"account_id": "a-1", "account_name": "One", "attributes": values}
    user = {"account_id": "a-1", "user_id": "u-1", "user_name": "U", "attributes": values}
    source.load(attributes=definitions, accounts=[account], users=[user])
    pipe_here(
        ["tap-totango", "--config", config_file(source.config())],
        ["target-totango", "--config", config_file(copy.config())],
    ).ok()
    for kind in ("accounts", "users"):
        assert copy.readable(kind) == source.readable(kind)


def test_a_day_stays_a_day(service, sandbox, pipe_here, config_file) -> None:
    source, copy = service, sandbox()
    name = "Next Review"
    source.load(
        attributes=[{"key_name": name, "type": "date", "object": "accounts"}],
        accounts=[
            {"account_id": "a", "account_name": "A", "attributes": {name: "2025-08-20"}},
        ],
    )
    copy.load(attributes=[{"key_name": name, "type": "text", "object": "accounts"}])
    query = {"terms": [], "fields": [{"type": "simple_date_attribute", "attribute": name}]}
    pipe_here(
        ["tap-totango", "--config", config_file(source.config(accounts_query=query))],
        ["target-totango", "--config", config_file(copy.config())],
    ).ok()
    (account,) = copy.dump("accounts")
    assert account["attributes"] == {name: "2025-08-20"}


def test_a_tree_keeps_its_shape_and_grows_from_its_root(
    service, sandbox, pipe_here, config_file
) -> None:
    source, copy = service, sandbox()
    # Searches sort by name: each child comes before its parent.
    tree = [
        {
            "account_id": f"node-{depth}-{number}",
            "account_name": f"{9 - depth} {number}",
            "parent_id": f"node-{depth - 1}-{number // 2}" if depth else None,
            "product_id": "core" if depth == 3 else None,
            "attributes": {"ofid": f"key{depth}{number}"},
        }
        for depth in range(4)
        for number in range(2**depth)
    ]
    source.load(accounts=tree)
    pipe_here(
        ["tap-totango", "--config", config_file(source.config())],
        ["target-totango", "--config", config_file(copy.config())],
    ).ok()

    def shape(service):
        return [
            (row["account_id"], row["parent_id"], row["product_id"], row["attributes"]["ofid"])
            for row in service.dump("accounts")
        ]

    assert sorted(shape(copy)) == sorted(shape(source))
    # Rows are dumped in the order in which they came.
    depths = {row["account_id"]: place for place, row in enumerate(copy.dump("accounts"))}
    assert all(parent is None or depths[parent] < depths[one] for one, parent, *_ in shape(copy))
