"""One module per group of streams: declarations, what to ask for, when a bookmark moves."""

from typing import Final

from tap_totango.streams.attributes import AttributesStream
from tap_totango.streams.events import EventsStream
from tap_totango.streams.search import AccountsStream, UsersStream

STREAMS: Final = (AccountsStream, UsersStream, EventsStream, AttributesStream)
"""Every stream of the tap; one line for each is all that a new one needs here."""

__all__ = ["STREAMS"]
