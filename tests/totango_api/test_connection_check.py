"""The check of a connection: what a refused token may be worth elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from stub_totango import hits, ok, serving

from totango_api import connection_check
from totango_api.config import Connection
from totango_api.errors import TotangoError
from totango_api.hosts import Hosts
from totango_api.http import ApiClient

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stub_totango import Asked, Reply

REFUSED: Reply = (401, {}, b"{}")


@pytest.fixture
def regions(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[ApiClient]:
    """A client of a region that refuses the token, beside another one that may take it."""
    taken = ok(hits("accounts", [], total=7)) if request.param else REFUSED

    def here(_: Asked) -> Reply:
        return REFUSED

    def there(_: Asked) -> Reply:
        return taken

    with serving(here) as us, serving(there) as eu:
        hosts = {"us": Hosts(us.url, us.url, us.url), "eu": Hosts(eu.url, eu.url, eu.url)}
        monkeypatch.setattr(connection_check, "hosts_of", hosts.__getitem__)
        connection = Connection.from_config({**us.config(), "region": "us"}, user_agent="test/1")
        with ApiClient(connection) as client:
            yield client


@pytest.mark.parametrize("regions", [True, False], indirect=True)
def test_a_token_of_another_region_is_found_out(
    regions: ApiClient, request: pytest.FixtureRequest
) -> None:
    is_taken_there = request.node.callspec.params["regions"]
    with pytest.raises(TotangoError) as raised:
        connection_check.visible_rows(regions, {}, ["accounts"])
    assert ("in region us, but in eu. Set region: eu." in str(raised.value)) is is_taken_there


@pytest.mark.parametrize("regions", [True], indirect=True)
def test_no_other_region_is_asked_where_the_host_is_given(regions: ApiClient) -> None:
    with pytest.raises(TotangoError) as raised:
        connection_check.visible_rows(regions, {"api_url": "https://proxy.example"}, ["accounts"])
    assert "but in eu" not in str(raised.value)
