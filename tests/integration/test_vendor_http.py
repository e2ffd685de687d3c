import gzip
import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import quote

import pytest

from feed_server.errors import (
    ConfigurationError,
    MalformedError,
    ProviderError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from feed_server.providers import vendor_http
from feed_server.providers.vendor_http import SecretMask, VendorHttp, retry_after_s
from tests.harness import free_port
from tests.vendors.http_faults import Answer, FaultServer

KEY = "s3cr3t/K+y=="
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HTML = Answer(body="<html>hello</html>", headers={"Content-Type": "text/html"})


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
async def http(server: FaultServer) -> AsyncIterator[VendorHttp]:
    made = VendorHttp(
        "acme", server.url, secrets=(KEY,), headers={"X-Key": f"apikey {KEY}"}, total_s=1.0
    )
    yield made
    await made.aclose()


async def failure(http: VendorHttp, server: FaultServer, answer: Answer) -> ProviderError:
    server.answers["/quote"] = answer
    with pytest.raises(ProviderError) as caught:
        await http.get("/quote", {"symbol": "A,B", "apikey": KEY})
    text = str(caught.value)
    assert text.startswith("acme: /quote: ")
    assert len(text) < 300
    return caught.value


async def test_json_is_decoded_and_headers_are_in_lower_case(
    server: FaultServer, http: VendorHttp
) -> None:
    server.answers["/quote"] = Answer(
        body={"price": "1.5"}, headers={"Api-Credits-Left": "7", "Retry-After": "9"}
    )
    answer = await http.get("/quote", {"symbol": "BTC/USD,A B", "n": 5})
    assert (answer.status, answer.body) == (200, {"price": "1.5"})
    assert answer.headers["api-credits-left"] == "7"
    assert answer.retry_after_s == 9
    assert server.requests[0].query == {"symbol": "BTC/USD,A B", "n": "5"}
    assert server.requests[0].headers["x-key"] == f"apikey {KEY}"


async def test_an_error_in_json_with_another_status_is_an_answer(
    server: FaultServer, http: VendorHttp
) -> None:
    server.answers["/quote"] = Answer(status=404, body={"code": 404})
    assert (await http.get("/quote", {})).status == 404


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (HTML, MalformedError, "HTTP 200, text/html"),
        (Answer(status=404, body="<h1>Not Found"), MalformedError, "HTTP 404"),
        (Answer(), MalformedError, "no JSON"),
        (Answer(body='{"a": [1, 2'), MalformedError, "truncated"),
        (Answer(body=b'"\xff"'), MalformedError, "no JSON"),
        (Answer(body="[" * 100_000), MalformedError, "RecursionError"),
        (Answer(body='{"a": NaN}'), MalformedError, "no JSON"),
        (Answer(body=b"junk", headers={"Content-Encoding": "gzip"}), MalformedError, "unpacked"),
        (Answer(status=302, headers={"Location": "/x?apikey=" + KEY}), MalformedError, "redirect"),
        (Answer(status=503, body="<h1>Maintenance"), UnavailableError, "503: <h1>Maintenance"),
        (Answer(status=500, body={"code": 500}), UnavailableError, "HTTP 500"),
        (Answer(status=401, body={"message": f"key {KEY}"}), UnauthorizedError, "key ***"),
        (Answer(status=403, body="<h1>Forbidden"), UnauthorizedError, "HTTP 403"),
        (Answer(status=429, body="slow down"), RateLimitedError, "HTTP 429: slow down"),
        (Answer(drop=True), UnavailableError, "RemoteProtocolError"),
        (Answer(drop=True, reset=True), UnavailableError, "ReadError"),
        (Answer(body='{"a": 1', missing=20), UnavailableError, "RemoteProtocolError"),
        (Answer(body='{"a": 1', missing=20, reset=True), UnavailableError, "Error"),
        (Answer(body='{"a": 1}', wait_s=30), UnavailableError, "within 1 s"),
        (Answer(body='{"a": 1}' + " " * 1000, drip_s=0.05), UnavailableError, "within 1 s"),
    ],
)
async def test_a_fault_is_one_of_our_errors(
    server: FaultServer,
    http: VendorHttp,
    answer: Answer,
    kind: type[ProviderError],
    says: str,
) -> None:
    error = await failure(http, server, answer)
    assert type(error) is kind
    assert says in str(error)


