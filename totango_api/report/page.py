"""Renders the page of a run: one file, readable without script, in light, dark and print."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"

WIDTH: Final = 600
HEIGHT: Final = 120
MINUTES_SHOWN: Final = 120

_BARS: Final = {
    "received": "all",
    "sent": "good",
    "verified": "good",
    "unchanged": "quiet",
    "skipped": "quiet",
    "deleted": "quiet",
    "rejected": "bad",
    "uncertain": "bad",
    "undelivered": "bad",
    "different": "bad",
    "missing": "bad",
    "not_fitting": "quiet",
}
"""The counts of a stream that are drawn, in this order, and in which colour."""

_PLAN: Final = {
    "create": ("created", "good"),
    "update": ("updated", "all"),
    "unchanged": ("left alone", "quiet"),
    "rejected": ("rejected", "bad"),
    "delete": ("deleted", "bad"),
    "cannot_tell": ("cannot be told", "quiet"),
}
"""The counts of a dry run, with what they are called and in which colour they are drawn."""

_UNLIMITED: Final = "tracking"
"""Whose calls do not count against the limit."""


def render_page(report: Mapping[str, Any], runs: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a report as a page of HTML.

    Args:
        report: `program`, `complete`, `totals`, `streams` and `calls`; optional are `failure`,
            `started_at`, `finished_at`, `seconds`, `understood` (stream to lines), `examples`
            (stream and reason to rows), `plan` (of a dry run), and paths of other files.
        runs: Earlier reports and this one, the oldest first.
    """
    template = _environment().get_template("run.html")
    streams = [{**one, "bars": _bars(one)} for one in report.get("streams", ())]
    shown = {
        **report,
        "streams": streams,
        "figures": {
            "calls": _calls_by_minute(report.get("calls") or {}),
            "runs": _runs_line(runs),
            "plan": _plan_bars(report["plan"]) if report.get("plan") else None,
        },
    }
    return template.render(report=shown)


@cache
def _environment() -> Environment:
    # Only who asks for a page waits for the import.
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment


# Figures: lengths and positions as plain numbers ---------------------------------------------


def _bars(stream: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the counts of a stream, each with its percentage of the greatest."""
    counts = {name: int(stream.get(name) or 0) for name in _BARS}
    shown = [(name, count) for name, count in counts.items() if count or name == "received"]
    return _drawn([(name.replace("_", " "), count, _BARS[name]) for name, count in shown])


def _plan_bars(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what would become of the rows of a dry run."""
    return _drawn([(label, int(plan[name]), kind) for name, (label, kind) in _PLAN.items()])


def _drawn(counts: Sequence[tuple[str, int, str]]) -> list[dict[str, Any]]:
    most = max((count for _, count, _ in counts), default=0) or 1
    return [
        {"name": name, "count": count, "percent": round(100 * count / most, 1), "kind": kind}
        for name, count, kind in counts
    ]


def _calls_by_minute(calls: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the calls of the last minutes of a run: those that count, and the others."""
    minutes: dict[str, dict[str, int]] = {}
    for surface, usage in calls.items():
        kind = "free" if surface == _UNLIMITED else "counted"
        for minute, count in (usage.get("by_minute") or {}).items():
            of_minute = minutes.setdefault(minute, {"counted": 0, "free": 0})
            of_minute[kind] += count
    return [{"minute": minute, **minutes[minute]} for minute in sorted(minutes)][-MINUTES_SHOWN:]


def _runs_line(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return the last runs as points of a line; None if there are not even two."""
    if len(runs) < 2:
        return None
    counts = [int(run["totals"].get("received") or 0) for run in runs]
    most = max(counts) or 1
    points = [
        {
            "x": round(10 + place * (WIDTH - 20) / (len(runs) - 1), 1),
            "y": round(HEIGHT - 10 - (HEIGHT - 20) * count / most, 1),
            "received": count,
            "rejected": run["totals"].get("rejected"),
            "complete": bool(run.get("complete")) and not run.get("failure"),
            "finished_at": run.get("finished_at"),
            "seconds": run.get("seconds"),
        }
        for place, (run, count) in enumerate(zip(runs, counts, strict=True))
    ]
    line = " ".join(f"{point['x']},{point['y']}" for point in points)
    return {"points": points, "line": line, "width": WIDTH, "height": HEIGHT}
