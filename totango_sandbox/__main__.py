"""``python -m totango_sandbox`` is ``totango-sandbox``."""

from __future__ import annotations

from totango_sandbox.cli import main

main()
