from __future__ import annotations

import json

from totango_sandbox.http import Request
from totango_sandbox.server.processing import process
from totango_sandbox.service import Service
from totango_sandbox.storage import open_store
from totango_sandbox.switches import Switches


def test_a_fault_of_the_sandbox_itself_is_seen_by_whoever_calls_and_whoever_runs_it(capsys):
    switches = Switches()
    service = Service("t", "SP-1-01", switches, open_store(None, switches))
    request = Request("GET", "/", "/", b"", [(b"app-token", b"t")], b"", "users")
    response = process(service, request, lambda *_: {}["lost"])
    service.store.close()
    assert response.status == 500
    assert json.loads(response.body) == {"error": "the sandbox itself failed: KeyError('lost')"}
    assert "KeyError: 'lost'" in capsys.readouterr().err
