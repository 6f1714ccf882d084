"""F71: secrets never reach the file or the terminal, whatever their route."""

import base64
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridtide.telemetry.logs import get_logger
from gridtide.telemetry.pipeline import StandardLogHandler
from gridtide.telemetry.redaction import Redactor
from tests.telemetry.conftest import Written

CANARY = 'Ca"nary/9+é=' + "Xy7" * 4
"""A registered secret with everything that quoting changes."""
UNREGISTERED = "q9" * 32
"""A secret nobody registered: only the name beside it gives it away."""


class ExchangeError(Exception):
    """As a client library raises it: the request's address and headers in its text."""


@dataclass
class Holder:
    key: str


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError(CANARY)


def raise_with(secret: str) -> None:
    local_copy = secret  # a traceback with local variables would show this
    headers = {"X-MBX-APIKEY": secret}
    raise ExchangeError(f"binance GET https://host/api?timestamp=1&signature={local_copy} {headers}")


def in_message(secret: str) -> None:
    get_logger().info(f"connected with apiKey={secret}")


def in_field(secret: str) -> None:
    get_logger().info("connected", api_key=secret, note=f"secret: {secret}")


def in_bound_field(secret: str) -> None:
    get_logger(authorization=f"Bearer {secret}").warning("connected")


def in_nested_dict(secret: str) -> None:
    get_logger().info(
        "sent", request={"headers": [{"X-MBX-APIKEY": secret}], "params": ({"signature": secret},)}
    )


def in_key(secret: str) -> None:
    get_logger().info("sent", params={f"signature={secret}": 1})


def in_bytes(secret: str) -> None:
    get_logger().info("sent", body=f"signature={secret}&x=1".encode(), api_secret=secret.encode())


def in_object(secret: str) -> None:
    get_logger().info("sent", holder=Holder(f"apiKey={secret}"), odd=Broken())


def in_url(secret: str) -> None:
    get_logger().info("sent", url=f"https://host/api/v3/order?symbol=X&signature={quote(secret)}")


def in_json_text(secret: str) -> None:
    get_logger().info("sent", body=json.dumps({"apiKey": secret, "nested": {"secret": secret}}))


def in_json_in_json(secret: str) -> None:
    get_logger().info("sent", body=json.dumps({"inner": json.dumps({"secret": secret})}))


def in_traceback(secret: str) -> None:
    try:
        raise_with(secret)
    except ExchangeError:
        get_logger().exception("failed")


def in_error_field(secret: str) -> None:
    try:
        raise_with(secret)
    except ExchangeError as error:
        get_logger().error("failed", error=error, also=repr(error), exc_info=error)


def in_chained_error(secret: str) -> None:
    try:
        try:
            raise_with(secret)
        except ExchangeError as error:
            raise ValueError("could not connect") from error
    except ValueError as error:
        get_logger().error("failed", exc_info=error)


def in_library_log(secret: str) -> None:
    logging.getLogger("ccxt.base").warning("Request: %s", {"X-MBX-APIKEY": secret})
    logging.getLogger("aiohttp.client").error("failed: ?signature=%s", secret)


def in_library_traceback(secret: str) -> None:
    try:
        raise_with(secret)
    except ExchangeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")


def in_library_format_error(secret: str) -> None:
    """Straight to our handler: pytest's own would raise first."""
    message = f"apiKey={secret.replace('%', '%%')} %d"
    record = logging.LogRecord("somebody", logging.WARNING, __file__, 1, message, ("no number",), None)
    (handler,) = [found for found in logging.getLogger().handlers if isinstance(found, StandardLogHandler)]
    handler.handle(record)


def in_thread(secret: str) -> None:
    thread = threading.Thread(target=raise_with, args=(secret,))
    thread.start()
    thread.join()


