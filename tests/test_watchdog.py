"""The thread that ends calls whose time is over."""

import multiprocessing
import threading
import time

from generations.outbound import watchdog


class Call:
    """Something to be ended."""

    def __init__(self) -> None:
        self.ended = False
        self.bell = threading.Event()
        self.at = 0.0

    def expire(self) -> None:
        self.at = time.monotonic()
        self.bell.set()


def test_each_is_ended_at_its_time_whatever_the_order() -> None:
    dog, now = watchdog.Watchdog(), time.monotonic()
    deadlines = [0.3, 0.1, 0.2]
    calls = [Call() for _ in deadlines]
    for call, seconds in zip(calls, deadlines, strict=True):
        dog.watch(call, now + seconds)
    assert all(call.bell.wait(10) for call in calls)
    assert all(call.at >= now + seconds for call, seconds in zip(calls, deadlines, strict=True))
    assert sorted(calls, key=lambda call: call.at) == [calls[1], calls[2], calls[0]]


def test_what_has_ended_is_left_alone_and_does_not_hold_up_what_comes_after_it() -> None:
    dog, now = watchdog.Watchdog(), time.monotonic()
    first, second = Call(), Call()
    dog.watch(first, now + 0.1)
    dog.watch(second, now + 0.2)
    first.ended = True
    assert second.bell.wait(10)
    assert not first.bell.is_set()


def test_a_deadline_that_is_over_is_kept_at_once() -> None:
    call = Call()
    watchdog.Watchdog().watch(call, time.monotonic() - 1)
    assert call.bell.wait(10)


def test_a_forked_process_has_one_of_its_own() -> None:
    watchdog.of_process()
    assert watchdog.of_process() is watchdog.of_process()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_is_ended)


def _is_ended() -> bool:
    call = Call()
    watchdog.of_process().watch(call, time.monotonic() + 0.05)
    return call.bell.wait(10)
