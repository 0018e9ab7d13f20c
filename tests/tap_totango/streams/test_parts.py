"""One part of a stream: the union of all parts is the whole."""

from __future__ import annotations

COUNT = 3


def test_the_parts_together_are_the_whole(service, tap) -> None:
    service.load(
        accounts=[{"account_id": f"a-{n}"} for n in range(40)],
        users=[{"account_id": f"a-{n % 40}", "user_id": f"u-{n}"} for n in range(90)],
    )
    runs = [tap(part=f"{number}/{COUNT}").ok() for number in range(1, COUNT + 1)]
    whole = tap().ok()
    assert whole.of("ACTIVATE_VERSION", "users")
    for stream in ("accounts", "users"):
        keys = [key for run in runs for key in run.keys(stream)]
        assert len(keys) == len(set(keys))
        assert set(keys) == set(whole.keys(stream))
        assert all(run.keys(stream) for run in runs)
    for run in runs:
        assert not run.of("ACTIVATE_VERSION")
        accounts = {key[0] for key in run.keys("accounts")}
        assert {key[0] for key in run.keys("users")} <= accounts


def test_the_state_of_one_part_is_not_taken_for_another(service, tap) -> None:
    service.load(accounts=[{"account_id": f"a-{n}"} for n in range(9)])
    state = tap(part="1/2").ok().state
    tap(part="1/2", state=state).ok()
    tap(part="2/2", state=state).failed("part 1/2")
    tap(state=state).failed("part 1/2")
    tap(part="1/2", state=tap().ok().state).failed("part 1/1")


def test_what_is_no_part_is_refused(tap) -> None:
    tap(part="4/3").failed("part")
