"""Every number and name that comes from Totango, each with its source.

Titles in quotes are articles on support.totango.com. What no source states is marked
*inferred*: change it here, once.
"""

from __future__ import annotations

from typing import Final

# Transport -------------------------------------------------------------------------------

CALLS_PER_MINUTE: Final = 100
"""REST calls a minute for one token, over all APIs ("API rate limit"). Tracking is not limited."""

RATE_WINDOW_SECONDS: Final = 60
"""The window of that limit; also the wait when a 429 names none ("API rate limit")."""

# Search ----------------------------------------------------------------------------------

PAGE_ROWS: Final = 1000
"""Most rows that one search page holds ("Search API (accounts and users)")."""

WINDOW_ROWS: Final = 10_000
"""Rows that one query can reach by raising its offset ("Search API (accounts and users)")."""

# Identifiers and values ("Attribute limitations"; "Unique IDs") ---------------------------

ACCOUNT_ID_LENGTH: Final = 480
USER_ID_LENGTH: Final = 100
PRODUCT_ID_LENGTH: Final = 255
ACCOUNT_NAME_LENGTH: Final = 128
ACCOUNT_TEXT_LENGTH: Final = 512
USER_TEXT_LENGTH: Final = 255
ATTRIBUTE_NAME_LENGTH: Final = 100
ACTIVITY_NAME_LENGTH: Final = 190
MODULE_NAME_LENGTH: Final = 100
COLLECTION_TYPE_LENGTH: Final = 128
COLLECTION_TEXT_LENGTH: Final = 512
COLLECTION_ID_LENGTH: Final = ACCOUNT_ID_LENGTH
"""*Inferred*: no source limits a collection's own id."""

ACCOUNT_ID_CHARACTERS: Final = r"A-Za-z0-9_\-"
USER_ID_CHARACTERS: Final = r"A-Za-z0-9_\-@."
"""Note: no plus sign."""

TOUCHPOINT_CONTENT_LENGTH: Final = 12_000
"""Characters of a touchpoint's text ("Touchpoints API"; an older copy says 3,000)."""

# Integration Hub -------------------------------------------------------------------------

HUB_BATCH_ROWS: Final = 100
"""Rows in one batch: what the public client sends; the real maximum is unknown (*inferred*)."""

HUB_BATCH_BYTES: Final = 1_000_000
"""Bytes in one batch: no source states a limit (*inferred*, conservative)."""

# Deletion --------------------------------------------------------------------------------

EU_SITE: Final = "t11"
"""What `/domains/` answers as `site` for services in the EU (Totango's own Zendesk app)."""
