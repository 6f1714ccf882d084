"""Keys, signatures over the raw text, and the receive window (protocol section 3)."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.authentication import KeyRing
from gridtide.sandbox.settings import ApiKey, KeyPermissions
from gridtide.testing.sandbox_exchange import (
    RunningSandbox,
    account_settings,
    running_sandbox,
    sandbox_settings,
)
from tests.sandbox.rest_client import Reply, RestClient, now, sign

ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose account has a key of every kind, and one that may only read."""
    account = account_settings()
    keys = (
        *account.keys,
        ApiKey("ed25519", public_key=pem(ED25519)),
        ApiKey("rsa", public_key=pem(RSA)),
        ApiKey("reader", "secret", permissions=KeyPermissions(trading=False)),
    )
    with running_sandbox(sandbox_settings(accounts=(replace(account, keys=keys),))) as running:
        running.move("50000")
        yield running


@pytest.fixture
def rest(sandbox: RunningSandbox) -> RestClient:
    return RestClient(sandbox)


def account(
    rest: RestClient, query: str, key: str | None = None, body: str = "", method: str = "GET"
) -> Reply:
    headers = {} if key == "" else {"X-MBX-APIKEY": key or rest.sandbox.api_key}
    return rest.raw(method, f"/api/v3/account?{query}", body, headers)


def test_signature_in_the_query(rest: RestClient) -> None:
    """ccxt's GET: everything in the query, the signature last."""
    assert rest.signed("GET", "/api/v3/account").status == 200


def test_hexadecimal_signatures_in_capitals(rest: RestClient) -> None:
    text = f"timestamp={now()}"
    assert account(rest, f"{text}&signature={sign(text, rest.sandbox.secret).upper()}").status == 200


def test_payload_is_query_then_body_without_separator(rest: RestClient) -> None:
    """Parameters split over query and body: signed as one text with nothing between."""
    order = "side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=40000"
    query = f"symbol=BTCUSDT&timestamp={now()}"
    signature = sign(query + order, rest.sandbox.secret)
    headers = {"X-MBX-APIKEY": rest.sandbox.api_key}
    reply = rest.raw("POST", f"/api/v3/order?{query}", f"{order}&signature={signature}", headers)
    assert reply.status == 200


def test_body_of_a_delete_is_read(rest: RestClient) -> None:
    """python-binance sends the parameters of DELETE in a form body (section 3.1)."""
    order_id = rest.order("BUY", "0.001", "40000").body["orderId"]
    reply = rest.signed_in_body("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order_id)
    assert reply.body["status"] == "CANCELED"


def test_post_with_everything_in_the_query(rest: RestClient) -> None:
    """binance-sdk-spot posts with an empty body and no content type."""
    reply = rest.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
        quantity="0.001", price="40000",
    )  # fmt: skip
    assert reply.status == 200


def test_query_wins_over_body(rest: RestClient) -> None:
    """A parameter in both places counts as the query has it."""
    query, body = f"timestamp={now()}&omitZeroBalances=true", "omitZeroBalances=nonsense"
    reply = account(rest, f"{query}&signature={sign(query + body, rest.sandbox.secret)}", body=body)
    assert reply.status == 200


def test_signature_covers_the_encoded_text(rest: RestClient) -> None:
    """A client that signs ``p:q`` but sends ``p%3Aq`` is refused with -1022 (python-binance does that)."""
    sent, signed = f"origClientOrderId=p%3Aq&timestamp={now()}", "origClientOrderId=p:q"
    signature = sign(sent.replace("origClientOrderId=p%3Aq", signed), rest.sandbox.secret)
    headers = {"X-MBX-APIKEY": rest.sandbox.api_key}
    assert rest.raw("GET", f"/api/v3/order?{sent}&signature={signature}", headers=headers).code == -1022
    good = sign(sent, rest.sandbox.secret)
    assert rest.raw("GET", f"/api/v3/order?{sent}&signature={good}", headers=headers).code == -1102


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_public_key_signatures(rest: RestClient, kind: str) -> None:
    """Ed25519 and RSA (PKCS#1 v1.5, SHA-256), base64, percent-encoded; a changed payload is refused."""
    text = f"timestamp={now()}&recvWindow=10000"
    data = text.encode()
    raw = ED25519.sign(data) if kind == "ed25519" else RSA.sign(data, padding.PKCS1v15(), hashes.SHA256())
    signature = quote(base64.b64encode(raw).decode(), safe="")
    assert account(rest, f"{text}&signature={signature}", kind).status == 200
    assert account(rest, f"{text}0&signature={signature}", kind).code == -1022
    assert account(rest, f"{text}&signature=AAAA", kind).code == -1022
    assert account(rest, f"{text}&signature=%21%21", kind).code == -1022


