"""Words that the made-up customers are built of: many scripts, quotes, signs and emoji."""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_DNS, uuid5

COMPANY_HEADS: Final = (
    "Acme",
    "Globex",
    "O'Neill & Sons",
    "Müller",
    "Société Générale d'Eau",
    "Ångström",
    "Łódź Meble",
    "株式会社さくら",
    "深圳华星",
    "ООО «Ромашка»",  # noqa: RUF001 (Cyrillic on purpose)
    "שירותי ענן",
    "شركة النور",
    "บริษัท ดาว",
    "한빛소프트",
    "Ελληνικά Νήματα",
    "Café Zoë 🚀",
    'The "Best" Company',
    "100% Organic",
    "A+B Logistics",
    "Smith, Jones; Partners",
    "<Tag> Labs",
    "Back\\Slash",
    "Señor Ñandú",
    "Initech",
    "Umbrella",
    "Stark",
    "Wayne",
)
COMPANY_TAILS: Final = ("Inc", "LLC", "GmbH", "S.A.", "AB", "Ltd.", "Group", "Holding", "K.K.", "")
FIRST_NAMES: Final = (
    "Dana",
    "Zoë",
    "Søren",
    "Marie-Claire",
    "Дмитрий",
    "美咲",
    "María José",
    "Li",
    "D'Arcy",
    "Noa",
    "Björn",
    "Amélie",
    "Ravi",
    "Fatima",
    "John",
    "Jane",
)
LAST_NAMES: Final = (
    "Reed",
    "O'Brien",
    "Nuñez",
    "Kowalski",
    "Иванов",
    "佐藤",
    "van der Berg",
    "Smith",
    "García-Márquez",
    "Ødegård",
    "Cohen",
    "Patel",
)
OWNERS: Final = (
    "Dana Reed",
    "Zoë Müller",
    "Søren Ødegård",
    "Marie-Claire D'Arcy",
    "Ravi Patel",
    "Noa Cohen",
    "John Smith",
)
PLANS: Final = ("Free", "Basic", "Pro", "Enterprise", "Enterprise (legacy)")
STATUSES: Final = ("Paying", "Free", "Canceled", "Trial")
STAGES: Final = ("Onboarding", "Adoption", "Renewal", "Expansion", "Churned")
HEALTHS: Final = ("green", "yellow", "red")
PRODUCTS: Final = ("core", "analytics", "mobile")
ACCOUNT_TYPES: Final = ("Customer", "Partner", "Prospect", "Customer / Partner")
COUNTRIES: Final = ("US", "DE", "FR", "JP", "IL", "BR", "Côte d'Ivoire", "México", "日本")
NOTES: Final = (
    "Renewal at risk: price > budget & no champion",
    "Wants 20% off + free onboarding",
    "line one\nline two\twith a tab",
    "emoji 🎉 and “smart quotes”",
    "a=b&c=d?e#f",
    "café, naïve, coöperate",
)
SUBJECTS: Final = ("QBR", "Kick-off", "Renewal call", "Escalation", "Training 🎓", "Check-in")
ROLES: Final = ("Admin", "User", "Champion", "Decision maker")


def _ids(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return names with an id that is always the same."""
    return tuple((str(uuid5(NAMESPACE_DNS, f"{name}.sandbox.example")), name) for name in names)


TOUCHPOINT_TYPES: Final = _ids(("Web Meeting", "Phone", "E-mail", "In Person", "Internal Note"))
TOUCHPOINT_TAGS: Final = _ids(("Renewal", "Risk", "Training", "Product feedback"))
ACTIVITY_TYPES: Final = (
    ("adoption", "Adoption"),
    ("renewal", "Renewal"),
    ("support", "Support"),
    ("upsell", "Upsell"),
)
OBJECTIVE_STATUSES: Final = _ids(("Not started", "On track", "At risk", "Achieved"))
OBJECTIVE_CATEGORIES: Final = _ids(("Adoption", "Growth", "Retention"))
