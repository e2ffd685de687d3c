"""How the Python client is let in: no network, and the clock is passed in."""

import pytest

from dashboard.client import FeedAccessError, FeedError
from dashboard.client.login import AUTH_ID, Credentials, Login, TokenSource, feed_error
from feed_server.protocol import (
    Auth,
    Authenticated,
    Error,
    ErrorCode,
    Pong,
    ServerMessage,
    Welcome,
)

ANYTHING = Pong(1, 0)


def welcome(auth: str = "required", time_ms: int = 0) -> Welcome:
    return Welcome(1, "gateway", time_ms, 2000, 10.0, 1000, 65536, 50, auth)  # type: ignore[arg-type]


def said(login: Login, message: ServerMessage, now_ms: float = 0) -> list[Auth]:
    return list(login.answer(message, now_ms))


def logged_in(source: TokenSource, *, expires_ms: int, now_ms: float = 0) -> Login:
    login = Login(Credentials(source))
    assert len(said(login, welcome(), now_ms)) == 1
    assert said(login, Authenticated(AUTH_ID, expires_ms), now_ms) == []
    return login


def test_where_no_token_is_asked_for_none_is_shown() -> None:
    login = Login(Credentials("token"))
    assert said(login, welcome("none")) == []
    assert login.is_in


def test_where_one_is_asked_for_it_is_shown_first() -> None:
    login = Login(Credentials("token"))
    assert said(login, welcome()) == [Auth(AUTH_ID, "token")]
    assert not login.is_in
    said(login, Authenticated(AUTH_ID, 60_000))
    assert login.is_in


def test_without_a_token_it_is_told_how_to_set_one() -> None:
    with pytest.raises(FeedAccessError, match="QUOTEWIRE_TOKEN"):
        said(Login(Credentials(None)), welcome())


def test_a_refused_token_is_told_in_the_words_of_the_feed() -> None:
    login = Login(Credentials("token"))
    said(login, welcome())
    with pytest.raises(FeedAccessError, match="claim exp"):
        said(login, Error(ErrorCode.AUTH_FAILED, "claim exp is missing", AUTH_ID))


def test_a_token_is_renewed_when_half_of_its_life_is_over() -> None:
    tokens = iter(["first", "second", "third"])
    login = logged_in(lambda: next(tokens), expires_ms=60_000)
    assert said(login, ANYTHING, 29_999) == []
    assert said(login, ANYTHING, 30_000) == [Auth(AUTH_ID, "second")]
    assert said(login, ANYTHING, 30_001) == []
    assert said(login, Authenticated(AUTH_ID, 90_000), 30_002) == []
    assert said(login, ANYTHING, 60_001) == [Auth(AUTH_ID, "third")]


def test_the_life_of_a_token_is_counted_by_the_clock_of_the_server() -> None:
    login = Login(Credentials(lambda: "token"))
    said(login, welcome(time_ms=1_000_000), 0)
    said(login, Authenticated(AUTH_ID, 1_060_000), 0)
    assert said(login, ANYTHING, 29_999) == []
    assert len(said(login, ANYTHING, 30_000)) == 1


def test_a_token_that_is_about_to_expire_is_not_renewed_again_and_again() -> None:
    login = logged_in(lambda: "token", expires_ms=0)
    assert said(login, ANYTHING, 999) == []
    assert len(said(login, ANYTHING, 1000)) == 1


def test_a_token_that_is_given_once_is_not_renewed() -> None:
    assert said(logged_in("token", expires_ms=60_000), ANYTHING, 59_999) == []


def test_who_is_in_stays_in_when_a_newer_token_is_refused() -> None:
    login = logged_in(lambda: "token", expires_ms=60_000)
    error = Error(ErrorCode.AUTH_FAILED, "the token is malformed", AUTH_ID)
    assert said(login, error) == []
    assert login.tolerates(error)
    assert not login.tolerates(Error(ErrorCode.FORBIDDEN, "not for you", 1))


@pytest.mark.parametrize(
    ("code", "renewable", "again"),
    [
        (1001, False, True),
        (None, False, True),
        (4001, True, False),
        (4003, True, True),
        (4003, False, False),
        (4010, True, False),
    ],
)
def test_after_a_close_a_client_comes_again_only_where_that_is_of_use(
    code: int | None, renewable: bool, again: bool
) -> None:
    login = Login(Credentials((lambda: "token") if renewable else "token"))
    if again:
        login.closed(code, None)
    else:
        with pytest.raises(FeedAccessError, match=str(code)):
            login.closed(code, None)


def test_an_error_of_access_is_told_from_others() -> None:
    assert type(feed_error(Error(ErrorCode.AUTH_EXPIRED, ""))) is FeedAccessError
    assert type(feed_error(Error(ErrorCode.FORBIDDEN, ""))) is FeedError


def test_a_token_is_not_shown_in_a_representation() -> None:
    assert "hunter2" not in repr(Credentials("hunter2"))


def test_a_token_goes_with_http_requests() -> None:
    assert Credentials("token").headers() == {"Authorization": "Bearer token"}
    assert Credentials(None).headers() == {}
