"""The command `target-totango`."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path
from typing import Final

from target_totango.rejects_command import rejects
from target_totango.target import TargetTotango
from totango_api.errors import TotangoError
from totango_api.redaction import scrub_logs

logger = logging.getLogger("target-totango")

GARBAGE_THRESHOLD: Final = 10_000
"""Objects that come on top before garbage is looked for: rows leave none that needs it."""


def main() -> None:
    """Run the command: one sentence and exit code 1 for whatever goes wrong."""
    if not sys.stderr:  # closed: its number must not go to a file or a connection
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for the rest of the process)
    try:
        command = TargetTotango.cli
        scrub_logs()
        # What is imported lives as long as the program: looking through it again and again for
        # garbage would take an eighth of the time that a row takes.
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        if sys.argv[1:2] == ["rejects"]:
            sys.exit(rejects(sys.argv[2:], command))
        command()
    except TotangoError as error:
        logger.error("%s", error)  # noqa: TRY400 (a sentence, no traceback)
        sys.exit(1)
    except Exception:
        logger.exception("target-totango failed in a way that it should not.")
        sys.exit(1)


if __name__ == "__main__":
    main()
