"""One Totango service copied to another through a shell pipe, with no mapping at all."""

from __future__ import annotations


def test_both_services_hold_the_same_attribute_by_attribute(sandbox, pipe, config_file) -> None:
    source, copy = sandbox(seed="accounts=300,users=500"), sandbox()
    ran = pipe(
        ["tap-totango", "--config", config_file(source.config())],
        ["target-totango", "--config", config_file(copy.config())],
    )
    assert ran.returncodes == (0, 0), ran.stderr[-4000:]
    for kind in ("accounts", "users"):
        assert copy.writable(kind) == source.writable(kind)
    assert copy.dump("log") == [], "the second service had to drop something"


def test_a_second_copy_changes_nothing(sandbox, pipe, config_file) -> None:
    source, copy = sandbox(seed="accounts=60,users=90"), sandbox()
    commands = (
        ["tap-totango", "--config", config_file(source.config())],
        ["target-totango", "--config", config_file(copy.config())],
    )
    pipe(*commands).ok()
    once = copy.writable("accounts"), copy.writable("users")
    pipe(*commands).ok()
    assert (copy.writable("accounts"), copy.writable("users")) == once
