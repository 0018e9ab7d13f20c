"""How a request asks for another page: by which of the parameters that it sends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.search import whole_number

if TYPE_CHECKING:
    from totango_api.search import PastedRequest

_OFFSET: Final = "offset"
_COUNT: Final = "count"
_COUNTS: Final = (_COUNT, "limit", "length", "size", "page_size", "pageSize", "per_page")


@dataclass(frozen=True)
class PageParameters:
    """What the parameters are called that ask for another page; empty where there are none.

    Attributes:
        offset: Rows to skip.
        page: Number of the page, instead of an offset.
        count: Rows on a page.
        is_whole: Whether one response is known to hold the whole list.
    """

    offset: str = ""
    page: str = ""
    count: str = ""
    is_whole: bool = False

    @property
    def are_known(self) -> bool:
        """Whether another page can be asked for."""
        return bool(self.offset or self.page)


def parameters_of(request: PastedRequest) -> PageParameters:
    """Return what can be seen of a request: an `offset`, and how many rows it asks for."""
    counts = (name for name in _COUNTS if whole_number(request.parameter(name)))
    is_search = request.search is not None and isinstance(request.search.get("terms"), list)
    offset = _OFFSET if is_search or request.parameter(_OFFSET) is not None else ""
    count = next(counts, _COUNT if is_search else "")
    return PageParameters(offset, count=count)
