"""A sandbox for the package's tests, and the tap run in this process as a user runs it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import stub_totango
from in_process import run_main
from tap_runs import Catalog, TapRun, catalog_of

from tap_totango.cli import main
from tap_totango.tap import TapTotango
from totango_api.http import retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stub_totango import Asked, Reply, Stub


@pytest.fixture
def stub() -> Iterator[Callable[[Callable[[Asked], Reply]], Stub]]:
    """`stub(answer)`: a server that gives the answers which a function makes."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(stub_totango.serving(answer))


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the order and the number of retries, but not their waits."""
    monkeypatch.setattr(retry.random, "uniform", lambda *_: 0.01)


class Command(Protocol):
    """Runs `tap-totango` to its end."""

    def __call__(self, *arguments: str | Path) -> TapRun: ...


@pytest.fixture
def tap_command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """`tap_command("check", "--config", path)`: one run of the command, in this process."""

    def start(*arguments: str | Path) -> TapRun:
        monkeypatch.setattr(TapTotango, "_tests", False)
        ended = run_main(main, "tap-totango", *map(str, arguments))
        return TapRun(ended.code, ended.stdout, ended.stderr)

    return start


class Tap(Protocol):
    """Runs the tap to its end."""

    def __call__(
        self,
        *options: str,
        config: dict[str, Any] | None = None,
        catalog: Catalog | None = None,
        state: Any = None,
        **settings: Any,
    ) -> TapRun: ...


@pytest.fixture
def tap(
    tap_command: Command, config_file: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> Tap:
    """`tap(option, …, catalog=…, state=…, setting=value, …)`: one run, against the sandbox."""

    def start(
        *options: str,
        config: dict[str, Any] | None = None,
        catalog: Catalog | None = None,
        state: Any = None,
        **settings: Any,
    ) -> TapRun:
        if config is None:
            config = request.getfixturevalue("service").config(max_retry_seconds=5)
        arguments = ["--config", config_file({**config, **settings})]
        for name, content in (
            ("catalog", catalog and catalog.document),
            ("state", state),
        ):
            if content is not None:
                path = tmp_path / f"{name}.json"
                path.write_text(json.dumps(content))
                arguments += [f"--{name}", path]
        return tap_command(*arguments, *options)

    return start


@pytest.fixture
def discover(tap: Tap) -> Callable[..., Catalog]:
    """`discover(setting=value, …)`: the catalog that the tap discovers."""

    def ask(**settings: Any) -> Catalog:
        ran = tap("--discover", **settings)
        assert ran.code == 0, ran.said
        return catalog_of(ran.stdout)

    return ask
