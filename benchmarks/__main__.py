"""`python -m benchmarks [PART …] [--seconds S]`: measure, print, and write benchmarks/RESULTS.md.

With parts named, the report is printed and nothing is written.
"""

import argparse
import sys
import time
from collections.abc import Callable

from benchmarks import body, cpu_engine, doors, gallery, gateway, hosted, hot_account, imaging, report, startup

PARTS: dict[str, Callable[[float], report.Part]] = {
    "gateway": gateway.measure,
    "doors": doors.measure,
    "hot_account": hot_account.measure,
    "hosted": hosted.measure,
    "gallery": gallery.measure,
    "body": body.measure,
    "imaging": imaging.measure,
    "startup": startup.measure,
    "cpu_engine": cpu_engine.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure Sceneshift on this machine.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of a window (default: 10)")
    given = parser.parse_args()
    measured = [_measure(name, given.seconds) for name in given.parts or PARTS]
    text = report.render(measured)
    if given.parts:
        print(text)
        return
    report.RESULTS.write_text(text)
    print(f"Written: {report.RESULTS}")


def _measure(name: str, seconds: float) -> report.Part:
    began = time.monotonic()
    print(f"{name} …", flush=True)
    try:
        part = PARTS[name](seconds)
    except (RuntimeError, OSError) as error:  # the other parts took minutes to measure, and are kept
        print(f"{name} failed: {error}", file=sys.stderr, flush=True)
        part = report.Part(f"{name}: failed", f"```\n{str(error)[-2000:]}\n```", (), (), [report.failed(name)])
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return part


if __name__ == "__main__":
    main()
