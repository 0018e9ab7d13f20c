from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import pytest

import totango_sandbox

STYLE = Path(totango_sandbox.__file__).parent / "pages" / "static" / "style.css"
PAGES = ("/", "/pages/accounts", "/pages/users", "/pages/writes", "/pages/calls", "/pages/settings")


class Page(HTMLParser):
    """What a test looks for in a page."""

    def __init__(self, text):
        super().__init__()
        self.text, self.tags, self.headings, self.ids = text, [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.ids.add(attributes.get("id"))

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]

    def links(self):
        return [attributes["href"] for attributes in self.all("a", "link")]


@pytest.fixture
def tenant(sandbox):
    sandbox.load_accounts(60, attributes={"Plan": "Pro"})
    sandbox.load(
        accounts=[{"account_id": "odd", "account_name": "<script>alert('&')</script>"}],
        users=[{"account_id": "odd", "user_id": "joe@x.com", "attributes": {"Role": "Admin"}}],
        events=[{"id": "e1", "timestamp": 1, "type": "note", "account": {"id": "odd"}}],
    )
    return sandbox


def get(tenant, path, **params):
    answer = tenant.http.get(tenant.url + path, params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return Page(answer.text)


def document(tenant, path, **params):
    answer = tenant.http.get(tenant.url + path, params={**params, "format": "json"})
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(tenant, path, form, **headers):
    url = f"{tenant.url}/pages/settings{path}"
    return tenant.http.post(url, data=form, headers=headers, allow_redirects=False)


def test_every_link_leads_somewhere_and_stays_here(tenant):
    tenant.track(sdr_o="odd", sdr_u="joe@x.com", sdr_a="a", sdr_m="m")
    tenant.track(sdr_o="a b")
    seen, waiting = set(), [tenant.url + "/"]
    while waiting:
        address = waiting.pop()
        if address in seen or len(seen) > 150:
            continue
        seen.add(address)
        answer = tenant.http.get(address)
        assert answer.status_code == 200, address
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        page = Page(answer.text)
        for link in page.links():
            target, fragment = urldefrag(urljoin(address, link))
            if link.startswith("#"):
                assert fragment in page.ids, (address, link)
            elif not link.startswith("data:"):
                assert target.startswith(tenant.url), link
                waiting.append(target)
    assert {f"{tenant.url}{page}" for page in PAGES} <= seen
    assert any("/users/joe%40x.com" in address for address in seen)


@pytest.mark.parametrize(
    "path", [*PAGES, "/pages/accounts/odd", "/pages/accounts/odd/users/joe@x.com"]
)
def test_every_page_can_be_used_by_everybody(tenant, path):
    page = get(tenant, path)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == 1
    labelled = {attributes.get("for") for attributes in page.all("label")}
    for field in page.all("input", "select", "textarea"):
        if field.get("type") not in {"hidden", "checkbox"}:
            assert field["id"] in labelled, field
        described = field.get("aria-describedby")
        assert described is None or described in page.ids
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in attributes for attributes in page.all("th"))
    ids = re.findall(r'\bid="([^"]+)"', page.text)
    assert len(ids) == len(set(ids))


def test_every_page_is_a_document_too(tenant):
    for path in (*PAGES, "/pages/accounts/odd"):
        shown = document(tenant, path)
        page = get(tenant, path)
        assert f"<h1>{shown['title'].split('<')[0]}" in page.text
        assert any("format=json" in link for link in page.links())


def test_nothing_comes_from_elsewhere(tenant):
    answer = tenant.http.get(f"{tenant.url}/pages/calls")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    page = Page(answer.text)
    assert [script["src"] for script in page.all("script")] == ["/pages/live.js"]
    for name, kind in (("style.css", "text/css"), ("live.js", "text/javascript")):
        assert tenant.http.get(f"{tenant.url}/pages/{name}").headers["content-type"] == kind


def test_names_are_never_markup(tenant):
    for path in ("/pages/accounts", "/pages/accounts/odd"):
        page = get(tenant, path, q="script")
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert" in page.text


def test_accounts_are_searched_sorted_and_paged(tenant):
    first = document(tenant, "/pages/accounts")
    assert (first["total"], first["pages"], len(first["rows"])) == (61, 2, 50)
    assert first["rows"][1]["cells"]["display"] == "Name 0000"
    second = document(tenant, "/pages/accounts", page="2")
    assert len(second["rows"]) == 11
    newest = document(tenant, "/pages/accounts", sort="id", order="desc")
    assert newest["rows"][0]["id"] == "odd"
    found = document(tenant, "/pages/accounts", q="name 000")
    assert [row["id"] for row in found["rows"]] == [f"a{at:04}" for at in range(10)]
    page = get(tenant, "/pages/accounts", sort="id", order="desc")
    assert [head.get("aria-sort") for head in page.all("th")[:2]] == [None, "descending"]
    for odd in ({"page": "99"}, {"page": "x"}, {"sort": "nothing"}):
        assert document(tenant, "/pages/accounts", **odd)["rows"]


def test_an_account_shows_what_wrote_each_value_last(tenant):
    tenant.track(**{"sdr_o": "a0000", "sdr_o.Plan": "Free", "sdr_o.account_name": "New"})
    row = {"id": "a0000", "attributes": {"Size": "9"}}
    tenant.hub("accounts", {"accounts": [row]})
    tenant.load(accounts=[{"account_id": "a0000", "attributes": {"Loaded": "x"}}])
    shown = {value["name"]: value for value in document(tenant, "/pages/accounts/a0000")["values"]}
    assert (shown["Plan"]["value"], shown["Plan"]["source"]) == ("Free", "tracking")
    assert (shown["name"]["value"], shown["name"]["source"]) == ("New", "tracking")
    assert (shown["Size"]["value"], shown["Size"]["source"]) == (9, "hub")
    assert (shown["Loaded"]["source"], shown["Loaded"]["written"]) == ("loaded", None)
    assert shown["Size"]["written"] >= shown["Plan"]["written"]
    tenant.load(accounts=[{"account_id": "a0000", "attributes": {"Plan": "Pro"}}])
    shown = {value["name"]: value for value in document(tenant, "/pages/accounts/a0000")["values"]}
    assert (shown["Plan"]["value"], shown["Plan"]["source"]) == ("Pro", "loaded")


