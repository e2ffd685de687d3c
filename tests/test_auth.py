"""Who is let in: the algorithm is our key's, the clock is passed in."""

import base64
import hmac
import json
import math
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feed_server import keys
from feed_server.gateway.auth import LEEWAY_S, Authenticator, Grant, SymbolRule
from feed_server.gateway.requests import RequestError
from feed_server.protocol import ErrorCode
from feed_server.settings import FeedSettings
from tests import pem

NOW_S = 1_700_000_000.0
TELLING = 12
"""Length of a part of a token that no message has by chance."""
HS256 = Authenticator(keys.secret_key(pem.SECRET))


def sign(key: object = pem.SECRET, algorithm: str = "HS256", /, **claims: object) -> str:
    """Return a token that expires in a minute, with these claims; None leaves one out."""
    payload = {"sub": "ann", "exp": NOW_S + 60, **claims}
    present = {name: value for name, value in payload.items() if value is not None}
    return jwt.encode(present, key, algorithm)  # type: ignore[arg-type]


def encoded(part: object) -> str:
    """Return a part of a token as it is written."""
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed_raw(payload: bytes) -> str:
    """Return a token whose payload is any bytes, well signed."""
    return jwt.PyJWS().encode(payload, pem.SECRET, "HS256")


def refusal(token: str, authenticator: Authenticator = HS256, now_s: float = NOW_S) -> RequestError:
    """Return why a token is refused, having looked that the reason does not quote it."""
    with pytest.raises(RequestError) as caught:
        authenticator.grant(token, now_s)
    long_parts = [part for part in token.split(".") if len(part) >= TELLING]
    assert not any(part in str(caught.value) for part in long_parts)
    return caught.value


def asymmetric(tmp_path: Path, kind: str) -> Authenticator:
    return Authenticator(keys.public_key(pem.write(tmp_path, "public.pem", pem.public_pem(kind))))


# ---- what a token allows --------------------------------------------------------------------


def test_a_token_without_rules_allows_everything_until_it_expires() -> None:
    grant = HS256.grant(sign(), NOW_S)
    assert grant == Grant("ann", NOW_S + 60)
    assert grant.allows("quotes", "AAPL")


def test_a_token_may_name_channels() -> None:
    grant = HS256.grant(sign(channels=["quotes"]), NOW_S)
    assert grant.allows_channel("quotes")
    assert not grant.allows_channel("bars")
    assert grant.allows("quotes", "AAPL")
    assert not grant.allows("bars", "AAPL")


def test_a_token_may_name_symbols_and_how_they_begin() -> None:
    grant = HS256.grant(sign(symbols=["AAPL", "BTC-*"]), NOW_S)
    allowed = [s for s in ("AAPL", "AAPLX", "BTC-USD", "BTC-", "BTC", "btc-usd") if
               grant.allows("quotes", s)]  # fmt: skip
    assert allowed == ["AAPL", "BTC-USD", "BTC-"]
    assert grant.allows_symbol("AAPL")
    assert not grant.allows_symbol("IBM")


def test_a_star_alone_is_every_symbol_and_an_empty_list_none() -> None:
    assert HS256.grant(sign(symbols=["*"]), NOW_S).allows("quotes", "AAPL")
    assert not HS256.grant(sign(symbols=[]), NOW_S).allows("quotes", "AAPL")
    assert not HS256.grant(sign(channels=[]), NOW_S).allows("quotes", "AAPL")


@given(st.lists(st.from_regex(r"[A-C]{1,3}\*?", fullmatch=True)), st.text("ABC", min_size=1))
def test_a_symbol_is_allowed_exactly_where_a_pattern_fits(patterns: list[str], symbol: str) -> None:
    fits = any(symbol.startswith(p[:-1]) if p.endswith("*") else symbol == p for p in patterns)
    assert (symbol in SymbolRule.parse(patterns)) == fits


# ---- times ----------------------------------------------------------------------------------


def test_a_token_ends_when_it_expires_and_the_clocks_may_differ_a_little() -> None:
    token = sign()
    end_s = NOW_S + 60 + LEEWAY_S
    assert HS256.grant(token, math.nextafter(end_s, 0)).expires_s == NOW_S + 60
    error = refusal(token, now_s=end_s)
    assert error.code is ErrorCode.AUTH_EXPIRED
    assert error.message == "the token expired at 2023-11-14T22:14:20+00:00; send a new one"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_of_the_future_is_refused(claim: str) -> None:
    assert HS256.grant(sign(**{claim: NOW_S + LEEWAY_S}), NOW_S).subject == "ann"
    error = refusal(sign(**{claim: NOW_S + LEEWAY_S + 1}))
    assert (error.code, claim in error.message) == (ErrorCode.AUTH_FAILED, True)


