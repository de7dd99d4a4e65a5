"""What is kept for a moment, is kept no longer, and not without bounds."""

import pytest

from config.recent import Recent


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def recent(now: list[float]) -> Recent[str, int]:
    return Recent(2.0, 3, clock=lambda: now[0])


def test_a_value_is_kept_for_its_time(recent: Recent[str, int], now: list[float]) -> None:
    recent.put("a", 1)
    now[0] = 1.9
    assert recent.get("a") == 1
    now[0] = 2.0
    assert recent.get("a") is None


def test_the_oldest_makes_room_and_one_put_again_is_the_newest(recent: Recent[str, int]) -> None:
    for key in "abcad":
        recent.put(key, 1)
    assert [key for key in "abcd" if recent.get(key)] == ["a", "c", "d"]


def test_what_is_forgotten_is_gone(recent: Recent[str, int]) -> None:
    recent.put("a", 1)
    recent.put("b", 2)
    recent.forget("a")
    recent.forget("a")
    assert (recent.get("a"), recent.get("b")) == (None, 2)
    recent.clear()
    assert recent.get("b") is None
