"""The benchmark's own instruments: what they count is what happened."""

import dataclasses
from pathlib import Path

from benchmarks import gateway, litellm, load, pictures, report


def _plan(port: int, folder: Path, **more: object) -> load.Plan:
    bodies = pictures.write_bodies(folder / "bodies.json", 2)
    chosen: dict[str, object] = {"callers": 3, "seconds": 0.3, "expected": 4096, **more}
    return load.Plan(port=port, path="/", bodies=bodies, **chosen)  # type: ignore[arg-type]


def test_every_answer_of_a_stub_is_counted_once(tmp_path: Path) -> None:
    with gateway.stub(kilobytes=4) as (port, _):
        outcome = load.run(_plan(port, tmp_path))
    assert outcome.errors == 0, outcome.error
    assert outcome.done >= 3
    assert 0 < outcome.percentile(0.5) <= outcome.percentile(0.95)
    assert outcome.late <= 3  # each caller has one under way when the window ends


def test_an_answer_of_another_size_is_an_error(tmp_path: Path) -> None:
    with gateway.stub(kilobytes=4) as (port, _):
        outcome = load.run(_plan(port, tmp_path, expected=4097))
    assert outcome.done == 0
    assert outcome.errors >= 3
    assert outcome.error.startswith("HTTP/1.1 200 OK")


def test_a_delay_of_the_stub_is_seen(tmp_path: Path) -> None:
    with gateway.stub(delay=0.1, kilobytes=4) as (port, _):
        outcome = load.run(_plan(port, tmp_path, callers=1))
    assert outcome.percentile(0.5) >= 100


def test_the_peers_request_and_answer_are_understood(tmp_path: Path) -> None:
    """Before a stub that answers as LiteLLM does, and before one that answers something else."""
    plan = litellm.plan(0, tmp_path, callers=2, seconds=0.3)
    for dialect, is_right in (("openai", True), ("picture", False)):
        with gateway.stub(dialect=dialect) as (port, _):
            outcome = load.run(dataclasses.replace(plan, port=port))
        assert (outcome.errors == 0, outcome.done > 0) == (is_right, is_right), outcome.error


def test_a_peer_is_what_it_adds_and_its_best_rate() -> None:
    alone, many = (load.Outcome(1.0, latencies=[seconds] * count) for seconds, count in ((0.012, 80), (0.5, 90)))
    peer = litellm.Peer.measured([alone, many], bare=2.0)
    assert (round(peer.added, 6), peer.best) == (10.0, 90.0)


def test_a_missed_figure_is_called_missed() -> None:
    part = report.Part(
        "Title", "Text.", ("a",), [["1"]], [report.at_most("x", 6.0, 5.0), report.at_least("y", 2.0, 1.0)]
    )
    lines = report.render([part]).splitlines()
    assert "| x | ≤ 5 | 6 | **missed** |" in lines
    assert "| y | ≥ 1 | 2 | reached |" in lines