def test_a_token_that_never_expires_is_refused() -> None:
    assert "`exp`" in refusal(sign(exp=None)).message
    for forever in (b"Infinity", b"NaN", b"1e400", b"1e300", b"-1", b"0", b'"soon"', b"true"):
        error = refusal(signed_raw(b'{"sub": "ann", "exp": ' + forever + b"}"))
        assert error.code is ErrorCode.AUTH_FAILED, forever


# ---- malformed claims -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("channels", "quotes"),
        ("channels", [1]),
        ("channels", {"quotes": True}),
        ("symbols", "AAPL"),
        ("symbols", [None]),
        ("symbols", ["B*C"]),
        ("symbols", ["**"]),
        ("nbf", "now"),
        ("sub", 7),
    ],
)
def test_a_wrong_claim_is_named(claim: str, value: object) -> None:
    error = refusal(sign(**{claim: value}))
    assert error.code is ErrorCode.AUTH_FAILED
    assert claim in error.message


@pytest.mark.parametrize("payload", [b"[]", b"7", b"null", b"", b"{", b"\xff", b"[" * 100_000])
def test_a_payload_that_holds_no_claims_is_refused(payload: bytes) -> None:
    assert refusal(signed_raw(payload)).code is ErrorCode.AUTH_FAILED


# ---- signatures and algorithms --------------------------------------------------------------


def test_a_token_by_another_secret_is_refused() -> None:
    error = refusal(sign(pem.OTHER_SECRET))
    assert (error.code, "signature" in error.message) == (ErrorCode.AUTH_FAILED, True)


def test_a_changed_token_is_refused() -> None:
    header, _, signature = sign().split(".")
    payload = encoded({"sub": "eve", "exp": NOW_S + 60})
    assert refusal(f"{header}.{payload}.{signature}").code is ErrorCode.AUTH_FAILED


@pytest.mark.parametrize("none", ["none", "None", "NONE", "", None])
def test_a_token_without_a_signature_is_refused(tmp_path: Path, none: str | None) -> None:
    head = encoded({"alg": none, "typ": "JWT"})
    body = encoded({"sub": "eve", "exp": NOW_S + 60})
    for token in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.{encoded(b'x' * 32)}"):
        assert refusal(token).code is ErrorCode.AUTH_FAILED
        assert refusal(token, asymmetric(tmp_path, "rsa")).code is ErrorCode.AUTH_FAILED


@pytest.mark.parametrize(("kind", "algorithm"), [("rsa", "RS256"), ("ec", "ES256")])
def test_a_token_by_a_private_key_is_let_in_by_its_public_key(
    tmp_path: Path, kind: str, algorithm: str
) -> None:
    token = sign(pem.make(kind), algorithm)
    assert asymmetric(tmp_path, kind).grant(token, NOW_S).subject == "ann"
    assert "not signed by HS256" in refusal(token).message


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_the_public_key_is_not_taken_for_a_secret(tmp_path: Path, kind: str) -> None:
    secret = pem.public_pem(kind)
    for claimed in ("HS256", "RS256", "ES256"):
        content = f"{encoded({'alg': claimed})}.{encoded({'sub': 'eve', 'exp': NOW_S + 60})}"
        signature = hmac.digest(secret, content.encode(), "sha256")  # PyJWT would not do it
        forged = f"{content}.{encoded(signature)}"
        assert refusal(forged, asymmetric(tmp_path, kind)).code is ErrorCode.AUTH_FAILED


def test_the_algorithm_is_that_of_the_key_alone(tmp_path: Path) -> None:
    authenticator = asymmetric(tmp_path, "rsa")
    for key, algorithm in ((pem.SECRET, "HS256"), (pem.make("ec"), "ES256")):
        error = refusal(sign(key, algorithm), authenticator)
        assert error.message == "the token is not signed by RS256"
    for stronger in ("RS512", "PS256"):
        assert "RS256" in refusal(sign(pem.make("rsa"), stronger), authenticator).message
    long_secret = pem.SECRET * 2
    error = refusal(sign(long_secret, "HS512"), Authenticator(keys.secret_key(long_secret)))
    assert error.message == "the token is not signed by HS256"


