"""`target-totango rejects`: lists, splits or replays a file of rejected rows."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from target_totango.singer import message_in
from target_totango.storage import PRIVATE, reasons_in
from totango_api.errors import InputError, SettingsError
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXAMPLES: Final = 3
_UNSAFE: Final = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class RejectedRow:
    """A row of a rejects file.

    Attributes:
        number: Its line, from 1.
        line: That line.
        schema: The line of its SCHEMA.
        message: Its message.
        why: Its reasons.
    """

    number: int
    line: bytes
    schema: bytes
    message: Mapping[str, Any]
    why: Mapping[str, Any]

    @property
    def is_superseded(self) -> bool:
        """Whether a replay leaves it out, since later rows of its run outdated it."""
        return self.why.get("superseded") is True

    @property
    def reasons(self) -> list[str]:
        """Its reasons, each as stream, field and code."""
        faults = self.why.get("faults") or [{"code": "no reason given"}]
        named = [": ".join(filter(None, (each.get("field"), each.get("code")))) for each in faults]
        return [f"{self.why.get('stream', self.message['stream'])}: {name}" for name in named]


@dataclass
class Reason:
    """Rows that were rejected for the same reason."""

    rows: int = 0
    superseded: int = 0
    examples: list[RejectedRow] = field(default_factory=list)


def rejects(arguments: Sequence[str], run_target: Callable[[Sequence[str]], None]) -> int:
    """List, split or replay rejects files.

    Args:
        arguments: What follows `target-totango rejects` on the command line.
        run_target: Runs the target with a command line of its own.

    Returns:
        The exit code.

    Raises:
        TotangoError: If a file cannot be read or written.
    """
    options = _parser().parse_args(arguments)
    rows = (row for path in options.files for row in read_rejects(path, options.reason))
    if options.replay:
        if not options.config:
            msg = "--replay needs --config."
            raise SettingsError(msg, remedy="Give the settings of the run that wrote the file.")
        _replay(rows, options.config, run_target)
    elif options.split:
        split(rows, options.split)
    else:
        for line in listed(rows, options):
            sys.stdout.write(line + "\n")
    return 0


def read_rejects(path: Path, reason: str | None) -> Iterator[RejectedRow]:
    """Yield the rows of a file.

    Args:
        path: The file.
        reason: Only rows with this text in one of their reasons.

    Raises:
        InputError: If it is no Singer file.
    """
    schemas: dict[str, bytes] = {}
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                message = message_in(line)
                stream = message["stream"]
                if message["type"] == "SCHEMA":
                    schemas[stream] = line
                    continue
                row = RejectedRow(number, line, schemas[stream], message, reasons_in(message))
                if reason is None or any(reason in each for each in row.reasons):
                    yield row
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}."
        raise InputError(msg, remedy="Name a file that a run has written.") from None
    except (ValueError, KeyError, TypeError):
        msg = f"Line {number} of {path} is no message of a rejects file."
        remedy = "If it is one that was cut off or edited, correct that line or take it out."
        raise InputError(msg, remedy=remedy) from None


def listed(rows: Iterator[RejectedRow], options: argparse.Namespace) -> Iterator[str]:
    """Yield lines that say how many rows were rejected for which reason, with examples."""
    reasons: dict[str, Reason] = {}
    count = 0
    for row in rows:
        count += 1
        for name in row.reasons:
            if options.reason is not None and options.reason not in name:
                continue
            reason = reasons.setdefault(name, Reason())
            reason.rows += 1
            reason.superseded += row.is_superseded
            if len(reason.examples) < options.examples:
                reason.examples.append(row)
    yield counted(count, "row")
    for name, reason in sorted(reasons.items(), key=lambda item: -item[1].rows):
        outdated = f", {reason.superseded} of them outdated" if reason.superseded else ""
        yield f"{reason.rows:>6}  {name}{outdated}"
        for row in reason.examples:
            yield f"        {_example(row, shows_values=options.values)}"


def split(rows: Iterator[RejectedRow], folder: Path) -> None:
    """Write a rejects file for each reason; a row with several goes to that of its first.

    Raises:
        InputError: If a file is there already, or cannot be written.
    """
    with ExitStack() as stack:
        files: dict[str, IO[bytes]] = {}
        announced: dict[str, bytes] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for row in rows:
                name = _UNSAFE.sub("-", row.reasons[0]).strip("-") + ".singer"
                if name not in files:
                    files[name] = stack.enter_context(_new_file(folder / name))
                if announced.get(name) != row.schema:
                    files[name].write(row.schema)
                    announced[name] = row.schema
                files[name].write(row.line)
        except OSError as error:
            msg = f"{folder} cannot be written: {error.strerror}: {error.filename}."
            raise InputError(msg, remedy="Give --split a new folder.") from None
    for name in sorted(files):
        sys.stdout.write(f"{folder / name}\n")


def _replay(
    rows: Iterator[RejectedRow], configs: Sequence[str], run_target: Callable[[Sequence[str]], None]
) -> None:
    """Send rows again; the target leaves out those that are outdated."""
    with tempfile.NamedTemporaryFile(suffix=".singer") as file:
        schema = b""
        for row in rows:
            if row.schema != schema:
                file.write(row.schema)
                schema = row.schema
            file.write(row.line)
        file.flush()
        options = [word for config in configs for word in ("--config", config)]
        run_target([*options, "--input", file.name])


def _example(row: RejectedRow, *, shows_values: bool) -> str:
    outdated = " (outdated)" if row.is_superseded else ""
    place = f"line {row.number}, {row.why.get('rejected_at', 'at an unknown time')}{outdated}"
    if not shows_values:
        return place
    record = json.dumps(row.message["record"], default=str, ensure_ascii=False)
    return f"{place}: {row.why.get('reason')}\n            {record}"


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="target-totango rejects",
        description="Say for which reasons rows were rejected; split the file by reason, or send "
        "its rows again. Values of rows are shown only when asked for.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a rejects file")
    parser.add_argument("--reason", help="only rows with this text in a reason")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each reason")
    parser.add_argument("--values", action="store_true", help="show rows and full reasons")
    parser.add_argument("--split", type=Path, metavar="FOLDER", help="write a file for each reason")
    parser.add_argument(
        "--replay", action="store_true", help="send the rows again that are not outdated"
    )
    parser.add_argument("--config", action="append", default=[], help="for --replay; repeatable")
    return parser
