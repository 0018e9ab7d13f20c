from __future__ import annotations

from totango_sandbox.http import Request


def test_nothing_between_two_ampersands_is_no_parameter():
    request = Request("POST", "/", "/", b"&a=1&&b=", [], b"c=2&")
    assert request.form() == {"a": "1", "b": "", "c": "2"}
