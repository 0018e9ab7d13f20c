"""Proxies and certificates of the environment, by either client, over real sockets."""

from __future__ import annotations

import base64
import socket
import ssl
import threading
import warnings
from typing import TYPE_CHECKING

import pytest
import trustme
from posting import asking
from proxy import Proxy, proxying
from raw_server import OK, RawServer, speaking

from totango_api.errors import RefusedError, SettingsError, UnavailableError
from totango_api.http.environment import VARIABLES, tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def ok(connection: int, place: int) -> list[bytes]:
    return [OK]


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in (*PROXIES, *VARIABLES):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)


@pytest.fixture(params=["single", "many"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def context_of(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def secured(authority: trustme.CA) -> Iterator[RawServer]:
    """A server with a certificate of the authority."""
    with speaking(ok, context_of(authority, "127.0.0.1")) as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxying() as running:
        yield running


# Certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", VARIABLES)
def test_certificates_of_the_environment_are_trusted(
    kind: str, variable: str, secured: RawServer, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle
    if variable == "SSL_CERT_DIR":
        certificate = ssl.create_default_context(cafile=str(bundle)).get_ca_certs(True)[0]
        path = bundle.parent / "folder"
        path.mkdir()
        (path / f"{subject_hash(bundle)}.0").write_text(ssl.DER_cert_to_PEM_cert(certificate))
    monkeypatch.setenv(variable, str(path))
    with asking(kind, secured.url) as client:
        assert [client.outcome(idempotent=each) for each in (False, True)] == [None, None]
    assert secured.connections == [0, 0]


def subject_hash(bundle: Path) -> str:
    """Return the name that OpenSSL looks for in a folder of certificates."""
    import subprocess

    command = ["openssl", "x509", "-noout", "-hash", "-in", str(bundle)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return done.stdout.strip()


def test_the_variable_of_requests_counts_before_that_of_openssl(
    kind: str, secured: RawServer, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with asking(kind, secured.url) as client:
        assert client.outcome() is None


@pytest.mark.parametrize("trusted", [True, False])
def test_who_is_not_the_host_gets_nothing(
    kind: str,
    authority: trustme.CA,
    bundle: Path,
    trusted: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    name = "another.example" if trusted else "127.0.0.1"
    with (
        speaking(ok, context_of(authority, name)) as server,
        asking(kind, server.url, max_retry_seconds=20) as client,
    ):
        error = client.outcome()
    assert isinstance(error, RefusedError)
    assert "certificate of the host could not be verified" in str(error)
    assert server.asked == []


def test_what_is_no_tls_is_told(kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            with listener.accept()[0] as peer:
                peer.sendall(b"220 mail.example ESMTP\r\n")
                peer.recv(65536)

        greeting = threading.Thread(target=greet)
        greeting.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with asking(kind, url, max_retry_seconds=20) as client:
            error = client.outcome()
        greeting.join()
    assert isinstance(error, RefusedError)
    assert "no TLS connection" in str(error)


def test_no_tls_is_spoken_that_is_older_than_1_2(
    kind: str, authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    context = context_of(authority, "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with speaking(ok, context) as server, asking(kind, server.url) as client:
        error = client.outcome()
    assert isinstance(error, RefusedError)
    assert server.asked == []


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_variable_that_names_nothing_is_a_mistake_in_the_settings(
    kind: str, variable: str, secured: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/not/there.pem")
    with (
        pytest.raises(SettingsError, match=f"{variable} names /not/there.pem"),
        asking(kind, secured.url) as client,
    ):
        client.outcome()


def test_a_bundle_that_holds_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "empty.pem"
    path.write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with pytest.raises(SettingsError, match="holds no certificates"):
        tls_context()


# Proxies -------------------------------------------------------------------------------------


def test_https_goes_through_a_tunnel(
    kind: str, secured: RawServer, bundle: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url())
    with asking(kind, secured.url) as client:
        assert [client.outcome(), client.outcome()] == [None, None]
    assert len(secured.asked) == 2
    place, minor = secured.url.removeprefix("https://"), "0" if kind == "single" else "1"
    assert [head.split("\r\n")[0] for head in proxy.asked] == [f"CONNECT {place} HTTP/1.{minor}"]


def test_a_host_behind_a_tunnel_is_verified(
    kind: str, secured: RawServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url())
    with asking(kind, secured.url) as client:
        error = client.outcome()
    assert "could not be verified" in str(error)
    assert secured.asked == []


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_plain_http_is_handed_to_the_proxy(
    kind: str, variable: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, proxy.url())
    with speaking(ok) as server, asking(kind, server.url) as client:
        assert client.outcome() is None
        assert len(server.asked) == 1
    assert proxy.asked[0].startswith(f"POST {server.url}/x HTTP/1.1")


def test_a_proxy_without_a_scheme_is_one(
    kind: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{proxy.port}")
    with speaking(ok) as server, asking(kind, server.url) as client:
        assert client.outcome() is None
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("hosts", ["127.0.0.1", "*", "127.0.0.0/8", "localhost,127.0.0.1"])
def test_hosts_of_no_proxy_are_asked_directly(
    kind: str, hosts: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url())
    monkeypatch.setenv("NO_PROXY", hosts)
    with speaking(ok) as server, asking(kind, server.url) as client:
        assert client.outcome() is None
    assert proxy.asked == []


def test_user_and_password_go_to_the_proxy_and_no_further(
    kind: str, secured: RawServer, bundle: Path, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url("me:s%20cret"))
    with asking(kind, secured.url) as client:
        assert client.outcome() is None
    expected = "Proxy-Authorization: Basic " + base64.b64encode(b"me:s cret").decode()
    assert expected.lower() in proxy.asked[0].lower()
    assert b"authorization" not in secured.asked[0][1].lower()


@pytest.mark.parametrize("secure", [True, False])
@pytest.mark.parametrize("user", ["", "me:s3cretword"])
def test_a_proxy_that_wants_another_password(
    kind: str,
    secure: bool,
    user: str,
    secured: RawServer,
    proxy: Proxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy.refusal = "407 Proxy Authentication Required"
    monkeypatch.setenv("HTTPS_PROXY" if secure else "HTTP_PROXY", proxy.url(user))
    url = secured.url if secure else "http://127.0.0.1:9"
    with asking(kind, url, max_retry_seconds=20) as client:
        error = client.outcome(idempotent=False)
    assert isinstance(error, RefusedError)
    assert "407" in str(error)
    assert "Check HTTPS_PROXY" in str(error)
    assert "s3cretword" not in str(error)
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("refusal", ["502 Bad Gateway", "503 Service Unavailable"])
def test_a_tunnel_that_fails_is_tried_again_even_for_what_may_not_be_done_twice(
    kind: str, refusal: str, secured: RawServer, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.refusal = refusal
    monkeypatch.setenv("HTTPS_PROXY", proxy.url())
    with asking(kind, secured.url) as client:
        error = client.outcome(idempotent=False)
    assert isinstance(error, UnavailableError)
    assert not error.may_have_succeeded
    assert refusal[:3] in str(error)


def test_a_proxy_that_is_not_there(
    kind: str, secured: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with asking(kind, secured.url) as client:
        error = client.outcome(idempotent=False)
    assert isinstance(error, UnavailableError)
    assert "proxy could not be reached" in str(error)
    assert not error.may_have_succeeded


def test_a_proxy_of_another_kind_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(SettingsError, match="socks5 proxy"), asking("many", "https://x.example"):
        pass
