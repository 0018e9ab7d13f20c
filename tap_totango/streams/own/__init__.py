"""Streams that users declare (setting `streams`): lists and searches by requests of their own."""

from tap_totango.streams.own.lists import OwnListStream
from tap_totango.streams.own.searches import OwnAccountsStream, OwnUsersStream

__all__ = ["OwnAccountsStream", "OwnListStream", "OwnUsersStream"]
