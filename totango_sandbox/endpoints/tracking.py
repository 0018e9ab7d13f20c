"""The tracking pixel: always a GIF, also for a call that is dropped (Totango: HTTP API)."""

from __future__ import annotations

from base64 import b64decode
from functools import partial
from typing import TYPE_CHECKING, Final

from totango_sandbox import dates, limits
from totango_sandbox.endpoints.route import Route
from totango_sandbox.http import GIF, Request, Response, unauthorized
from totango_sandbox.storage import Write, apply_write

if TYPE_CHECKING:
    from totango_sandbox.service import Service
    from totango_sandbox.switches import Switches

_PIXEL: Final = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
# What only browsers send; the rest of Totango's own trackers.
_UNPROVED: Final = "wrong SDR token"
_SYSTEM_MODULE: Final = "__system"
_ACCOUNT_BASE: Final = {
    "account_name": "name",
    "parent_id": "parent_id",
    "product_id": "product_id",
}


class DroppedError(ValueError):
    """A tracking call that Totango would swallow; the message is the reason."""


def handle(service: Service, request: Request) -> Response:
    """Take one tracking call.

    Whatever is wrong with it, the answer is 200 and a GIF; what was dropped, and why, is in the
    sandbox's log. Only a wrong SDR token can be switched to a 401.
    """
    store = service.store
    form: dict[str, str] = {}
    try:
        form = request.form()
        _check_sdr_token(service, request, form)
        write = read(form, service)
    except (DroppedError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        store.log(
            "tracking",
            reason,
            account_id=form.get("sdr_o"),
            user_id=form.get("sdr_u"),
            call=(request.query_string or request.body)[:2000].decode("utf-8", errors="replace"),
        )
        if reason == _UNPROVED and service.switches.text("sdr_token_status") == "401":
            return unauthorized(_UNPROVED)
    else:
        request.rows = 1
        store.submit(partial(apply_write, store, write))
    return Response(200, _PIXEL, [GIF])


def _check_sdr_token(service: Service, request: Request, form: dict[str, str]) -> None:
    """Look for the token in all three places where clients put it."""
    wanted = service.switches.text("sdr_token")
    if wanted and wanted not in {
        form.get("api-token"),
        request.header(b"x-api-token"),
        request.header(b"authorization").removeprefix("app-token "),
    }:
        raise DroppedError(_UNPROVED)


def read(form: dict[str, str], service: Service) -> Write:
    """Turn parameters into a write.

    Raises:
        DroppedError: the call is malformed.
    """
    switches = service.switches
    if form.get("sdr_s") != service.service_id:
        raise DroppedError("wrong sdr_s" if form.get("sdr_s") else "sdr_s is missing")
    write = Write("tracking", dates.now(), form.get("sdr_o", ""))
    fault = limits.account_id_fault(write.account_id)
    if fault:
        raise DroppedError(fault)
    _read_user_id(form, write)
    _read_activity(form, write, switches)
    clears = switches.text("empty_value") == "clear"
    for name, value in form.items():
        if not name.startswith(("sdr_o", "sdr_u")):
            continue
        if value or clears:
            _assign(write, name, value or None)
    if write.user_id is None and (write.user or write.user_attributes):
        msg = "user attributes without sdr_u"
        raise DroppedError(msg)
    _check_base(write, switches, service)
    return write


def _read_user_id(form: dict[str, str], write: Write) -> None:
    if form.get("sdr_u"):
        write.user_id = form["sdr_u"]
        fault = limits.user_id_fault(write.user_id)
        if fault:
            raise DroppedError(fault)


def _read_activity(form: dict[str, str], write: Write, switches: Switches) -> None:
    activity, module = form.get("sdr_a", ""), form.get("sdr_m", "")
    if module == _SYSTEM_MODULE:
        return
    if bool(activity) != bool(module):
        msg = "an activity needs both sdr_a and sdr_m"
        raise DroppedError(msg)
    if not activity:
        return
    if write.user_id is None:
        msg = "an activity needs sdr_u"
        raise DroppedError(msg)
    policy = switches.text("over_limit")
    if policy == "drop" and (
        len(activity) > limits.ACTIVITY_MAX or len(module) > limits.MODULE_MAX
    ):
        msg = "activity or module name is too long"
        raise DroppedError(msg)
    if policy == "truncate":
        activity, module = activity[: limits.ACTIVITY_MAX], module[: limits.MODULE_MAX]
    write.activity = (activity, module)


def _assign(write: Write, name: str, value: str | None) -> None:
    """Put one parameter where it belongs."""
    if name == "sdr_odn":
        write.account.setdefault("name", value)
    elif name == "sdr_ofid":
        write.account_attributes.append(("ofid", value))
    elif name.startswith("sdr_o."):
        attribute = name[6:]
        if attribute in _ACCOUNT_BASE:
            write.account[_ACCOUNT_BASE[attribute]] = value
        elif attribute:
            write.account_attributes.append((attribute, value))
    elif name.startswith("sdr_u."):
        attribute = name[6:]
        if attribute == "name":
            write.user["name"] = value
        elif attribute:
            write.user_attributes.append((attribute, value))


def _check_base(write: Write, switches: Switches, service: Service) -> None:
    """Check names and related ids; what breaks a rule is left out and logged."""
    for fields, what in ((write.account, "account"), (write.user, "user")):
        for name, value in list(fields.items()):
            kept, fault = base_value(what, name, value, switches)
            if fault is None:
                fields[name] = kept
                continue
            del fields[name]
            service.store.log(
                write.surface,
                fault,
                account_id=write.account_id,
                user_id=write.user_id,
                object=what + "s",
                attribute=name,
                value=(value or "")[:1000],
            )


def base_value(
    what: str, name: str, value: str | None, switches: Switches
) -> tuple[str | None, str | None]:
    """Check a display name, a parent id or a product id.

    Returns:
        The value to store, and a fault when there is one.
    """
    if value is None:
        return None, None
    if name == "parent_id":
        return value, limits.account_id_fault(value, "parent id")
    longest = limits.PRODUCT_ID_MAX
    if name == "name":
        longest = limits.ACCOUNT_NAME_MAX if what == "account" else limits.USER_TEXT_MAX
    policy = switches.text("over_limit")
    if len(value) <= longest or policy == "keep":
        return value, None
    if policy == "truncate":
        return value[:longest], None
    return None, f"{what} {name} is longer than {longest} characters"


ROUTES: Final = (
    Route("POST", "/pixel.gif", "tracking", handle),
    Route("GET", "/pixel.gif", "tracking", handle),
)
