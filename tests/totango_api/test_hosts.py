"""Where a token may go, and which ids are service ids."""

from __future__ import annotations

import pytest

from totango_api.errors import SettingsError
from totango_api.hosts import ServiceId, checked_url, hosts_of, is_loopback


@pytest.mark.parametrize(
    ("written", "number", "full"),
    [
        ("SP-25001-01", "25001", "SP-25001-01"),
        ("  SP-25001-01\n", "25001", "SP-25001-01"),
        ("25001", "25001", None),
        ("SP-ab12-T1", "ab12", "SP-ab12-T1"),
    ],
)
def test_service_ids(written: str, number: str, full: str | None) -> None:
    assert ServiceId.parse(written) == ServiceId(number, full)


@pytest.mark.parametrize("written", ["", "SP-25001", "sp-25001-01", "SP--01", "25 001", "SP-1-2-3"])
def test_what_is_no_service_id(written: str) -> None:
    with pytest.raises(SettingsError, match="service_id"):
        ServiceId.parse(written)


def test_half_a_service_id_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="SP-25001-01"):
        ServiceId.parse("25001").require_full()


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("https://api.totango.com/", "https://api.totango.com"),
        (" https://gateway.example.com:8443/totango/ ", "https://gateway.example.com:8443/totango"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("http://127.3.2.1", "http://127.3.2.1"),
    ],
)
def test_urls_that_may_carry_a_token(url: str, checked: str) -> None:
    assert checked_url("api_url", url) == checked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.totango.com",
        "ftp://api.totango.com",
        "http://api.totango.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:8765",
        "http://192.168.1.5",
        "https://user:secret@api.totango.com",
        "https://api.totango.com/?a=1",
        "https://api.totango.com/#x",
        "https://api.totango.com:port",
        "https://[::1",
        "https://",
    ],
)
def test_urls_that_may_not(url: str) -> None:
    with pytest.raises(SettingsError, match="api_url") as error:
        checked_url("api_url", url)
    assert "secret" not in str(error.value)


def test_regions() -> None:
    us, eu = hosts_of("us"), hosts_of("eu")
    for one, other in ((us.api, eu.api), (us.tracking, eu.tracking), (us.hub, eu.hub)):
        assert one != other
        assert checked_url("x", one) == one
        assert checked_url("x", other) == other
    with pytest.raises(SettingsError, match="mars"):
        hosts_of("mars")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.255.0.1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)
