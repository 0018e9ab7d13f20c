"""What was measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

PACKAGES: Final = (
    "singer-totango",
    "singer-sdk",
    "requests",
    "urllib3",
    "msgspec",
    "jsonschema-rs",
    "aiohttp",
    "uvloop",
)
_CPUS: Final = Path("/proc/cpuinfo")


def described() -> list[str]:
    """Return a few sentences about the machine and the versions."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
    return [
        (
            f"Machine: {cores} cores of {_model()}, {platform.system()} {platform.release()}; "
            f"load at the start: {os.getloadavg()[0]:.1f}."
        ),
        f"Python {platform.python_version()} ({sys.implementation.name}); {versions}.",
    ]


def _model() -> str:
    if _CPUS.exists():
        for line in _CPUS.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "(not installed)"
