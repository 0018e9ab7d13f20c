"""Shows what a run did: as JSON, as a line of a history, as a page to look at."""

from totango_api.report.examples import Examples
from totango_api.report.files import ReportFiles, report_settings
from totango_api.report.page import render_page

__all__ = ["Examples", "ReportFiles", "render_page", "report_settings"]
