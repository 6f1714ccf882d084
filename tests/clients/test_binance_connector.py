"""binance-connector, the older official client, in a Python of its own that somebody made for it.

It cannot be installed beside python-binance (docs/decisions: clients of others in the tests), so it is not in the lock:
``python3 -m venv X && X/bin/pip install binance-connector==3.13.0``, then GRIDTIDE_CONNECTOR_PYTHON=X/bin/python.
"""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from gridtide.testing.sandbox_exchange import RunningSandbox
from tests.sandbox.rest_client import RestClient

PYTHON = os.environ.get("GRIDTIDE_CONNECTOR_PYTHON", "")

pytestmark = pytest.mark.skipif(not PYTHON, reason="GRIDTIDE_CONNECTOR_PYTHON names no Python that has it")


def test_its_quickstart(sandbox: RunningSandbox, rest: RestClient) -> None:
    """REST, streams and the WebSocket API."""
    script = Path(__file__).with_name("connector_calls.py")
    streams = sandbox.stream_url.removesuffix("/stream/ws")
    addresses = (sandbox.url, streams, sandbox.ws_api_url, sandbox.api_key, sandbox.secret)
    with subprocess.Popen([PYTHON, str(script), *addresses], stdout=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            sandbox.move("50000", volume="1")
            time.sleep(0.05)
        process.kill()
        output = process.stdout.read() if process.stdout else b""
    found = json.loads(output)
    assert found["rest"] | {"time": 0, "used": ""} == {
        "time": 0,
        "used": "",
        "klines": 12,
        "depth": 5,
        "placed": "NEW",
        "open": 1,
        "canceled": "CANCELED",
        "trades": [],
        "test": {},
        "refused": [400, -1013],
    }
    assert found["streams"] == ["kline", "trade"]
    assert found["websocket_api"] == [200, 200, 200]