def test_an_account_shows_users_activities_events_and_dropped_writes(tenant):
    tenant.track(sdr_o="odd", sdr_u="joe@x.com", sdr_a="Login", sdr_m="App")
    tenant.track(**{"sdr_o": "odd", "sdr_u": "joe@x.com", "sdr_u.Logins": "1"})
    tenant.track(**{"sdr_o": "odd", "sdr_u": "joe@x.com", "sdr_u.Logins": "many"})
    shown = document(tenant, "/pages/accounts/odd")
    assert [user["id"] for user in shown["users"]] == ["joe@x.com"]
    assert [(one["activity"], one["module"]) for one in shown["activities"]] == [("Login", "App")]
    assert [event["id"] for event in shown["events"]] == ["e1"]
    assert [write["reason"] for write in shown["dropped"]] == ["not a number"]
    user = document(tenant, "/pages/accounts/odd/users/joe@x.com")
    assert {value["name"] for value in user["values"]} >= {"Role", "Logins", "last_activity_time"}
    assert len(user["activities"]) == 1


def test_what_is_not_there_is_a_page_that_says_so(tenant):
    for path in ("/pages/accounts/nobody", "/pages/accounts/odd/users/nobody"):
        answer = tenant.http.get(tenant.url + path)
        assert answer.status_code == 404
        assert 'role="alert"' in answer.text


def test_dropped_writes_come_newest_first_in_pages(tenant):
    for number in range(60):
        tenant.track(sdr_o=f"bad id {number}")
    first = document(tenant, "/pages/writes")
    assert (first["total"], first["pages"]) == (60, 2)
    assert first["dropped"][0]["detail"]["account_id"] == "bad id 59"
    assert "letters, digits" in first["dropped"][0]["reason"]
    assert len(document(tenant, "/pages/writes", page="2")["dropped"]) == 10


def test_calls_are_counted_against_the_limit(tenant):
    tenant.set(rate_limit=5)
    for _ in range(3):
        tenant.search("accounts", count=1)
    tenant.track(sdr_o="a0000")
    shown = document(tenant, "/pages/calls")
    assert shown["limit"] == 5
    assert [one["used"] for one in shown["windows"]] == [3]
    assert sum(minute["limited"] for minute in shown["minutes"]) == 3
    assert sum(minute["tracking"] for minute in shown["minutes"]) == 1
    assert [call["surface"] for call in shown["latest"]] == ["tracking"] + ["accounts"] * 3
    assert get(tenant, "/pages/calls").all("meter")[0]["value"] == "3"


def test_switches_are_flipped(tenant):
    done = post(tenant, "/switches", {"ties": "stable", "open_ended": "term.owner=off\n\n"})
    assert (done.status_code, done.headers["location"]) == (303, "/pages/settings?saved=switches")
    switches = tenant.stats()["switches"]
    assert (switches["ties"], switches["term.owner"]) == ("stable", "off")
    page = get(tenant, "/pages/settings", saved="switches")
    assert "The switches are set." in page.text
    assert "term.owner=off</textarea>" in page.text
    post(tenant, "/restore", {})
    assert "ties" not in tenant.stats()["switches"]


def test_a_wrong_value_changes_nothing_and_is_explained(tenant):
    refused = post(tenant, "/switches", {"ties": "stable", "page_max": "many"})
    assert refused.status_code == 400
    assert "page_max takes a whole number" in refused.text
    assert "many" in refused.text
    assert "ties" not in tenant.stats()["switches"]
    assert post(tenant, "/switches", {"open_ended": "nonsense"}).status_code == 400
    before = tenant.stats()["switches"]
    refused = post(tenant, "/switches", {"open_ended": "term.owner=off\nterm.string=maybe"})
    assert refused.status_code == 400
    assert tenant.stats()["switches"] == before


def test_faults_are_put_in_force(tenant):
    assert post(tenant, "/faults", {"faults": "503@users\r\n404@tasks"}).status_code == 303
    assert tenant.post_search("users").status_code == 503
    assert document(tenant, "/pages/settings")["struck"][0]["struck"] == 1
    refused = post(tenant, "/faults", {"faults": "nonsense"})
    assert refused.status_code == 400
    assert "nonsense" in refused.text
    assert tenant.post_search("users").status_code == 503
    assert post(tenant, "/faults", {"faults": ""}).status_code == 303
    assert tenant.post_search("users").status_code == 200


def test_forms_of_other_sites_are_refused(tenant):
    form = {"faults": "503@users"}
    assert post(tenant, "/faults", form, origin="http://elsewhere.example").status_code == 403
    assert tenant.post_search("users").status_code == 200
    assert post(tenant, "/faults", form, origin=tenant.url).status_code == 303


def palette(text):
    return dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", text))


def luminance(color):
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("which", [0, 1], ids=["light", "dark"])
def test_texts_stand_out_in_light_and_dark(which):
    colors = palette(STYLE.read_text().split("prefers-color-scheme: dark")[which].split("}")[0])
    assert len(colors) == 10
    for text, ground in product(("text", "quiet", "link", "bad", "good"), ("ground", "panel")):
        assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    for mark in ("line", "counted", "tracking"):
        assert contrast(colors[mark], colors["ground"]) >= 3, mark
