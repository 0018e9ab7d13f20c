"""Renders the page of a run: one file, readable without script, in light, dark and print."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from totango_api.report.figures import bars, calls_by_minute, plan_bars, runs_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

_TEMPLATES: Final = Path(__file__).parent / "templates"


def render_page(report: Mapping[str, Any], runs: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return a report as a page of HTML.

    Args:
        report: `program`, `complete`, `totals`, `streams` and `calls`; optional are `failure`,
            `started_at`, `finished_at`, `seconds`, `understood` (stream to lines), `examples`
            (stream and reason to rows), `plan` (of a dry run), and paths of other files.
        runs: Earlier reports and this one, the oldest first.
    """
    template = _environment().get_template("run.html")
    streams = [{**one, "bars": bars(one)} for one in report.get("streams", ())]
    shown = {
        **report,
        "streams": streams,
        "figures": {
            "calls": calls_by_minute(report.get("calls") or {}),
            "runs": runs_line(runs),
            "plan": plan_bars(report["plan"]) if report.get("plan") else None,
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
