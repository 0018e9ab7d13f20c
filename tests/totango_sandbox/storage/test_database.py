from __future__ import annotations


def everything(sandbox):
    kinds = ("accounts", "users", "events", "collections", "attributes", "activities", "log")
    return {kind: sorted(sandbox.dump(kind), key=str) for kind in kinds}


def write(sandbox):
    sandbox.track(
        **{
            "sdr_o": "acme",
            "sdr_o.account_name": "Ä%+🚀",
            "sdr_o.New": "2024-01-31",
            "sdr_u": "joe",
            "sdr_u.Role": "x",
            "sdr_a": "Pay",
            "sdr_m": "Billing",
        }
    )
    sandbox.track(sdr_o="not an id")
    ticket = {"id": "T", "account_id": "acme", "attributes": {"Title": "x"}}
    sandbox.hub("collections/tickets", {"collections": [ticket]})


def test_what_was_confirmed_survives_a_stop(start, tmp_path):
    file = str(tmp_path / "service.db")
    with start("--db", file, "--seed", "accounts=40,users=60,events=8") as sandbox:
        write(sandbox)
        sandbox.http.delete(
            f"{sandbox.url}/api/v2/users/account-user/"
            + "/".join(sandbox.dump("users")[0][key] for key in ("account_id", "user_id")),
            headers={"app-token": sandbox.token},
        )
        before = everything(sandbox)
    with start("--db", file) as sandbox:
        assert everything(sandbox) == before
        assert len(before["accounts"]) == 41
        assert len(before["users"]) == 60
        assert sandbox.search("accounts", count=1)["total_hits"] == 41


def test_delayed_writes_survive_too(start, tmp_path):
    file = str(tmp_path / "service.db")
    with start("--db", file, "--seed", "none", "--set", "visible_after=3600") as sandbox:
        write(sandbox)
        assert sandbox.dump("accounts") == []
    with start("--db", file, "--seed", "none") as sandbox:
        assert [row["account_id"] for row in sandbox.dump("accounts")] == ["acme"]


def test_a_confirmed_write_is_in_the_next_search(start, tmp_path):
    with start("--db", str(tmp_path / "x.db"), "--seed", "none") as sandbox:
        for number in range(20):
            sandbox.track(sdr_o=f"a{number}")
            assert sandbox.search("accounts", count=1)["total_hits"] == number + 1


def test_a_reset_empties_the_file(start, tmp_path):
    file = str(tmp_path / "service.db")
    with start("--db", file, "--seed", "none") as sandbox:
        write(sandbox)
        sandbox.control("reset")
    with start("--db", file, "--seed", "none") as sandbox:
        assert everything(sandbox) == {kind: [] for kind in everything(sandbox)}
