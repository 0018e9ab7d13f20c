"""Checks where files may be written, before the first message is read."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STDOUT = 1


def checked_paths(
    paths: Mapping[str, str | None], *, databases: frozenset[str] = frozenset()
) -> dict[str, Path | None]:
    """Return where to write, by setting: of a symbolic link, the file that it points to.

    A character device is written through; nothing else that is not a plain file is touched.

    Args:
        paths: The value of each setting.
        databases: Settings that need a plain file.

    Raises:
        SettingsError: If one cannot be used, or two are the same file.
    """
    checked: dict[str, Path | None] = {}
    seen: dict[Path, str] = {}
    for setting, text in paths.items():
        if not text:
            checked[setting] = None
            continue
        path = checked[setting] = _checked(setting, text, may_be_device=setting not in databases)
        if path in seen and not is_device(path):
            msg = f"{seen[path]} and {setting} are the same file: {text}."
            raise SettingsError(msg, remedy="Give each a file of its own.")
        seen[path] = setting
    return checked


def check_replaced(setting: str, path: Path, *, kind: str, keys: frozenset[str]) -> None:
    """Check that a file which is to be replaced is an older one of its kind, or empty.

    Settings with a token may be called like what a run writes.

    Args:
        setting: What names the file.
        path: The file; it need not be there.
        kind: What it has to be, for people.
        keys: What its JSON has to hold.

    Raises:
        SettingsError: If it is something else.
    """
    try:
        content = b"" if is_device(path) else path.read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(setting, str(path), error.strerror or str(error)) from None
    try:
        document = json.loads(content) if content else dict.fromkeys(keys)
    except ValueError:
        document = None
    if not (isinstance(document, dict) and keys <= document.keys()):
        msg = f"{setting} would replace {path}, which is no {kind}."
        raise SettingsError(msg, remedy="Name another file.")


def is_device(path: Path) -> bool:
    """Return whether a path is a character device, such as /dev/null."""
    return path.is_char_device()


def _checked(setting: str, text: str, *, may_be_device: bool) -> Path:
    try:
        path = Path(text).expanduser().absolute()
    except FileNotFoundError:
        raise _unusable(setting, text, "the working directory is gone") from None
    except RuntimeError as error:
        raise _unusable(setting, text, str(error)) from None
    try:
        found = path.stat()
    except FileNotFoundError:
        path = path.resolve()
        _check_folder(setting, path)
        return path
    except (OSError, ValueError, RuntimeError) as error:
        raise _unusable(setting, text, getattr(error, "strerror", None) or str(error)) from None
    if _is_stdout(found):
        raise _unusable(setting, text, "standard output takes Singer messages only")
    if stat.S_ISCHR(found.st_mode) and may_be_device:
        return path
    if not stat.S_ISREG(found.st_mode):
        raise _unusable(setting, text, f"it is {_kind(found.st_mode)}, not a file")
    path = path.resolve()
    if not os.access(path, os.W_OK):
        raise _unusable(setting, text, "it cannot be written")
    return path


def _check_folder(setting: str, path: Path) -> None:
    """Check that a file can be made, with the folders on the way to it.

    Raises:
        SettingsError: If it cannot.
    """
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unusable(setting, str(path), f"nothing can be written in {folder}")


def _is_stdout(found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.fstat(_STDOUT))
    except OSError:  # it is closed
        return False


def _kind(mode: int) -> str:
    kinds = {
        stat.S_ISDIR: "a folder",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
    }
    return next((name for is_kind, name in kinds.items() if is_kind(mode)), "something else")


def _unusable(setting: str, text: str, reason: str) -> SettingsError:
    msg = f"{setting} cannot be {text}: {reason.rstrip('.')}."
    return SettingsError(msg, remedy=f"Set {setting} to a file.")
