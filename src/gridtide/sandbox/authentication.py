"""Who sends a request: keys, signatures over the raw text, and the window of time a request is good for."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from gridtide.domain.errors import InvalidInput
from gridtide.sandbox.errors import ApiError, mandatory
from gridtide.sandbox.parameters import microseconds

if TYPE_CHECKING:
    from gridtide.sandbox.parameters import RawParameters
    from gridtide.sandbox.settings import AccountSettings, ApiKey, KeyPermissions

Verifier = Callable[[bytes, str], bool]
"""Whether a signature (as sent) is that of a payload."""

_KEY_FORMAT = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMESTAMP = re.compile(r"[0-9]{1,19}", re.ASCII)
_RECEIVE_WINDOW = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?", re.ASCII)
_DEFAULT_WINDOW = 5_000_000
_LARGEST_WINDOW = 60_000_000
_AHEAD = 1_000_000

SIGNING_PARAMETERS = frozenset({"timestamp", "recvWindow", "signature", "apiKey"})
"""Names that belong to the signature and not to any endpoint."""


class KeyKind(StrEnum):
    """How a key signs."""

    HMAC = "HMAC_SHA256"
    RSA = "RSA"
    ED25519 = "ED25519"


class Right(StrEnum):
    """What an endpoint asks of a key."""

    NONE = "NONE"
    READ = "USER_DATA"
    TRADE = "TRADE"


@dataclass(slots=True)
class KeyEntry:
    """A known key: whose it is and how to check its signatures. Sessions hold it, so what changes, changes here."""

    api_key: ApiKey
    account_id: str
    kind: KeyKind
    verify: Verifier
    is_revoked: bool = False

    def allows(self, right: Right, address: str) -> bool:
        """Whether the key has `right` and may be used from `address`."""
        rights = self.api_key.permissions
        if self.is_revoked or (rights.addresses and address not in rights.addresses):
            return False
        return rights.trading if right is Right.TRADE else rights.reading

    def require(self, right: Right, address: str) -> None:
        """Raise -2015 unless the key `allows` it."""
        if not self.allows(right, address):
            raise _rejected_key()


class KeyRing:
    """All keys of all accounts."""

    def __init__(self, accounts: Iterable[AccountSettings]) -> None:
        self._entries: dict[str, KeyEntry] = {}
        for account in accounts:
            for key in account.keys:
                self.add(account.account_id, key)

    def __iter__(self) -> Iterator[KeyEntry]:
        return iter(tuple(self._entries.values()))

    def add(self, account_id: str, key: ApiKey) -> None:
        """Let a key in. Raises `InvalidInput` for one that is malformed, known, or without a way to sign."""
        if _KEY_FORMAT.fullmatch(key.key) is None:
            raise InvalidInput(
                f"an API key of account {account_id} is not made of 1 to 128 letters, digits, - or _"
            )
        if key.key in self._entries:
            raise InvalidInput(f"an API key of account {account_id} is given twice")
        kind, verify = _verifier(key)
        self._entries[key.key] = KeyEntry(key, account_id, kind, verify)

    def revoke(self, api_key: str) -> None:
        """Forget a key; sessions that logged on with it are refused from now on. Raises `InvalidInput`."""
        self._known(api_key).is_revoked = True
        del self._entries[api_key]

    def set_permissions(self, api_key: str, permissions: KeyPermissions) -> None:
        """What a key may do from now on. Raises `InvalidInput` for an unknown one."""
        entry = self._known(api_key)
        entry.api_key = replace(entry.api_key, permissions=permissions)

    def permissions(self, api_key: str) -> KeyPermissions:
        """What a key may do. Raises `InvalidInput` for an unknown one."""
        return self._known(api_key).api_key.permissions

    def _known(self, api_key: str) -> KeyEntry:
        entry = self._entries.get(api_key)
        if entry is None:
            raise InvalidInput(f"there is no API key {api_key[:8]}…; nothing was changed")
        return entry

    def find(self, api_key: str | None) -> KeyEntry:
        """The entry of a key as sent; raises -2014 or -2015."""
        if api_key is None or _KEY_FORMAT.fullmatch(api_key) is None:
            raise ApiError(-2014, "API-key format invalid.")
        entry = self._entries.get(api_key)
        if entry is None:
            raise _rejected_key()
        return entry


def check_signature(entry: KeyEntry, raw: RawParameters) -> None:
    """Raise -1102 or -1022 unless the request carries a good signature over its raw text."""
    signature = raw.values.get("signature", "")
    if not signature:
        raise mandatory("signature")
    if not entry.verify(_raw_bytes(raw.signed_text), signature):
        raise ApiError(-1022, "Signature for this request is not valid.")


def _raw_bytes(text: str) -> bytes:
    """The bytes as they came: what was no UTF-8 stands in the text as surrogates."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return b""  # a lone surrogate that no bytes stand behind: nothing was signed


