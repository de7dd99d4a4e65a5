"""When the hosted API is asked whether a job is done."""

import itertools

import pytest

from generations.engines.segmind.polling import LEAST_STEP, LONGEST_STEP, Timetable


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
        timetable.learn("kind", 2.9)
    delay, questions = late(timetable, 2.9)
    assert delay <= 0.06
    assert questions == 1


@pytest.mark.parametrize("taken", [0.1, 1.0, 2.9, 9.0, 20.0, 60.0, 300.0])
def test_a_job_that_nobody_has_seen_takes_ten_questions_at_most(taken: float) -> None:
    delay, questions = late(Timetable(), taken)
    assert questions <= 10 + taken / LONGEST_STEP
    assert delay <= max(0.35 * 9.0 + LEAST_STEP, 0.75 * taken, LONGEST_STEP)


def test_times_that_vary_are_asked_for_between_the_fastest_and_the_slowest() -> None:
    timetable = Timetable()
    seen = [2.0 + number / 10 for number in range(20)]
    for each in seen:
        timetable.learn("kind", each)
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
    timetable.learn("other", 1.0)
    assert asked(timetable) == asked(Timetable())
