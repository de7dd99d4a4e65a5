"""When the hosted API is asked whether a job is done."""

import itertools

import pytest

from generations.engines.segmind.polling import LONGEST_FIRST, LONGEST_STEP, MARGIN, REMEMBERED, Timetable


def asked(timetable: Timetable, kind: str = "kind", expected: float = 9.0, count: int = 12) -> list[float]:
    """Return the moments of the first questions."""
    return list(itertools.accumulate(itertools.islice(timetable.pauses(kind, expected), count)))


def late(timetable: Timetable, taken: float, **more: float) -> tuple[float, int]:
    """Return how long after its end a job is found to be done, and in how many questions."""
    moments = itertools.accumulate(timetable.pauses("kind", more.get("expected", 9.0)))
    count, moment = next((number, each) for number, each in enumerate(moments, 1) if each >= taken)
    return moment - taken, count


def test_what_was_seen_is_asked_for_right_after_it_is_done() -> None:
    timetable = Timetable()
    for _ in range(5):
        timetable.learn("kind", 3.0, 2.9)
    delay, questions = late(timetable, 2.9)
    assert delay <= 0.06
    assert questions == 1


@pytest.mark.parametrize("taken", [0.1, 1.0, 2.9, 9.0, 20.0, 60.0, 300.0])
def test_a_job_that_nobody_has_seen_takes_ten_questions_at_most(taken: float) -> None:
    delay, questions = late(Timetable(), taken)
    assert questions <= 10 + taken / LONGEST_STEP
    assert delay <= max(0.35 * 9.0 + MARGIN, 0.75 * taken, LONGEST_STEP)


def test_times_that_vary_are_asked_for_between_the_fastest_and_the_slowest() -> None:
    timetable = Timetable()
    seen = [2.0 + number / 10 for number in range(20)]
    for each in seen:
        timetable.learn("kind", each + 1, each)
    found = [late(timetable, each) for each in seen]
    assert sum(delay for delay, _ in found) / len(found) < 0.4
    assert max(questions for _, questions in found) <= 6


def test_questions_come_ever_more_slowly_but_never_end() -> None:
    moments = asked(Timetable(), count=40)
    steps = [round(later - earlier, 6) for earlier, later in itertools.pairwise(moments)]
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(LONGEST_STEP)


def test_kinds_are_learnt_apart() -> None:
    timetable = Timetable()
    timetable.learn("other", 1.0, 1.0)
    assert asked(timetable) == asked(Timetable())


def test_an_hour_of_trouble_does_not_make_the_next_job_wait_for_an_hour() -> None:
    timetable = Timetable()
    timetable.learn("kind", 1000.0, 1000.0)
    assert asked(timetable, expected=3.0)[0] <= LONGEST_FIRST + MARGIN


def test_without_a_word_of_how_long_it_took_the_first_look_comes_ever_sooner() -> None:
    timetable = Timetable()
    for _ in range(3 * REMEMBERED):
        timetable.learn("kind", max(5.0, asked(timetable)[0]), None)
    assert asked(timetable)[0] < 5.5


def test_what_is_said_is_at_most_what_has_passed() -> None:
    timetable = Timetable()
    timetable.learn("kind", 3.0, 2900.0)  # milliseconds
    assert asked(timetable)[0] == pytest.approx(3.0 + MARGIN)
