"""Keys for tests, made anew each time: nothing secret is kept in the repository."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

SECRET = "a secret of more than thirty-two bytes"
OTHER_SECRET = "another secret of at least 32 bytes."


@cache
def make(kind: str) -> PrivateKey:
    """Return a private key: ``rsa``, ``short-rsa``, ``ec``, ``other-ec`` (P-384) or ``ed``."""
    match kind:
        case "rsa":
            return rsa.generate_private_key(65537, 2048)
        case "short-rsa":
            return rsa.generate_private_key(65537, 1024)
        case "ec":
            return ec.generate_private_key(ec.SECP256R1())
        case "other-ec":
            return ec.generate_private_key(ec.SECP384R1())
    return ed25519.Ed25519PrivateKey.generate()


def private_pem(kind: str, password: bytes | None = None) -> bytes:
    """Return a private key as text, locked where a password is given."""
    lock = BestAvailableEncryption(password) if password else NoEncryption()
    return make(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock)


def public_pem(kind: str) -> bytes:
    """Return the public key that belongs to it."""
    public = make(kind).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write(folder: Path, name: str, content: bytes) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(content)
    return path
