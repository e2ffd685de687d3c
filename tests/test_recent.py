from feed_server.gateway.recent import LASTS_S, SAMPLES, Recent


def test_nothing_is_told_before_the_first_sample() -> None:
    assert Recent().at_ms(50) is None


def test_percentiles_are_by_nearest_rank_in_milliseconds() -> None:
    recent = Recent()
    for ms in range(100, 0, -1):
        recent.add(ms / 1000)
    assert [recent.at_ms(p) for p in (0, 1, 50, 99, 100)] == [1, 1, 50, 99, 100]


def test_only_the_last_samples_count() -> None:
    recent = Recent()
    recent.add(9)
    for _ in range(SAMPLES):
        recent.add(0.001)
    assert recent.at_ms(100) == 1


def test_what_is_long_ago_tells_nothing_of_now() -> None:
    now_s = 1000.0
    recent = Recent(lambda: now_s)
    recent.add(9)
    now_s += LASTS_S - 1
    recent.add(0.001)
    assert recent.at_ms(100) == 9000
    now_s += 2
    assert recent.at_ms(100) == 1
    now_s += LASTS_S
    assert recent.at_ms(100) is None
