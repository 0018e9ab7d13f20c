"""Starts the command `target-totango`."""

from __future__ import annotations

import gc


def main() -> None:
    """Import the command, and run it.

    Looking for garbage in what is being imported would take a twentieth of the start, and all of it
    stays.
    """
    gc.disable()
    from target_totango.cli import main as run  # noqa: PLC0415 (only once that is switched off)

    gc.enable()
    run()


if __name__ == "__main__":
    main()
