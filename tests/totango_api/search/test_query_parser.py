"""Pasted queries mean the same in every wrapping, and what is no query is refused."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from urllib.parse import quote, quote_plus, urlencode

import copied_requests as copied
import pytest
from copied_requests import curl, fetch, multipart, web_request
from hypothesis import given
from hypothesis import strategies as st

from totango_api.errors import QueryError
from totango_api.search.pasted import PastedQuery, query_from, request_from

QUERY = {
    "terms": [
        {"type": "string", "term": "status_group", "in_list": ["paying"]},
        {
            "type": "string_attribute",
            "attribute": "Region",
            "in_list": ["Île-de-France", "R&D 100%", "Côte d'Azur!", "C:\\temp", 'a "b" `c` $d'],
        },
        {"type": "string_attribute", "attribute": "Plan", "eq": "\U0001f600 + 5 = %41 \t x"},
    ],
    "count": 1000,
    "offset": 0,
    "fields": [
        {"type": "string", "term": "health", "field_display_name": "Health rank "},
        {"type": "string_attribute", "attribute": "Success Manager", "field_display_name": "CSM"},
    ],
    "scope": "all",
}
TEXT = json.dumps(QUERY)
RAW_TEXT = json.dumps(QUERY, ensure_ascii=False)
FIELD = f"query={RAW_TEXT}"
ENCODED = urlencode({"query": RAW_TEXT, "team_id": "-1"})
ESCAPED = RAW_TEXT.replace("\\", "\\\\").replace('"', '\\"')
STRAIGHT = json.dumps({**QUERY, "terms": QUERY["terms"][:1]}, indent=1)


def read(text: object, setting: str = "accounts_query") -> PastedQuery:
    return query_from(text, setting=setting)


POSIX_WORDS = [
    copied.chrome_bash,
    copied.old_chrome_bash,
    copied.firefox_bash,
    copied.plain_bash,
    copied.double_quoted_bash,
]
CMD_WORDS = [copied.chrome_cmd, copied.chrome_cmd_in_between, copied.doubled_cmd, copied.typed_cmd]
POWERSHELL_WORDS = [copied.powershell, copied.doubled_powershell, copied.single_powershell]
JAVASCRIPT_WORDS = [copied.javascript, copied.single_javascript, copied.template_javascript]
BODIES = {
    "raw": FIELD,
    "ascii": f"query={TEXT}",
    "encoded": ENCODED,
    "encoded without plus": f"query={quote(RAW_TEXT, safe='')}",
    "multipart": multipart({"query": RAW_TEXT, "team_id": "-1"}),
    "json": json.dumps({"query": RAW_TEXT, "team_id": -1}),
    "bare json": RAW_TEXT,
}

WRAPPINGS = {
    "bare": TEXT,
    "blank around": f"\n  {TEXT}\n",
    "byte order mark": f"\ufeff{TEXT}",
    "field": FIELD,
    "field and more": f"query={quote(TEXT, safe='')}&team_id=-1",
    "raw field and more": f"query={RAW_TEXT}&team_id=-1",
    "not the first field": f"team_id=-1&query={quote_plus(TEXT)}",
    "encoded": quote(TEXT, safe=""),
    "encoded with plus": f"query={quote_plus(TEXT)}",
    "encoded twice": f"query={quote(quote(TEXT, safe=''), safe='')}",
    "encoded three times": f"query={quote(quote(quote(TEXT, safe=''), safe=''), safe='')}",
    "all encoded three times": quote(quote(quote(FIELD, safe=""), safe=""), safe=""),
    "all encoded": quote(f"query={TEXT}", safe=""),
    "URL": f"https://api.totango.com/api/v1/search/accounts?query={quote(TEXT, safe='')}",
    "escaped once more": ESCAPED,
    "-d": curl(copied.plain_bash, f"-d {copied.plain_bash(FIELD)}"),
    "-dX": curl(copied.plain_bash, f"-d{copied.plain_bash(FIELD)}"),
    "-sSd": curl(copied.plain_bash, f"-sSd {copied.plain_bash(FIELD)}"),
    "--data=": curl(copied.plain_bash, f"--data={copied.plain_bash(FIELD)}"),
    "two fields": curl(copied.plain_bash, f"-d team_id=-1 -d {copied.plain_bash(FIELD)}"),
    "--data-urlencode": curl(
        copied.plain_bash,
        f"--data-urlencode {copied.plain_bash(FIELD)} --data-urlencode team_id=-1",
    ),
    "--data-urlencode, bare": curl(
        copied.plain_bash, f"--data-urlencode {copied.plain_bash(RAW_TEXT)}"
    ),
    "--data-urlencode, no name": curl(
        copied.plain_bash, f"--data-urlencode {copied.plain_bash('=' + FIELD)}"
    ),
    "-G": curl(copied.plain_bash, f"-G --data-urlencode {copied.plain_bash(FIELD)}"),
    "URL of curl": f"curl 'https://api.totango.com/x?query={quote(TEXT, safe='')}'",
    "--form": curl(copied.plain_bash, f"--form {copied.plain_bash(FIELD)}"),
    "--form, quoted": curl(
        copied.plain_bash,
        "--form " + copied.plain_bash(f'query="{ESCAPED}"') + " -F 'team_id=\"-1\"'",
    ),
    "--form with type": curl(
        copied.plain_bash, "-F " + copied.plain_bash(f"{FIELD};type=application/json")
    ),
    "--form-string": curl(copied.plain_bash, f"--form-string {copied.plain_bash(FIELD)}"),
    "piped": curl(copied.plain_bash, f"-d {copied.plain_bash(FIELD)}") + " | jq '.response' > x",
    "prompt": "$ " + curl(copied.plain_bash, f"-d {copied.plain_bash(FIELD)}"),
    "locale quotes": f'curl -d $"{copied.double_quoted_bash(FIELD)[1:-1]}" https://x',
    "curl.exe for PowerShell": curl(
        copied.single_powershell, f"--data-raw {copied.single_powershell(FIELD)}", " `\r\n  "
    ).replace("curl ", "curl.exe ", 1),
    "UTF-8 bytes": web_request(
        f"([System.Text.Encoding]::UTF8.GetBytes({copied.powershell(ENCODED)}))"
    ),
    "hash table": web_request(f"@{{ query = {copied.single_powershell(RAW_TEXT)}; team_id = -1 }}"),
    "hash table on lines": web_request(
        f'@{{\n  "team_id" = "-1"\n  "query" = {copied.powershell(RAW_TEXT)}\n}}'
    ),
    "here-string": web_request(f"@'\n{FIELD}\n'@"),
    "here-string with escapes": web_request(
        '@"\n' + FIELD.replace("`", "``").replace("$", "`$") + '\n"@'
    ),
    "PowerShell variable": f"$body = {copied.single_powershell(FIELD)}\n"
    "$answer = Invoke-RestMethod -Method Post -Uri https://x -Body $body",
    "PowerShell sum": web_request(
        f'("query=" + [uri]::EscapeDataString({copied.single_powershell(RAW_TEXT)}))'
    ),
    "splatting": f"$ask = @{{\n Uri = 'https://x'\n Method = 'POST'\n"
    f" Body = {copied.single_powershell(FIELD)}\n}}\nInvoke-RestMethod @ask",
    "PowerShell object": f"$query = {copied.powershell_value(QUERY)}\n"
    + web_request("@{ query = ($query | ConvertTo-Json -Depth 9); team_id = '-1' }"),
    "PowerShell object on lines": "$query = [ordered]@{\n  terms = @(\n"
    + "\n".join(f"    {copied.powershell_value(term)}" for term in QUERY["terms"])
    + f"\n  )\n  fields = {copied.powershell_value(QUERY['fields'])}\n  scope = 'all'\n"
    + "  count = 1000\n  offset = 0\n}\n"
    + web_request("@{ query = $query | ConvertTo-Json -Depth 9 }"),
    "PowerShell variable in a text": f"$query = {copied.single_powershell(RAW_TEXT)}\n"
    "$team_id = -1\n" + web_request('"query=$query&team_id=${team_id}"'),
    "PowerShell, behind a call without data": "$answer = Invoke-RestMethod 'https://x/y'\n"
    + web_request(copied.single_powershell(FIELD)),
    "PowerShell enumeration": f"Invoke-RestMethod '{copied.URL}' "
    "-Method ([Microsoft.PowerShell.Commands.WebRequestMethod]::Post) "
    f"-Body {copied.single_powershell(FIELD)}.Trim()",
    "URLSearchParams": fetch(
        f"new URLSearchParams({{query: {json.dumps(RAW_TEXT)}, team_id: -1}})"
    ),
    "URLSearchParams of variables": f"const query = JSON.stringify({RAW_TEXT});\n"
    "let team_id = ('-1');\n" + fetch("new URLSearchParams({query, team_id,})"),
    "URLSearchParams of text": fetch(f"new URLSearchParams({json.dumps(ENCODED)}).toString()"),
    "URLSearchParams of pairs": fetch(
        f"new URLSearchParams([['team_id', '-1'], ['query', {json.dumps(RAW_TEXT)}],])"
    ),
    "template with expressions": f"const query = {RAW_TEXT};\n"
    + fetch("`query=${encodeURIComponent(JSON.stringify(query))}`"),
    "in typographic quotes": f"\u201c{RAW_TEXT}\u201d",
    "in single typographic quotes": f"\u2018{FIELD}\u2019",
    "in straight quotes": f"'{FIELD}'",
    "as a JSON string": json.dumps(RAW_TEXT),
    "in a code fence": f"```json\n{RAW_TEXT}\n```",
    "no-break blanks between words": curl(
        copied.plain_bash, f"--data-raw\u00a0{copied.plain_bash(FIELD)}"
    ).replace("-H ", "-H\u00a0"),
    "Postman for PowerShell": '$headers = New-Object "System.Collections.Generic.'
    'Dictionary[[String],[String]]"\n$headers.Add("app-token", "x")\n\n'
    f"$body = {copied.powershell(ENCODED)}\n\n"
    "$response = Invoke-RestMethod 'https://x' -Method 'POST' -Headers $headers -Body $body\n"
    "$response | ConvertTo-Json",
    "Postman for cmd": curl(
        copied.typed_cmd, f"--data-urlencode {copied.typed_cmd(FIELD)}", " ^\n"
    ),
    "stringify": fetch(f"'query=' + encodeURIComponent(JSON.stringify({RAW_TEXT}))"),
    "Postman's fetch": "const myHeaders = new Headers();\n"
    f'myHeaders.append("app-token", "{copied.TOKEN}");\n\n'
    "const urlencoded = new URLSearchParams();\n"
    f'urlencoded.append("query", {json.dumps(RAW_TEXT)});\n'
    'urlencoded.append("team_id", "-1");\n\n'
    "const requestOptions = {\n  method: 'POST', // as documented\n  headers: myHeaders,\n"
    "  body: urlencoded,\n  redirect: 'follow'\n};\n\n"
    f'fetch("{copied.URL}", requestOptions)\n  .then((response) => response.text());',
    "comment before": "# from the browser\n"
    + curl(copied.plain_bash, f"-d {copied.plain_bash(FIELD)}"),
    "variable before": "X=1 time " + curl(copied.plain_bash, f"-d {copied.plain_bash(FIELD)}"),
    "HAR, text": json.dumps(
        {
            "method": "POST",
            "url": copied.URL,
            "headers": [{"name": "app-token", "value": copied.TOKEN}],
            "postData": {"mimeType": copied.FORM, "text": ENCODED, "params": []},
        }
    ),
    "HAR, params": json.dumps(
        {
            "request": {
                "method": "POST",
                "url": copied.URL,
                "postData": {
                    "params": [
                        {"name": "query", "value": quote_plus(RAW_TEXT)},
                        {"name": "team_id", "value": "-1"},
                    ]
                },
            }
        }
    ),
}
for name, body in BODIES.items():
    for word in POSIX_WORDS:
        WRAPPINGS[f"{word.__name__}, {name}"] = curl(word, f"--data-raw {word(body)}")
    for word in CMD_WORDS:
        WRAPPINGS[f"{word.__name__}, {name}"] = curl(word, f"--data-raw {word(body)}", " ^\n  ")
    for word in POWERSHELL_WORDS:
        WRAPPINGS[f"{word.__name__}, {name}"] = web_request(word(body))
    for word in JAVASCRIPT_WORDS:
        WRAPPINGS[f"{word.__name__}, {name}"] = fetch(word(body), node=name == "raw")


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_every_wrapping_means_the_same(wrapping: str) -> None:
    found, expected = read(WRAPPINGS[wrapping]), read(QUERY)
    assert found.terms == expected.terms
    assert (found.fields, found.scope) == (expected.fields, "all")
    assert found.team_id == ("-1" if "team_id" in WRAPPINGS[wrapping] else None)
    assert copied.TOKEN not in repr(found)


WHOLE_REQUESTS = [name for name, text in WRAPPINGS.items() if "/search/accounts" in text]


@pytest.mark.parametrize("wrapping", WHOLE_REQUESTS)
def test_every_wrapping_of_a_whole_request_is_the_same_request(wrapping: str) -> None:
    request = request_from(WRAPPINGS[wrapping], setting="streams.mine")
    assert request.search == QUERY
    assert request.path == "/api/v1/search/accounts"
    assert request.method == ("GET" if wrapping == "-G" else "POST")
    assert copied.TOKEN not in repr(request)


values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12) | st.text(
    st.sampled_from("\\\"'`$%^&!+{}[]()\n= a4é"), max_size=12
)
quoting = st.sampled_from(
    [
        # Firefox writes the bytes of Latin-1, which may happen to be UTF-8 as well.
        *((word, " \\\n ") for word in POSIX_WORDS if word is not copied.firefox_bash),
        *((word, " ^\n ") for word in (copied.chrome_cmd, copied.doubled_cmd)),
    ]
)


@given(value=values, how=quoting, body=st.sampled_from(["raw", "encoded", "--data-urlencode"]))
def test_filter_values_survive_any_shell(value: str, how: tuple, body: str) -> None:
    word, continued = how
    terms = [{"type": "string", "term": "identifier", "eq": value}]
    text = json.dumps({"terms": terms, "fields": []}, ensure_ascii=False)
    form = urlencode({"query": text}) if body == "encoded" else f"query={text}"
    option = body if body.startswith("--") else "--data-raw"
    found = read(curl(word, f"{option} {word(form)}", continued))
    assert list(found.terms) == terms


@given(value=values, word=st.sampled_from(POWERSHELL_WORDS))
def test_filter_values_survive_powershell(value: str, word) -> None:
    terms = [{"type": "string", "term": "identifier", "eq": value}]
    text = json.dumps({"terms": terms, "fields": []}, ensure_ascii=False)
    assert list(read(web_request(word(f"query={text}"))).terms) == terms


@given(value=values, word=st.sampled_from(JAVASCRIPT_WORDS))
def test_filter_values_survive_javascript(value: str, word) -> None:
    terms = [{"type": "string", "term": "identifier", "eq": value}]
    text = json.dumps({"terms": terms, "fields": []})
    assert list(read(fetch(word(f"query={text}"))).terms) == terms


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (r"$'\101\x42\u0043\U00000044'", "ABCD"),
        (r"$'\xc3\x8e \303\216 \u00ce \xce'", "Î Î Î Î"),
        (r"$'\ud83d\ude00'", "\U0001f600"),
        (r"$'a\'b\"c\\d\?e'", "a'b\"c\\d?e"),
        (r"$'\z\e\cA\c?'", "\\z\x1b\x01\x7f"),
        ("a'b'\"c\"$'d'\\e\\\nf", "abcdef"),
        (r'"\$\`\"\\\a"', '$`"\\\\a'),
        ("''", ""),
    ],
)
def test_words_of_a_posix_shell(word: str, text: str) -> None:
    from totango_api.search.pasted.shells import posix_words

    assert posix_words(f"curl {word} next; other") == ["curl", text, "next"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ('"`u{1F600} `$a ""b"" `"c`" `t`\n`x"', '\U0001f600 $a "b" "c" \tx'),
        ("'`n''$a'", "`n'$a"),
        ("@'\n'a' \"b\"\n'@", "'a' \"b\""),
        ('@"\n"a" `$b $($c)\n"@', '"a" $b 5'),
        ("'a' + $c + \"$($c)${c}$nobody\"", "a555$nobody"),
        ("[char]0x41 + [char]66", "AB"),
        ("[uri]::EscapeDataString('a b').ToString()", "a%20b"),
        ("([Text.Encoding]::UTF8.GetBytes(' a '.Trim()))", "a"),
    ],
)
def test_values_of_powershell(word: str, text: str) -> None:
    from totango_api.search.pasted.powershell import payload_of

    assert payload_of(f"$c = 5\nirm https://x -Body @{{a = {word}}}").fields == (("a", text),)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | values,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(values, inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_objects_of_powershell_become_the_same_json(value: object) -> None:
    terms = [{"type": "string", "term": "identifier", "eq": value}]
    query = copied.powershell_value({"terms": terms, "fields": []})
    body = f"@{{query = {query} | ConvertTo-Json -Depth 9}}"
    assert list(read(web_request(body)).terms) == terms


@pytest.mark.parametrize(
    ("word", "value"),
    [
        (r"'a\u{1F600}\x41\0\\b\q\' + \u2028'", "a\U0001f600A\0\\bq' + \u2028"),
        ('"a\\\nb\\\r\nc"', "abc"),
        ("('a') + (`b${1 + 'c'}`).trim().toString()", "ab1c"),
        ("0x1F", 31),
        ("1_000", 1000),
        ("-2.50", -2.5),
        ("{a: [], b: {},}", {"a": [], "b": {}}),
        ("undefined", None),
    ],
)
def test_values_of_javascript(word: str, value: object) -> None:
    body = f'JSON.stringify({{terms: [{{type: "string", eq: {word}}}], fields: []}})'
    assert read(fetch(body)).terms == ({"type": "string", "eq": value},)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\n\u00a0").replace(": ", ":\u00a0"),
        lambda text: text.replace(", ", ",\u200b\u2009"),
        lambda text: text.replace('"', "\u201d"),
        lambda text: re.sub('"([^"]*)"', "\u201c\\1\u201d", text),
        lambda text: text.replace('"terms"', "\u201cterms\u201d"),
    ],
    ids=["no-break blanks", "thin blanks", "closing quotes", "both quotes", "one pair"],
)
def test_what_documents_and_chats_do_to_json_is_undone(change) -> None:
    assert read(change(STRAIGHT)) == read(STRAIGHT)


def test_typographic_quotes_and_blanks_inside_of_values_are_kept() -> None:
    query = {"terms": [{"type": "string", "term": "search_name", "eq": "\u201ca\u00a0b\u201d"}]}
    text = json.dumps(query, ensure_ascii=False)
    assert list(read(text).terms) == query["terms"]
    assert list(read(text.replace(": [", ":\u00a0[")).terms) == query["terms"]


@pytest.mark.parametrize("name", ["encoded", "URL", "as a JSON string", "comment before"])
def test_a_code_fence_may_hold_any_paste(name: str) -> None:
    assert read(f"```text\n{WRAPPINGS[name]}\n```\n") == read(WRAPPINGS[name])


def test_a_command_whose_quotes_and_dashes_a_document_replaced() -> None:
    text = STRAIGHT.replace('"', "\u201d")
    pasted = f"curl \u2014location \u2018https://x\u2019 \u2013d \u2018query={text}\u2019"
    assert read(pasted) == read(STRAIGHT)


ENTRY = {"startedDateTime": "2026-01-01", "request": {"method": "GET", "url": "x"}, "response": {}}


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("nonsense", "holds no JSON object"),
        ('{"terms": [}', "line 1, column 12"),
        ('{"terms": []} and more', "stands behind the JSON at line 1, column 15"),
        ('{"terms": []}{"terms": []}', "stands behind the JSON"),
        ('query={"terms": []}&date_term:{"eq":0}', "stands behind the JSON"),
        ('{"terms": 5}', "terms is not a list"),
        ('{"terms": [{"term": "x"}]}', "terms[0] is not an object with a type"),
        ('{"terms": [], "fields": ["health"]}', "fields[0] is not an object with a type"),
        ('{"terms": [], "fields": [{"type": "string_attribute"}]}', "names no attribute"),
        ('{"terms": [{"type": "or", "or": [5]}]}', "or[0]"),
        ('{"terms": [], "scope": 5}', "scope is not a text"),
        ("curl https://x -d 'query={", "quote at character 19 of the command is not closed"),
        ("curl https://x", "sends no data"),
        ("curl https://x -d @query.json", "from a file"),
        ("curl https://x --data-urlencode query@query.json", "from a file"),
        ("curl https://x -F query=@query.json", "from a file"),
        ("curl https://x -d team_id=-1", "found a request that sends team_id"),
        ("curl https://x -d 'query={}'", "found an empty object"),
        ("Invoke-WebRequest -Uri 'https://x'", "sends no data"),
        ("Invoke-RestMethod -Method Post", "sends no body"),
        ("irm x -Body ('a=' + (Get-Date).AddDays(-7))", "line 1: a method or property"),
        ("irm x -Body @{\na = [guid]::NewGuid() }", "line 2: NewGuid is not evaluated"),
        ("fetch('x', {body: '{}'.replace('{', '')})", "line 1: a method"),
        ("fetch('x', {body: [...pairs]})", "line 1: a number expected"),
        ('{"terms": ' + "[" * 200_000, "nested too deeply"),
        ("fetch('https://x')", "sends no data"),
        ("fetch('https://x', {body: `query=${text}`})", "holds no JSON object"),
        ("fetch('https://x', {body: `query=${})", "cannot be read at line 1: a value expected"),
        ("{}", "found an empty object"),
        ("[]", "found a list"),
        ("7", "found a number"),
        ("null", "found null"),
        ({}, "found an empty object"),
        ([], "found a list"),
        (5, "found a number"),
        ({"term": []}, "found an object with term"),
        ({"fields": []}, "found an object with fields"),
        ({"filters": [], "limit": 10}, "found an object with filters, limit"),
        ({"status": "success", "response": {}}, "as answers of the API have them"),
        (ENTRY, "paste the request of the search alone"),
        ({"log": {"entries": [ENTRY]}}, "as HAR files have them"),
        ({"app_token": "x", "accounts_query": {"terms": []}}, "as a whole configuration"),
        ({"query": {"filters": []}}, "found an object with filters"),
        ({"query": "query"}, "holds no JSON object"),
        ({"terms": [], "limit": 10}, "limit is no key of a query"),
        ({"terms": [], "query": {}}, "query is no key of a query"),
        ('{"terms": [{"type": "x"}], "terms": []}', "the key terms stands twice in one object"),
        ({"terms": [{"type": "or"}]}, "terms[0] is of type or, but holds no terms"),
        ({"terms": [{"type": "parent_account", "terms": []}]}, "but holds no terms"),
        ({"query": {"terms": []}, "list_id": 5}, "list_id is no field of the form"),
        ("query=%7B%22terms%22%3A%5B%5D%7D&segment=5", "segment is no field of the form"),
        ('query={"terms": []}&date_term={"eq":-7}', "another day than today"),
        ({"query": {"terms": []}, "account_id": "a"}, "searches for events only"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_what_is_no_query_is_refused_with_what_was_found(pasted: object, said: str) -> None:
    with pytest.raises(QueryError) as error:
        read(pasted)
    assert said in str(error.value)
    assert str(error.value).startswith("accounts_query: ")


@given(
    text=st.text(max_size=30)
    | st.sampled_from(sorted(WRAPPINGS)).flatmap(
        lambda name: st.integers(0, len(WRAPPINGS[name])).map(lambda end: WRAPPINGS[name][:end])
    )
)
def test_any_text_is_a_query_or_refused(text: str) -> None:
    with suppress(QueryError):
        assert isinstance(read(text).terms, tuple)


def test_what_stands_beside_the_query_is_understood() -> None:
    assert read({"query": QUERY, "team_id": 7}).team_id == "7"
    assert read('query={"terms":[]}&teams_id=-1').team_id == "-1"
    assert read('query={"terms":[]}&team_id=').team_id is None
    assert read('query={"terms":[]}&date_term={"type":"date","eq":0}').terms == ()
    assert read('account_id=a&query={"terms":[]}', "events_query").account_id == "a"


def test_a_team_in_the_address_is_understood() -> None:
    pasted = f"curl 'https://x/accounts?team_id=-1&x=2' -d {copied.plain_bash(FIELD)}"
    assert read(pasted).team_id == "-1"


def test_a_summary_names_filters_and_columns_without_values() -> None:
    assert read({**QUERY, "terms": QUERY["terms"][:2]}).summary() == (
        "2 filters (status_group in_list, Region in_list), 2 columns (health, Success Manager)"
    )
    assert read({"query": {"terms": []}, "team_id": -1}).summary() == (
        "0 filters, all columns, team_id -1"
    )
