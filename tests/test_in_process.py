"""What a command changes of the process is put back: see `support/in_process.py`."""

from __future__ import annotations

import gc
import sys

from in_process import run_main

from target_totango.cli import GARBAGE_THRESHOLD, SWITCH_SECONDS, main


def test_a_command_leaves_the_interpreter_as_it_was() -> None:
    before = gc.get_threshold(), sys.getswitchinterval()
    assert run_main(main, "target-totango", "--help").code == 0
    assert (gc.get_threshold(), sys.getswitchinterval()) == before
    assert before[0][0] != GARBAGE_THRESHOLD
    assert before[1] != SWITCH_SECONDS
