"""Token buckets never let more through than they promise."""

from hypothesis import given, settings, strategies as st

from stillwatch.respond.decisions.buckets import TokenBuckets

MINUTE_US = 60_000_000


@settings(deadline=None)
@given(
    rate=st.floats(0.1, 600.0),
    burst=st.integers(1, 20),
    gaps_us=st.lists(st.integers(0, 2 * MINUTE_US), max_size=200),
)
def test_no_window_holds_more_calls_than_burst_and_rate_allow(
    rate: float, burst: int, gaps_us: list[int]
) -> None:
    buckets = TokenBuckets()
    now_us = 0
    passed: list[int] = []
    for gap in gaps_us:
        now_us += gap
        if buckets.wait_s("d", rate, burst, now_us) == 0.0:
            buckets.take("d", rate, burst, now_us)
            passed.append(now_us)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            minutes = (passed[last] - passed[first]) / MINUTE_US
            assert last - first + 1 <= burst + minutes * rate + 1e-6


@settings(deadline=None)
@given(rate=st.floats(0.1, 600.0), times_us=st.lists(st.integers(0, MINUTE_US), max_size=100))
def test_a_clock_that_goes_back_gives_no_tokens(rate: float, times_us: list[int]) -> None:
    buckets = TokenBuckets()
    burst = 3
    passed = 0
    for time_us in times_us:
        if buckets.wait_s("d", rate, burst, time_us) == 0.0:
            buckets.take("d", rate, burst, time_us)
            passed += 1
    assert passed <= burst + rate + 1


def test_waiting_as_long_as_told_is_enough_and_less_is_not() -> None:
    buckets = TokenBuckets()
    buckets.take("d", 6.0, 1, 0)
    wait_s = buckets.wait_s("d", 6.0, 1, 0)
    assert wait_s == 10.0
    assert buckets.wait_s("d", 6.0, 1, 9_900_000) > 0.0
    assert buckets.wait_s("d", 6.0, 1, 10_000_000) == 0.0


@settings(deadline=None)
@given(
    rate=st.floats(0.5, 60.0),
    gaps_us=st.lists(st.integers(0, MINUTE_US), max_size=60),
    forget=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_forgetting_full_buckets_changes_nothing(rate: float, gaps_us: list[int], forget: list[bool]) -> None:
    kept, swept = TokenBuckets(), TokenBuckets()
    now_us = 0
    for gap, sweep in zip(gaps_us, forget, strict=False):
        now_us += gap
        if sweep:
            swept.forget_full(now_us)
        waits = [buckets.wait_s("d", rate, 4, now_us) for buckets in (kept, swept)]
        assert abs(waits[0] - waits[1]) < 1e-3
        if waits[0] == waits[1] == 0.0:
            kept.take("d", rate, 4, now_us)
            swept.take("d", rate, 4, now_us)


def test_a_bucket_that_is_full_again_is_forgotten() -> None:
    buckets = TokenBuckets()
    buckets.take("d", 60.0, 2, 0)
    assert buckets.forget_full(500_000) == 0
    assert buckets.forget_full(1_100_000) == 1
    assert len(buckets) == 0
