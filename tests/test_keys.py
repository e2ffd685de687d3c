from pathlib import Path

import pytest

from feed_server import keys
from tests import pem


def test_a_secret_is_for_hs256() -> None:
    assert keys.secret_key(pem.SECRET) == keys.Key("HS256", pem.SECRET.encode())


def test_a_secret_of_31_bytes_is_too_short() -> None:
    assert keys.secret_key("s" * 32).material == b"s" * 32
    with pytest.raises(ValueError, match="shorter than 32 bytes; make one: python3"):
        keys.secret_key("s" * 31)


def test_a_secret_is_counted_in_bytes_without_the_space_around_it() -> None:
    assert keys.secret_key("ß" * 16).material == ("ß" * 16).encode()
    with pytest.raises(ValueError, match="shorter"):
        keys.secret_key(" " * 40)


def test_a_pem_key_is_no_secret() -> None:
    with pytest.raises(ValueError, match="is a PEM key"):
        keys.secret_key(pem.public_pem("rsa").decode())


def test_a_file_of_a_secret_may_end_with_a_line_break(tmp_path: Path) -> None:
    path = pem.write(tmp_path, "secret", f"{pem.SECRET}\n".encode())
    assert keys.secret_file_key(path) == keys.secret_key(pem.SECRET)


def test_a_file_that_is_not_there_or_not_text_is_no_secret(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        keys.secret_file_key(tmp_path / "none")
    with pytest.raises(ValueError, match="cannot be read"):
        keys.secret_file_key(tmp_path)
    with pytest.raises(ValueError, match="not a file of text"):
        keys.secret_file_key(pem.write(tmp_path, "bytes", b"\xff" * 40))


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
def test_the_kind_of_key_decides_the_algorithm(tmp_path: Path, kind: str, algorithm: str) -> None:
    public = pem.write(tmp_path, "public.pem", pem.public_pem(kind))
    private = pem.write(tmp_path, "private.pem", pem.private_pem(kind))
    assert keys.public_key(public).algorithm == algorithm
    assert keys.private_key(private).algorithm == algorithm


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pem.private_pem("rsa"), "holds a private key"),
        (pem.public_pem("short-rsa"), "RSA key of 1024 bits; 2048 are needed"),
        (pem.public_pem("other-ec"), "EC key on secp384r1; ES256 needs P-256"),
        (pem.public_pem("ed"), "neither an RSA nor an EC key"),
        (b"ssh-rsa AAAA", "not a public key in PEM form"),
        (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "not a public key"),
        (b"", "not a public key"),
    ],
)
def test_what_is_no_usable_public_key_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        keys.public_key(pem.write(tmp_path, "key.pem", content))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pem.public_pem("rsa"), "not a private key in PEM form"),
        (pem.private_pem("rsa", b"password"), "locked by a password"),
        (pem.private_pem("short-rsa"), "RSA key of 1024 bits"),
        (pem.private_pem("ed"), "neither an RSA nor an EC key"),
        (b"", "not a private key"),
    ],
)
def test_what_is_no_usable_private_key_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        keys.private_key(pem.write(tmp_path, "key.pem", content))


def test_a_key_does_not_show_itself() -> None:
    assert pem.SECRET not in repr(keys.secret_key(pem.SECRET))
