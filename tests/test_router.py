import pytest

from feed_server.ingest.router import FORGET_S, Router


@pytest.fixture
def router() -> Router:
    return Router(["first", "second", "third"])


def test_all_comes_from_the_first_while_it_works(router: Router) -> None:
    assert router.plan(["A", "B"], 0.0) == {"first": {"A", "B"}, "second": set(), "third": set()}


def test_when_the_first_is_down_the_second_serves_and_the_first_stays_asked(
    router: Router,
) -> None:
    router.set_up("first", False)
    assert router.plan(["A"], 0.0) == {"first": {"A"}, "second": {"A"}, "third": set()}
    assert router.take("second", "A") is True
    assert router.take("second", "A") is False


def test_it_returns_with_the_first_word_of_the_first(router: Router) -> None:
    router.set_up("first", False)
    router.take("second", "A")
    router.set_up("first", True)
    assert router.take("first", "A") is True
    assert router.take("second", "A") is None
    assert router.source_of("A") == "first"


def test_a_source_that_refuses_one_symbol_serves_the_others(router: Router) -> None:
    router.take("first", "A")
    router.refuse("first", "A", 0.0)
    plan = router.plan(["A", "B"], 1.0)
    assert plan == {"first": {"B"}, "second": {"A"}, "third": set()}
    assert router.take("second", "A") is True


def test_a_refusal_is_forgotten_after_a_while(router: Router) -> None:
    router.refuse("first", "A", 0.0)
    assert router.candidates("A", FORGET_S - 1) == ["second"]
    assert router.candidates("A", FORGET_S) == ["first"]


def test_with_all_down_all_are_asked(router: Router) -> None:
    for source in router.sources:
        router.set_up(source, False)
    assert router.candidates("A", 0.0) == ["first", "second", "third"]


def test_what_the_last_still_says_does_not_replace_a_preferred_that_works(router: Router) -> None:
    assert router.take("first", "A") is True
    assert router.take("third", "A") is None


def test_who_could_not_serve_a_symbol_once_stays_asked_and_the_next_is_asked_too() -> None:
    router = Router(["first", "second"])
    assert router.take("first", "A")
    router.doubt("first", "A")
    assert router.candidates("A", 0.0) == ["first", "second"]
    assert router.candidates("B", 0.0) == ["first"]
    assert router.take("second", "A")
    assert router.take("first", "A")
    assert router.candidates("A", 0.0) == ["first"]
    assert router.take("second", "A") is None


def test_who_does_not_have_a_symbol_is_passed_over() -> None:
    router = Router(["first", "second"], lambda source, symbol: (source, symbol) != ("first", "B"))
    assert router.plan(["A", "B"], 0.0) == {"first": {"A"}, "second": {"B"}}
    assert router.take("second", "B") is True


def test_who_speaks_unasked_does_not_come_before_a_preferred_that_works(router: Router) -> None:
    assert router.take("second", "A") is None
    router.set_up("first", False)
    assert router.take("second", "A") is True
    router.refuse("first", "B", 0.0)
    assert router.take("third", "B") is None
    assert router.take("second", "B") is True