def in_warning(secret: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old parameter signature={secret}", UserWarning, stacklevel=1)


ROUTES = [
    value for name, value in list(globals().items()) if name.startswith("in_") and callable(value)
]  # fmt: skip


@pytest.fixture
def knowing(tmp_path: Path) -> Iterator[Written]:
    """A log that was told the canary."""
    log = Written(tmp_path / "knowing.log", secrets=(CANARY,))
    yield log
    log.logs.close()


def spellings(secret: str) -> list[str]:
    encoded = base64.b64encode(secret.encode()).decode()
    return [secret, quote(secret), json.dumps(secret)[1:-1], encoded.rstrip("="), secret[:12]]


@pytest.mark.parametrize("route", ROUTES)
def test_f71_a_registered_secret_never_shows(knowing: Written, route: Callable[[str], None]) -> None:
    route(CANARY)
    assert knowing.entries(), "the line itself is there"
    assert "***" in knowing.everything()
    assert [spelling for spelling in spellings(CANARY) if spelling in knowing.everything()] == []


@pytest.mark.parametrize("route", ROUTES)
def test_f71_a_secret_nobody_registered_is_known_by_its_name(
    written: Written, route: Callable[[str], None]
) -> None:
    route(UNREGISTERED)
    assert written.entries()
    assert UNREGISTERED not in written.everything()
    assert UNREGISTERED[:20] not in written.everything()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("GET /order?symbol=BTCUSDT&signature=abc123&x=1", "GET /order?symbol=BTCUSDT&signature=***&x=1"),
        ("{'X-MBX-APIKEY': 'abc', 'Accept': 'json'}", "{'X-MBX-APIKEY': '***', 'Accept': 'json'}"),
        ('{"apiKey":"a b c","id":1}', '{"apiKey":"***","id":1}'),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("api_secret = x7", "api_secret = ***"),
        ("postgresql://bot:hunter2@db/grid", "postgresql://bot:***@db/grid"),
        ("the api key vmPUz6e9" + "a1" * 20 + " is invalid", "the api key *** is invalid"),
        ("signature check failed", "signature check failed"),
        ("order 041B at 50123.4 filled", "order 041B at 50123.4 filled"),
        ("config_hash=" + "a1" * 32, "config_hash=" + "a1" * 32),
    ],
)
def test_f71_what_is_hidden_and_what_stays_readable(text: str, expected: str) -> None:
    assert Redactor().text(text) == expected


@given(secret=st.text(min_size=4, max_size=80), before=st.text(max_size=20), after=st.text(max_size=20))
def test_f71_no_registered_value_survives_anywhere(secret: str, before: str, after: str) -> None:
    """Whatever stands around it, in a text, a list, a mapping or bytes."""
    redactor = Redactor([secret])
    text = f"{before}{secret}{after}"
    values: list[Any] = [text, [text], {"a": {"b": (text,)}}, text.encode("utf-8", "surrogatepass")]
    for value in values:
        shown = redactor.value(value)
        flat = [
            shown,
            *(shown if isinstance(shown, list) else []),
            *(shown["a"]["b"] if isinstance(shown, dict) else []),
        ]
        assert secret not in [item for item in flat if isinstance(item, str)]
        assert (
            all(secret not in item.replace("***", "") for item in flat if isinstance(item, str))
            or "*" in secret
        )


def test_a_secret_is_not_cut_before_it_is_hidden(knowing: Written) -> None:
    """Shortening first would leave half of a secret at the cut."""
    get_logger().info("page", body="x" * 3_995 + CANARY + "y" * 10_000)
    assert CANARY[:8] not in knowing.everything()
    assert len(knowing.text()) < 9_000


def test_a_value_that_cannot_describe_itself_is_named_by_its_type(written: Written) -> None:
    get_logger().info("odd", value=Broken())
    assert written.entries()[0]["value"] == "<Broken>"


def test_a_library_below_warning_is_not_heard(written: Written) -> None:
    """ccxt and aiohttp log addresses, bodies and keys at DEBUG and INFO."""
    for name in ("ccxt.base", "aiohttp.access", "asyncio", "httpx", "urllib3.connectionpool"):
        logging.getLogger(name).info("https://host/?signature=x")
        logging.getLogger(name).debug("key=x")
    assert written.entries() == []
