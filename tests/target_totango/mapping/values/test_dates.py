"""Dates: whichever way they are written, the same moment goes out, or the day of its zone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_totango.mapping.values.convert import ConversionError
from target_totango.mapping.values.dates import Precision, date_conversion, to_date, zone_named


@given(st.datetimes(), st.sampled_from(["seconds", "milliseconds", "microseconds"]))
def test_moments_keep_what_they_say_and_lose_their_zeros(
    moment: dt.datetime, timespec: str
) -> None:
    written = to_date(moment.isoformat(timespec=timespec) + "Z")
    said = dt.datetime.fromisoformat(moment.isoformat(timespec=timespec) + "Z")
    assert dt.datetime.fromisoformat(written) == said
    if timespec == "microseconds":
        digits = written[20:-1]
        assert len(digits) == (6 if said.microsecond % 1000 else 3 if said.microsecond else 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-07-01", "2024-07-01"),
        ("2024-07-01T10:00:00Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00:00.5Z", "2024-07-01T10:00:00.500Z"),
        ("2024-07-01T10:00:00.000000Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00:00.123456Z", "2024-07-01T10:00:00.123456Z"),
        ("2024-07-01T12:00:00+02:00", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00", "2024-07-01T10:00:00Z"),
        ("2024-07-01T10:00", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00+00", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00.123456+02", "2024-07-01T08:00:00.123456Z"),
        ("2024-07-01 10:00:00 UTC", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00.5 utc", "2024-07-01T10:00:00.500Z"),
        ("2024-07-01T10:00:00 GMT", "2024-07-01T10:00:00Z"),
        ("2024-07-01t10:00:00z", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00:00 +0200", "2024-07-01T08:00:00Z"),
        ("2024-07-01 10:00:00 -05:30", "2024-07-01T15:30:00Z"),
        ("2024-07-01T10:00:00 Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01 10:00 +02", "2024-07-01T08:00:00Z"),
        ("2024-07-01 10:00:00 +0000 UTC", "2024-07-01T10:00:00Z"),
        (" 2024-07-01T10:00:00,25Z ", "2024-07-01T10:00:00.250Z"),
        (dt.date(2024, 7, 1), "2024-07-01"),
        (dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC), "2024-07-01T10:00:00Z"),
    ],
)
def test_dates(value: Any, text: str) -> None:
    assert to_date(value) == text


@pytest.mark.parametrize(
    "value",
    [
        *("", "soon", "2024-02-30", "20240701", "2024-07-01T25:00", "2024-W27-1", "10:00:00"),
        *("2024-07-01T24:00:00Z", "2024-07-01 10:00:00 CEST", "2024-07-01T10:00:00+2"),
        *("2024-07-01 UTC", "0001-01-01T00:00:00+02:00", "2024-07-01T10:00:00Z Z"),
        *(1719792000000, True, [], {}),
    ],
    ids=repr,
)
def test_what_is_no_date(value: Any) -> None:
    with pytest.raises(ConversionError) as caught:
        to_date(value)
    assert caught.value.code == "not a date"


# From 1975 on all zones are whole minutes from UTC, as ISO 8601 has it.
@given(st.datetimes(timezones=st.timezones(), min_value=dt.datetime(1975, 1, 1)))
def test_moments_stay_the_same_moment(moment: dt.datetime) -> None:
    text = to_date(moment.isoformat())
    assert dt.datetime.fromisoformat(text) == dt.datetime.fromisoformat(moment.isoformat())
    assert text.endswith("Z")


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("%d/%m/%Y", "31/12/2024", "2024-12-31"),
        ("%Y%m%d", 20241231, "2024-12-31"),
        ("%d.%m.%Y %H:%M", "31.12.2024 23:59", "2024-12-31T23:59:00Z"),
        ("%Y-%m-%dT%H:%M:%S%z", "2024-12-31T23:59:00-0100", "2025-01-01T00:59:00Z"),
        ("epoch_s", 1735689599, "2024-12-31T23:59:59Z"),
        ("epoch_ms", "1735689599500", "2024-12-31T23:59:59.500Z"),
        ("epoch_s", -1, "1969-12-31T23:59:59Z"),
        ("epoch", 1735689599, "2024-12-31T23:59:59Z"),
        ("epoch", "1735689599500", "2024-12-31T23:59:59.500Z"),
    ],
)
def test_date_formats(pattern: str, value: Any, text: str) -> None:
    assert date_conversion((pattern,))(value) == text


@pytest.mark.parametrize("pattern", ["", "Iso", "dd/mm", "%Q", "Epoch"])
def test_what_is_no_date_format(pattern: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        date_conversion((pattern,))


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("%d/%m/%Y", "2024"),
        ("epoch_s", "x"),
        ("epoch_ms", 10**30),
        ("epoch_s", Decimal("1E+999999999")),
        ("epoch_s", Decimal("NaN")),
        ("epoch_s", True),
    ],
)
def test_values_that_do_not_have_the_format(pattern: str, value: Any) -> None:
    with pytest.raises(ConversionError):
        date_conversion((pattern,))(value)


# Several formats -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("31.12.2024", "2024-12-31"),
        ("12/31/2024", "2024-12-31"),
        ("2024-12-31", "2024-12-31"),
        ("2024-12-31T23:00:00-02:00", "2025-01-01T01:00:00Z"),
        (1735689599, "2024-12-31T23:59:59Z"),
        ("1735689600", "2025-01-01T00:00:00Z"),
    ],
)
def test_the_first_format_that_fits_counts(value: Any, text: str) -> None:
    assert date_conversion(["%d.%m.%Y", "%m/%d/%Y", "iso", "epoch_s"])(value) == text


def test_what_fits_no_format_is_told_with_all_of_them() -> None:
    with pytest.raises(ConversionError) as caught:
        date_conversion(["%d.%m.%Y", "iso"])("soon")
    assert caught.value.message == "'soon' is not a date like %d.%m.%Y or iso"


# Zones -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-07-01 10:00:00", "2024-07-01T08:00:00Z"),
        ("2024-12-01 10:00:00", "2024-12-01T09:00:00Z"),
        ("2024-07-01 10:00:00Z", "2024-07-01T10:00:00Z"),
        ("2024-07-01", "2024-07-01"),
        # Clocks go back: this hour comes twice, and the first one counts.
        ("2024-10-27 02:30:00", "2024-10-27T00:30:00Z"),
        # Clocks go forward: there is no such time, so they count as not gone forward yet.
        ("2024-03-31 02:30:00", "2024-03-31T01:30:00Z"),
    ],
)
def test_a_zone_for_times_that_name_none(value: str, text: str) -> None:
    assert date_conversion(zone=zone_named("Europe/Berlin"))(value) == text


def test_a_zone_holds_for_formats_too() -> None:
    convert = date_conversion(["%d.%m.%Y %H:%M", "%d.%m.%Y"], zone=zone_named("Europe/Berlin"))
    assert convert("01.07.2024 01:00") == "2024-06-30T23:00:00Z"
    assert convert("01.07.2024") == "2024-07-01"


@pytest.mark.parametrize("name", ["Nowhere/Atall", "", "Europe", "../etc/passwd", 5, None, "CEST1"])
def test_what_is_no_zone(name: Any) -> None:
    with pytest.raises(ValueError, match="time_zone"):
        zone_named(name)


# Days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "date", "day"),
    [
        ("2024-07-01T00:00:00+02:00", "2024-07-01", "2024-07-01"),
        ("2024-07-01T23:30:00-05:00", "2024-07-01", "2024-07-01"),
        ("2024-07-01T10:00:00+02:00", "2024-07-01T08:00:00Z", "2024-07-01"),
        ("2024-07-01T00:00:00Z", "2024-07-01T00:00:00Z", "2024-07-01"),
        ("2024-07-01T00:00:00.000000Z", "2024-07-01T00:00:00Z", "2024-07-01"),
        ("2024-07-01", "2024-07-01", "2024-07-01"),
    ],
)
def test_a_moment_has_the_day_of_its_own_zone(value: str, date: str, day: str) -> None:
    assert date_conversion(precision=Precision.DATE)(value) == date
    assert date_conversion(precision=Precision.DAY)(value) == day


zones = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])


# From 1975 on all zones are whole minutes from UTC, as ISO 8601 has it.
@given(st.datetimes(min_value=dt.datetime(1975, 1, 1), max_value=dt.datetime(2037, 1, 1)), zones)
def test_the_day_never_moves_and_neither_does_the_moment(naive: dt.datetime, name: str) -> None:
    # A text does not tell the two moments apart that a clock shows twice.
    naive = naive.replace(fold=0)
    moment = naive.replace(tzinfo=ZoneInfo(name))
    for text, convert in (
        (moment.isoformat(), date_conversion(precision=Precision.DATE)),
        (naive.isoformat(), date_conversion(precision=Precision.DATE, zone=ZoneInfo(name))),
    ):
        sent = convert(text)
        assert sent[:10] == naive.date().isoformat()
        if "T" in sent:
            assert dt.datetime.fromisoformat(sent) == moment.astimezone(dt.UTC)
    assert date_conversion(zone=ZoneInfo(name))(naive.isoformat()) == to_date(moment.isoformat())


@given(
    st.from_regex(
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[05][0-9]{2}000Z",
        fullmatch=True,
    ),
    st.sampled_from(Precision),
)
def test_what_is_quick_gives_what_is_slow(text: str, precision: Precision) -> None:
    conversion = date_conversion(precision=precision)

    def outcome(convert: Any) -> str | None:
        try:
            return str(convert(text))
        except ConversionError:
            return None

    assert outcome(conversion[str]) == outcome(conversion[object])