def check_timing(values: Mapping[str, str], now: int) -> None:
    """Raise -1102, -1131 or -1021 unless ``timestamp`` (ms or µs) lies in the receive window (section 3.1)."""
    timestamp = _timestamp(values)
    window = _receive_window(values.get("recvWindow"))
    if timestamp >= now * 1000 + _AHEAD:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now * 1000 - timestamp > window:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _timestamp(values: Mapping[str, str]) -> int:
    """In microseconds."""
    text = values.get("timestamp", "")
    if _TIMESTAMP.fullmatch(text) is None:
        raise mandatory("timestamp")
    return microseconds(text)


def _receive_window(text: str | None) -> int:
    """In microseconds."""
    if text is None:
        return _DEFAULT_WINDOW
    if _RECEIVE_WINDOW.fullmatch(text) is None:
        raise ApiError(-1100, "Illegal characters found in parameter 'recvWindow'.")
    window = int(Decimal(text) * 1000)
    if window > _LARGEST_WINDOW:
        raise ApiError(-1131, "recvWindow must be less than 60000.")
    return window


def _rejected_key() -> ApiError:
    return ApiError(-2015, "Invalid API-key, IP, or permissions for action.")


# --- the three kinds of signature --------------------------------------------------------------------


def _verifier(key: ApiKey) -> tuple[KeyKind, Verifier]:
    if bool(key.secret) == bool(key.public_key):
        raise InvalidInput(f"API key {key.key[:4]}… needs either a secret or a public key")
    if key.secret:
        return KeyKind.HMAC, _hmac_verifier(key.secret.encode())
    return _public_key_verifier(key.public_key)


def _hmac_verifier(secret: bytes) -> Verifier:
    def verify(payload: bytes, signature: str) -> bool:
        expected = hmac.digest(secret, payload, "sha256").hex()  # one call into OpenSSL
        return hmac.compare_digest(expected.encode(), _raw_bytes(signature.lower()))

    return verify


def _public_key_verifier(pem: str) -> tuple[KeyKind, Verifier]:
    # Imported only where such a key exists: it costs a tenth of a second at start.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        public_key = load_pem_public_key(pem.encode())
    except ValueError:
        raise InvalidInput("a public key is not in PEM form") from None
    if isinstance(public_key, Ed25519PublicKey):
        return KeyKind.ED25519, _checked(public_key.verify, InvalidSignature)
    if isinstance(public_key, RSAPublicKey):
        rsa = public_key
        return KeyKind.RSA, _checked(
            lambda signature, data: rsa.verify(signature, data, PKCS1v15(), SHA256()), InvalidSignature
        )
    raise InvalidInput("a public key is neither RSA nor Ed25519")


def _checked(check: Callable[[bytes, bytes], None], failure: type[Exception]) -> Verifier:
    def verify(payload: bytes, signature: str) -> bool:
        try:
            check(base64.b64decode(signature, validate=True), payload)
        except (failure, binascii.Error, ValueError):
            return False
        return True

    return verify