async def test_after_a_fault_the_next_request_is_answered(
    server: FaultServer, http: VendorHttp
) -> None:
    await failure(http, server, Answer(drop=True))
    server.answers["/quote"] = Answer(body=[1])
    assert (await http.get("/quote", {})).body == [1]


async def test_nobody_listening_is_unavailable() -> None:
    http = VendorHttp("acme", f"http://127.0.0.1:{free_port()}", secrets=(KEY,))
    with pytest.raises(UnavailableError, match="acme: /quote: ConnectError"):
        await http.get("/quote", {"apikey": KEY})
    await http.aclose()


async def test_a_body_that_is_too_long_is_not_read_to_its_end(
    server: FaultServer, http: VendorHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_http, "MAX_BODY_BYTES", 1000)
    packed = gzip.compress(b" " * 1_000_000)
    assert len(packed) < 1000 + 100
    error = await failure(http, server, Answer(body=packed, headers={"Content-Encoding": "gzip"}))
    assert type(error) is MalformedError
    assert "more than 1000 bytes" in str(error)


async def test_a_vendor_that_explains_in_json_is_heard(server: FaultServer) -> None:
    http = VendorHttp("acme", server.url, explains=True)
    for status in (401, 403, 429):
        server.answers["/quote"] = Answer(status=status, body={"code": status})
        answer = await http.get("/quote", {})
        assert (answer.status, answer.body) == (status, {"code": status})
    assert type(await failure(http, server, Answer(status=429, body="no"))) is RateLimitedError
    assert type(await failure(http, server, Answer(status=403, body="[]"))) is UnauthorizedError
    await http.aclose()


async def test_a_limit_tells_when_to_ask_again(server: FaultServer, http: VendorHttp) -> None:
    error = await failure(http, server, Answer(status=429, headers={"Retry-After": "17"}))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 17
    error = await failure(http, server, Answer(status=429))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("1.5", 1.5),
        ("999999999999", vendor_http.MAX_RETRY_AFTER_S),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30),
        ("Fri, 02 Jan 2026 03:05:05 -0000", 60),
        (format_datetime(NOW - timedelta(days=2), usegmt=True), 0),
        (format_datetime(NOW + timedelta(days=900), usegmt=True), vendor_http.MAX_RETRY_AFTER_S),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("nan", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after_s(value, NOW) == seconds


async def test_a_key_is_in_no_text_however_it_is_written(
    server: FaultServer, http: VendorHttp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    escaped = quote(KEY, safe="")
    forms = [
        KEY,
        escaped,
        quote(KEY),
        quote(escaped, safe=""),
        KEY.replace("/", "\\/"),
        KEY.upper(),
    ]
    answers = [
        Answer(drop=True),
        Answer(status=500, body=" ".join(forms)),
        Answer(status=302, headers={"Location": f"http://x/?apikey={escaped}"}),
        *(Answer(body=f"<b>{'-' * n}{form}") for form in forms for n in (0, 195)),
        *(Answer(status=429, body={"message": form}) for form in forms),
        Answer(wait_s=30),
    ]
    said = [repr(http)]
    for answer in answers:
        error = await failure(http, server, answer)
        said += [repr(error), *traceback.format_exception(error)]
        assert error.__context__ is None or not isinstance(error, UnavailableError)
    said += [record.getMessage() for record in caplog.records] + [caplog.text]
    assert "HTTP Request: GET" in caplog.text
    for form in forms:
        assert form.casefold() not in "\n".join(said).casefold()


async def test_httpx_logs_as_before_when_it_is_closed(server: FaultServer) -> None:
    logger = logging.getLogger("httpx")
    before = list(logger.filters)
    http = VendorHttp("acme", server.url, secrets=(KEY,))
    assert len(logger.filters) == len(before) + 1
    await http.aclose()
    assert logger.filters == before


@pytest.mark.parametrize("key", ["two words", "k3y-end\n", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_unshown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="key of acme") as caught:
        VendorHttp("acme", "https://api.example.com", secrets=(key,))
    assert key.strip() not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://x", "https://", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="address of acme"):
        VendorHttp("acme", url)


async def test_a_long_answer_is_not_looked_through_for_keys(
    server: FaultServer, http: VendorHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[int] = []
    hide = SecretMask.hide

    def count(mask: SecretMask, text: str) -> str:
        looked_at.append(len(text))
        return hide(mask, text)

    monkeypatch.setattr(SecretMask, "hide", count)
    server.answers["/bars"] = Answer(body={"values": ["1.0"] * 100_000})
    await http.get("/bars", {})
    assert max(looked_at) < 10_000
