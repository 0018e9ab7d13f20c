"""Encoded forms: byte for byte what the standard library says."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from totango_api.writing.tracking import encode_form

texts = st.text(st.characters(exclude_categories=["Cs"]))
telling = st.text(st.sampled_from("aZ09_.-~ %+&=/@\x1e\x1f\n\x00äß€😀"))
named = st.dictionaries(texts | telling, texts | telling)


@given(named, named)
@example({"a\x1eb": "c"}, {})
@example({"a": "b\x1fc\x1ed"}, {"": ""})
@example({}, {})
def test_a_form_is_what_urllib_would_make_of_it(one: dict[str, str], other: dict[str, str]) -> None:
    pairs = [*one.items(), *((f"sdr_o.{name}", text) for name, text in other.items())]
    quoted = [f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs]
    assert encode_form(("", one), ("sdr_o.", other)) == "&".join(quoted).encode()


def test_half_a_character_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode_form(("", {"a": "\ud800"}))
