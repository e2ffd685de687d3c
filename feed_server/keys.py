"""The keys that tokens are signed and checked with. A key alone decides the algorithm.

Every function raises ``ValueError`` with what is wrong; no text of it contains a secret.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

MIN_SECRET_BYTES = 32
"""RFC 7518 section 3.2: a secret of HS256 is at least as long as its hash."""
MIN_RSA_BITS = 2048

MAKE_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
"""A command that makes a good secret."""

_Material_co = TypeVar("_Material_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Key(Generic[_Material_co]):
    """A key with the one algorithm it is used for.

    Attributes:
        algorithm: ``HS256``, ``RS256`` or ``ES256``.
        material: The secret, or the RSA or EC key.
    """

    algorithm: str
    material: _Material_co = field(repr=False)


PublicKey = Key[RSAPublicKey | EllipticCurvePublicKey]
PrivateKey = Key[RSAPrivateKey | EllipticCurvePrivateKey]
VerifyingKey = Key[bytes | RSAPublicKey | EllipticCurvePublicKey]
"""What tokens are checked with."""
SigningKey = Key[bytes | RSAPrivateKey | EllipticCurvePrivateKey]
"""What tokens are signed with."""


def secret_key(secret: str) -> Key[bytes]:
    """Return the key that a shared secret is, for HS256."""
    material = secret.strip().encode()
    if b"-----BEGIN" in material:
        raise ValueError("is a PEM key, not a secret that two sides share")
    if len(material) < MIN_SECRET_BYTES:
        raise ValueError(f"is shorter than {MIN_SECRET_BYTES} bytes; make one: {MAKE_SECRET}")
    return Key("HS256", material)


def secret_file_key(path: Path) -> Key[bytes]:
    """Return the key in a file that holds nothing but a shared secret."""
    try:
        return secret_key(_read(path).decode())
    except UnicodeDecodeError:
        raise ValueError("is not a file of text") from None


def public_key(path: Path) -> PublicKey:
    """Return the public key in a PEM file, to check tokens with: RSA for RS256, EC for ES256."""
    pem = _read(path)
    if b"PRIVATE KEY-----" in pem:
        raise ValueError("holds a private key; give the public one, and keep this one elsewhere")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is not a public key in PEM form") from None
    if isinstance(key, (RSAPublicKey, EllipticCurvePublicKey)):
        return Key(_algorithm(key), key)
    raise ValueError("is neither an RSA nor an EC key")


def private_key(path: Path) -> PrivateKey:
    """Return the private key in a PEM file, to sign tokens with: RSA for RS256, EC for ES256."""
    try:
        key = load_pem_private_key(_read(path), password=None)
    except TypeError:
        raise ValueError("is locked by a password; give a key without one") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is not a private key in PEM form") from None
    if isinstance(key, (RSAPrivateKey, EllipticCurvePrivateKey)):
        return Key(_algorithm(key), key)
    raise ValueError("is neither an RSA nor an EC key")


def _algorithm(
    key: RSAPublicKey | RSAPrivateKey | EllipticCurvePublicKey | EllipticCurvePrivateKey,
) -> str:
    if isinstance(key, (RSAPublicKey, RSAPrivateKey)):
        if key.key_size < MIN_RSA_BITS:
            raise ValueError(f"is an RSA key of {key.key_size} bits; {MIN_RSA_BITS} are needed")
        return "RS256"
    if not isinstance(key.curve, SECP256R1):
        raise ValueError(f"is an EC key on {key.curve.name}; ES256 needs P-256 (prime256v1)")
    return "ES256"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from None
