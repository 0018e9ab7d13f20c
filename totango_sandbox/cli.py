"""The command ``totango-sandbox``."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import sqlite3
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from totango_sandbox import faults, switches
from totango_sandbox.errors import SandboxError, UsageError
from totango_sandbox.faults import FaultInjector
from totango_sandbox.switches import Switches

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_FAILED: Final = 1
_MISUSED: Final = 2
_PORT_MAX: Final = 65_535
_SERVICE_ID: Final = re.compile(r"SP-\d+-\w+")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit with 0, 1 (could not serve) or 2 (wrong usage)."""
    options = _parser().parse_args(arguments)
    try:
        _serve(options)
    except SandboxError as error:
        _leave(str(error), _MISUSED)
    except sqlite3.Error as error:
        _leave(f"--db {options.db} cannot be used as an SQLite file ({error}).", _FAILED)
    except ModuleNotFoundError as error:
        _leave(f"{error.name} is missing: pip install '.[sandbox]' in a clone brings it.", _FAILED)
    except OSError as error:
        _leave(_explained(error, options), _FAILED)
    sys.exit(0)


def _leave(message: str, status: int) -> NoReturn:
    sys.stderr.write(f"totango-sandbox: {message}\n")
    sys.exit(status)


def _explained(error: OSError, options: argparse.Namespace) -> str:
    return (
        f"cannot listen on {options.host} port {options.port} ({error.strerror or error}): "
        "choose another with --port, or --port 0 for any free one."
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="totango-sandbox", description="A local Totango, for tests and demonstrations."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = parser.add_subparsers(required=True, metavar="serve")
    serve = commands.add_parser(
        "serve",
        help="serve search, tracking and Integration Hub on loopback",
        description="Serve search, tracking and Integration Hub on one loopback URL.",
        epilog=f"Switches (--set NAME=VALUE):\n{switches.describe()}\n\n"
        f"Chaos (--chaos SPEC):\n{faults.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_options(serve)
    return parser


def _add_options(serve: argparse.ArgumentParser) -> None:
    add = serve.add_argument
    add("--host", default="127.0.0.1", help="loopback address (default %(default)s)")
    add("--port", type=int, default=8765, help="0 = any free one (default %(default)s)")
    add("--db", metavar="FILE", help="keep everything in this SQLite file (default: memory)")
    add(
        "--seed",
        default="accounts=2500,users=4000,events=300",
        metavar="accounts=N,users=N,events=N[,…]",
        help="made-up data to start with, or none (default %(default)s); also collections=N, "
        "seed=N, activity=some|all|spread|none and created=some|all|none (rows with times of "
        "activity, accounts with a Create Date), keys=all|none (accounts with ofid and sfid)",
    )
    add("--rate-limit", type=int, default=100, help="calls a minute and token; 0 = no limit")
    add("--token", default="sandbox-token", help="app token (default %(default)s)")
    add("--service-id", default="SP-12345-01", help="full service id (default %(default)s)")
    add("--sdr-token", default="", help="token that tracking calls must carry (default: none)")
    add("--chaos", action="append", default=[], metavar="SPEC", help="a fault; repeatable")
    add(
        "--set",
        action="append",
        default=[],
        metavar="SWITCH=VALUE",
        help="answer an open question; repeatable",
    )
    add("--ready-file", type=Path, metavar="FILE", help="JSON with url and token, once it listens")


def _version() -> str:
    try:
        return metadata.version("singer-totango")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _serve(options: argparse.Namespace) -> None:
    _check_host(options.host)
    if not 0 <= options.port <= _PORT_MAX:
        msg = f"--port {options.port} is not between 0 and {_PORT_MAX}."
        raise UsageError(msg)
    if _SERVICE_ID.fullmatch(options.service_id) is None:
        msg = f"--service-id {options.service_id!r} is not like SP-12345-01."
        raise UsageError(msg)
    chosen, injector = _switches(options), FaultInjector()
    injector.replace(options.chaos)
    chosen.keep()
    injector.keep()
    # Everything heavy is imported only now: --help and mistakes answer at once.
    from totango_sandbox.seed import fill, parse_seed  # noqa: PLC0415
    from totango_sandbox.server import App, listen, run  # noqa: PLC0415
    from totango_sandbox.service import Service  # noqa: PLC0415
    from totango_sandbox.storage import open_store  # noqa: PLC0415

    amounts = parse_seed(options.seed)
    listener = listen(options.host, options.port)
    store = open_store(options.db, chosen)
    if amounts is not None and store.is_empty:
        fill(store, amounts)
    service = Service(options.token.strip(), options.service_id, chosen, store, injector)
    run(App(service), listener, lambda: _announce(options, listener, service.token))


def _switches(options: argparse.Namespace) -> Switches:
    chosen = Switches()
    chosen.set("rate_limit", str(options.rate_limit))
    chosen.set("sdr_token", options.sdr_token)
    for assignment in options.set:
        chosen.set(*switches.parse_assignment(assignment))
    return chosen


def _check_host(host: str) -> None:
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        msg = (
            f"--host {host} is refused: this is a test server without real security, "
            "it listens on loopback only (127.0.0.1, ::1, localhost)."
        )
        raise UsageError(msg)


def _announce(options: argparse.Namespace, listener: socket.socket, token: str) -> None:
    from totango_sandbox.server import write_ready_file  # noqa: PLC0415 (heavy)

    port = listener.getsockname()[1]
    host = f"[{options.host}]" if ":" in options.host else options.host
    url = f"http://{host}:{port}"
    sys.stdout.write(
        f"totango-sandbox listens on {url} (stop it with Ctrl-C)\n\n"
        f"  app_token     {token}\n"
        f"  service_id    {options.service_id}\n"
        f"  api_url       {url}\n"
        f"  tracking_url  {url}\n"
        f"  hub_url       {url}\n"
    )
    sys.stdout.flush()
    if options.ready_file is not None:
        document = {
            "url": url,
            "token": token,
            "service_id": options.service_id,
            "pid": os.getpid(),
        }
        write_ready_file(options.ready_file, document)
