"""Tokens that the feed lets pages in with: signed here, and renewed while a page is open.

``python -m dashboard.tokens SUBJECT`` prints one, for notebooks and other clients.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Self

import jwt
import panel as pn
import param

from dashboard.config import ConfigError, DashboardConfig
from feed_server.keys import SigningKey


class TokenSigner:
    """Signs tokens that live for a short time.

    Args:
        key: What they are signed with; it decides the algorithm.
        lifetime_s: How long each is good.
        audience: Claim ``aud``.
        issuer: Claim ``iss``.
    """

    def __init__(
        self,
        key: SigningKey,
        *,
        lifetime_s: float,
        audience: str | None = None,
        issuer: str | None = None,
    ) -> None:
        self.lifetime_s = lifetime_s
        self._key = key
        named = {"aud": audience, "iss": issuer}
        self._claims = {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_config(cls, config: DashboardConfig) -> Self | None:
        """Return the one that the settings ask for; None where the feed asks for no token."""
        if config.signing_key is None:
            return None
        return cls(
            config.signing_key,
            lifetime_s=config.token_lifetime_s,
            audience=config.jwt_audience,
            issuer=config.jwt_issuer,
        )

    def sign(
        self,
        subject: str | None,
        now_s: float,
        *,
        channels: Sequence[str] | None = None,
        symbols: Sequence[str] | None = None,
    ) -> str:
        """Return a token.

        Args:
            subject: Whom it is for; None for nobody whom the feed could know again: it keeps no
                alerts and no settings then, which strangers would share.
            now_s: UTC epoch seconds.
            channels: Which channels it allows; None for all.
            symbols: Which symbols, by name or as a prefix such as ``BTC-*``; None for all.
        """
        claims: dict[str, object] = {
            **self._claims,
            "iat": int(now_s),
            "exp": int(now_s + self.lifetime_s),
        }
        if subject is not None:
            claims["sub"] = subject
        for name, value in (("channels", channels), ("symbols", symbols)):
            if value is not None:
                claims[name] = list(value)
        return jwt.encode(claims, self._key.material, self._key.algorithm)


class PageToken(param.Parameterized):
    """The token of one page. Its elements refer to ``param.value``, and so follow each renewal."""

    value = param.String(doc="The token; empty where the feed asks for none.")

    def __init__(self, signer: TokenSigner | None, subject: str | None) -> None:
        super().__init__()
        self._signer = signer
        self._subject = subject
        self.renew()

    def __repr__(self) -> str:
        return f"PageToken({self._subject!r})"

    def renew(self) -> None:
        """Sign a new one."""
        if self._signer is not None:
            self.value = self._signer.sign(self._subject, time.time())


def signed_in_user() -> str | None:
    """Return who has signed in to the dashboard; None where nobody has, or as Panel's guest."""
    return None if pn.state.cookies.get("is_guest") else pn.state.user


def page_token(signer: TokenSigner | None) -> PageToken:
    """Return the token of the page that is being made, renewed at each half of its life."""
    token = PageToken(signer, signed_in_user())
    if signer is not None:
        pn.state.add_periodic_callback(token.renew, period=int(signer.lifetime_s * 500))
    return token


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a token; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.tokens", description=__doc__)
    parser.add_argument("subject", help="whom it is for")
    parser.add_argument("--hours", type=float, default=8.0, help="how long it is good")
    parser.add_argument("--channels", nargs="+", help="quotes, trades, bars; all if not given")
    parser.add_argument("--symbols", nargs="+", help="names, or prefixes such as 'BTC-*'")
    asked = parser.parse_args(arguments)
    try:
        config = DashboardConfig.from_environment()
        if config.signing_key is None:
            raise ConfigError("set QUOTEWIRE_JWT_SECRET, which the feed has, to sign a token")
    except ConfigError as error:
        print(f"quotewire: {error}", file=sys.stderr)
        return 2
    signer = TokenSigner(
        config.signing_key,
        lifetime_s=asked.hours * 3600,
        audience=config.jwt_audience,
        issuer=config.jwt_issuer,
    )
    print(signer.sign(asked.subject, time.time(), channels=asked.channels, symbols=asked.symbols))
    return 0


if __name__ == "__main__":
    sys.exit(main())