def test_a_key_that_a_token_brings_along_is_ignored() -> None:
    claims = {"sub": "eve", "exp": NOW_S + 60}
    headers: dict[str, Any] = {
        "jwk": {"kty": "oct", "k": encoded(pem.OTHER_SECRET.encode())},
        "jku": "https://keys.example/",
        "kid": "../../dev/null",
    }
    forged = jwt.encode(claims, pem.OTHER_SECRET, "HS256", headers=headers)
    assert refusal(forged).code is ErrorCode.AUTH_FAILED


@given(st.one_of(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4).map(".".join)))
def test_any_text_is_refused_as_an_error_of_the_request(text: str) -> None:
    assert refusal(text).code is ErrorCode.AUTH_FAILED


@given(
    st.dictionaries(
        st.sampled_from(["alg", "typ", "crit", "b64", "kid", "zip", "enc"]),
        st.none() | st.booleans() | st.text(max_size=5) | st.lists(st.just("b64")),
    )
)
def test_any_header_is_refused_as_an_error_of_the_request(header: dict[str, object]) -> None:
    token = f"{encoded(header)}.{encoded({'exp': NOW_S + 60})}.{encoded(b'signature')}"
    assert refusal(token).code is ErrorCode.AUTH_FAILED


def test_a_header_deeper_than_any_parser_is_refused() -> None:
    assert refusal(f"{encoded(b'[' * 100_000)}.e30.e30").code is ErrorCode.AUTH_FAILED


# ---- audience and issuer --------------------------------------------------------------------


def test_a_token_must_be_for_this_audience_and_by_this_issuer() -> None:
    desk = Authenticator(keys.secret_key(pem.SECRET), audience="feed", issuer="desk")
    assert desk.grant(sign(aud=["news", "feed"], iss="desk"), NOW_S).subject == "ann"
    assert "aud" in refusal(sign(aud="news", iss="desk"), desk).message
    assert "aud" in refusal(sign(iss="desk"), desk).message
    assert "iss" in refusal(sign(aud="feed", iss="other"), desk).message
    assert "iss" in refusal(sign(aud="feed"), desk).message
    odd = signed_raw(json.dumps({"exp": NOW_S + 60, "aud": 7, "iss": ["desk"]}).encode())
    assert refusal(odd, desk).code is ErrorCode.AUTH_FAILED


def test_a_token_made_for_someone_else_is_refused_where_no_audience_is_set() -> None:
    assert "aud" in refusal(sign(aud="news")).message
    assert HS256.grant(sign(iss="anyone"), NOW_S).subject == "ann"


# ---- without a login, and over HTTP ---------------------------------------------------------


def test_where_no_token_is_asked_for_everyone_may_have_everything() -> None:
    anyone = Authenticator.from_settings(FeedSettings())
    assert not anyone.required
    assert anyone.grant("", NOW_S) is Grant.EVERYTHING
    assert anyone.grant_header("Bearer stale", NOW_S) is Grant.EVERYTHING
    assert Grant.EVERYTHING.allows("trades", "AAPL")
    assert Grant.EVERYTHING.expires_s == math.inf


def test_the_settings_give_key_audience_and_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTEWIRE_JWT_SECRET", pem.SECRET)
    monkeypatch.setenv("QUOTEWIRE_JWT_AUDIENCE", "feed")
    monkeypatch.setenv("QUOTEWIRE_JWT_ISSUER", "desk")
    authenticator = Authenticator.from_settings(FeedSettings.from_environment())
    assert authenticator.required
    assert authenticator.grant(sign(aud="feed", iss="desk"), NOW_S).subject == "ann"
    assert refusal(sign(), authenticator).code is ErrorCode.AUTH_FAILED


def test_a_header_carries_the_token() -> None:
    assert HS256.grant_header(f"Bearer {sign()}", NOW_S).subject == "ann"
    assert HS256.grant_header(f"bearer  {sign()} ", NOW_S).subject == "ann"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, ErrorCode.AUTH_REQUIRED),
        ("", ErrorCode.AUTH_FAILED),
        ("Bearer", ErrorCode.AUTH_FAILED),
        ("Basic YW5uOnB3", ErrorCode.AUTH_FAILED),
    ],
)
def test_a_header_without_a_token_is_refused(header: str | None, code: ErrorCode) -> None:
    with pytest.raises(RequestError) as caught:
        HS256.grant_header(header, NOW_S)
    assert caught.value.code is code
