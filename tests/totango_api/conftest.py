"""What tests of several rooms share."""

from __future__ import annotations

import pytest

from totango_api.http import retry


@pytest.fixture
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the order and the number of retries, but not their waits."""
    monkeypatch.setattr(retry.random, "uniform", lambda *_: 0.01)