@pytest.mark.parametrize(
    "key, code", [("", -2014), ("with space", -2014), ("a" * 200, -2014), ("unknown", -2015)]
)
def test_keys_that_are_none(rest: RestClient, key: str, code: int) -> None:
    """A missing or malformed key is -2014, an unknown one -2015, both with HTTP 401."""
    text = f"timestamp={now()}"
    reply = account(rest, f"{text}&signature={sign(text, rest.sandbox.secret)}", key)
    assert (reply.status, reply.code) == (401, code)


def test_wrong_signature(rest: RestClient) -> None:
    reply = account(rest, f"timestamp={now()}&signature={'0' * 64}")
    assert (reply.status, reply.code) == (400, -1022)
    assert reply.body["msg"] == "Signature for this request is not valid."


def test_missing_signature_and_timestamp(rest: RestClient) -> None:
    """-1102 names what is missing."""
    no_signature = account(rest, f"timestamp={now()}")
    assert (no_signature.code, "'signature'" in no_signature.body["msg"]) == (-1102, True)
    text = "recvWindow=5000"
    no_timestamp = account(rest, f"{text}&signature={sign(text, rest.sandbox.secret)}")
    assert (no_timestamp.code, "'timestamp'" in no_timestamp.body["msg"]) == (-1102, True)


@pytest.mark.parametrize(
    "text, code",
    [
        ("timestamp={now}", None),
        ("timestamp={now}000", None),  # microseconds
        ("timestamp={now}&recvWindow=0.001", -1021),
        ("timestamp={now}&recvWindow=6000.346", None),
        ("timestamp={early}", -1021),
        ("timestamp={early}&recvWindow=60000", None),
        ("timestamp={late}", -1021),
        ("timestamp={now}&recvWindow=60001", -1131),
        ("timestamp={now}&recvWindow=x", -1100),
        ("timestamp=x", -1102),
    ],
)
def test_receive_window(rest: RestClient, text: str, code: int | None) -> None:
    """``timestamp < server + 1000`` and ``server - timestamp <= recvWindow`` (5000 by default)."""
    text = text.format(now=now() - 100, early=now() - 6000, late=now() + 5000)
    assert account(rest, f"{text}&signature={sign(text, rest.sandbox.secret)}").code == code


def test_signature_comes_before_time(rest: RestClient) -> None:
    """Of two failures the signature's is told (section 18)."""
    assert account(rest, f"timestamp=1&signature={'0' * 64}").code == -1022


def test_a_key_without_the_right_to_trade(rest: RestClient) -> None:
    """It may read, but every order is -2015 with 401; the account says so."""
    text = f"timestamp={now()}"
    signed = f"{text}&signature={sign(text, 'secret')}"
    assert account(rest, signed, "reader").body["canTrade"] is False
    reply = rest.raw("DELETE", f"/api/v3/openOrders?{signed}", headers={"X-MBX-APIKEY": "reader"})
    assert (reply.status, reply.code) == (401, -2015)


@pytest.mark.parametrize(
    "key",
    [ApiKey("a"), ApiKey("a", "secret", "pem"), ApiKey("a", public_key="no pem"), ApiKey("a b", "secret")],
)
def test_unusable_keys_are_refused_at_start(key: ApiKey) -> None:
    """A key needs exactly one usable secret or public key; the message never holds the secret."""
    with pytest.raises(InvalidInput) as caught:
        KeyRing([replace(account_settings(), keys=(key,))])
    assert "secret" not in str(caught.value).replace("either a secret or", "")
