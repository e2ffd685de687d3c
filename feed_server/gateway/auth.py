"""Who is let in, and what for: JSON Web Tokens (RFC 7519). Pure; the clock is passed in."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Annotated, ClassVar, Self

import jwt
import msgspec

from feed_server.gateway.requests import RequestError
from feed_server.keys import VerifyingKey
from feed_server.protocol import ErrorCode
from feed_server.settings import FeedSettings

LEEWAY_S = 5.0
"""By how much the clock of who signs may differ from ours."""

MAX_TIME_S = 253_402_300_799
"""9999-12-31, the last day that dates can name."""

_ALL = "*"


@dataclass(frozen=True, slots=True)
class SymbolRule:
    """Which symbols a token allows: by name, or by how the name begins."""

    names: frozenset[str]
    prefixes: tuple[str, ...]

    @classmethod
    def parse(cls, patterns: Collection[str]) -> Self:
        """Return the rule of exact names and of prefixes with a star, such as ``BTC-*``.

        Raises:
            ValueError: A star is not at the end.
        """
        prefixes = tuple(p[:-1] for p in patterns if p.endswith(_ALL))
        names = frozenset(p for p in patterns if not p.endswith(_ALL))
        if any(_ALL in part for part in (*prefixes, *names)):
            raise ValueError("a star can only be the last character of a pattern")
        return cls(names, prefixes)

    def __contains__(self, symbol: str) -> bool:
        return symbol in self.names or symbol.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a client may have, and until when.

    Attributes:
        subject: Who; claim ``sub``.
        expires_s: Until when, UTC epoch seconds; claim ``exp``.
        channels: Which channels, None for all; claim ``channels``.
        symbols: Which symbols, None for all; claim ``symbols``.
    """

    subject: str
    expires_s: float
    channels: frozenset[str] | None = None
    symbols: SymbolRule | None = None

    EVERYTHING: ClassVar["Grant"]
    """What all have where no token is asked for; it never expires."""

    def allows_channel(self, channel: str) -> bool:
        """Tell whether the client may have a channel, of whichever symbols."""
        return self.channels is None or channel in self.channels

    def allows_symbol(self, symbol: str) -> bool:
        """Tell whether the client may know of a symbol, on whichever channels."""
        return self.symbols is None or symbol in self.symbols

    def allows(self, channel: str, symbol: str) -> bool:
        """Tell whether the client may have a channel of a symbol."""
        return self.allows_channel(channel) and self.allows_symbol(symbol)


Grant.EVERYTHING = Grant("", inf)


_Time = Annotated[float, msgspec.Meta(gt=0, le=MAX_TIME_S)]


class _Claims(msgspec.Struct):
    """What a token claims; what is not here is ignored or checked by PyJWT."""

    exp: _Time
    sub: str = ""
    nbf: _Time | None = None
    iat: _Time | None = None
    channels: list[str] | None = None
    symbols: list[str] | None = None


class Authenticator:
    """Checks tokens. The algorithm is that of our key, whatever a token says of itself.

    Args:
        key: What tokens are checked with; None lets everyone in.
        audience: What claim ``aud`` must name. Without it a token with that claim is refused.
        issuer: What claim ``iss`` must be; None for any.
    """

    def __init__(
        self, key: VerifyingKey | None, *, audience: str | None = None, issuer: str | None = None
    ) -> None:
        self._key = key
        self._audience = audience
        self._issuer = issuer

    @classmethod
    def from_settings(cls, settings: FeedSettings) -> Self:
        """Return the one that the settings ask for."""
        return cls(
            settings.verifying_key, audience=settings.jwt_audience, issuer=settings.jwt_issuer
        )

    @property
    def required(self) -> bool:
        """Whether clients must show a token."""
        return self._key is not None

    def grant(self, token: str, now_s: float) -> Grant:
        """Return what a token allows; `Grant.EVERYTHING` where none is asked for.

        Args:
            token: As the client sent it.
            now_s: UTC epoch seconds.

        Raises:
            RequestError: ``auth_failed`` or ``auth_expired``; the text has nothing of the token
                but the names of claims.
        """
        if self._key is None:
            return Grant.EVERYTHING
        claims = _claims(self._payload(token, self._key))
        _check_times(claims, now_s)
        try:
            symbols = None if claims.symbols is None else SymbolRule.parse(claims.symbols)
        except ValueError as error:
            raise _failed(f"claim symbols: {error}") from None
        channels = None if claims.channels is None else frozenset(claims.channels)
        return Grant(claims.sub, claims.exp, channels, symbols)

    def grant_header(self, authorization: str | None, now_s: float) -> Grant:
        """Return what the header ``Authorization: Bearer …`` of an HTTP request allows.

        Raises:
            RequestError: As of `grant`, and ``auth_required`` without a header.
        """
        if self._key is None:
            return Grant.EVERYTHING
        if authorization is None:
            raise RequestError(
                ErrorCode.AUTH_REQUIRED, "send a token in the header Authorization: Bearer …"
            )
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise _failed("the header Authorization must be Bearer and a token")
        return self.grant(token.strip(), now_s)

    def _payload(self, token: str, key: VerifyingKey) -> dict[str, object]:
        """Return the claims of a token that is signed by our key, for us."""
        try:
            payload: dict[str, object] = jwt.decode(
                token,
                key.material,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                # Times and the subject are checked here, by the clock that is passed in.
                options={
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_sub": False,
                },
            )
        except jwt.InvalidAlgorithmError:
            raise _failed(f"the token is not signed by {key.algorithm}") from None
        except jwt.InvalidSignatureError:
            raise _failed("the token's signature is not by the key that this feed knows") from None
        except jwt.MissingRequiredClaimError as error:
            raise _failed(f"claim {error.claim} is missing") from None
        except jwt.InvalidAudienceError:
            raise _failed("claim aud names another audience than this feed's") from None
        except jwt.InvalidIssuerError:
            raise _failed("claim iss names another issuer than this feed's") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _failed("the token is malformed") from None
        return payload


def _claims(payload: dict[str, object]) -> _Claims:
    try:
        return msgspec.convert(payload, _Claims)
    except msgspec.ValidationError as error:
        raise _failed(f"a claim is wrong or missing: {error}") from None


def _check_times(claims: _Claims, now_s: float) -> None:
    if now_s >= claims.exp + LEEWAY_S:
        ended = datetime.fromtimestamp(claims.exp, UTC).isoformat(timespec="seconds")
        raise RequestError(ErrorCode.AUTH_EXPIRED, f"the token expired at {ended}; send a new one")
    for name, time_s in (("nbf", claims.nbf), ("iat", claims.iat)):
        if time_s is not None and now_s < time_s - LEEWAY_S:
            raise _failed(f"claim {name} lies in the future: is a clock wrong?")


def _failed(message: str) -> RequestError:
    return RequestError(ErrorCode.AUTH_FAILED, message)
