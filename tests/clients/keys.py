"""Key pairs made for one test run: RSA and Ed25519, as a user of the exchange makes them."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@dataclass(frozen=True)
class KeyPair:
    """An API key, the public key the exchange has and the private one the client signs with, both PEM."""

    key: str
    public: str
    private: str


def _pair(key: str, private: Ed25519PrivateKey | RSAPrivateKey) -> KeyPair:
    public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private_pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return KeyPair(key, public_pem.decode(), private_pem.decode())


RSA = _pair("r" * 64, generate_private_key(65537, 2048))
ED25519 = _pair("e" * 64, Ed25519PrivateKey.generate())
