"""The load generator: so many callers, each with one kept connection, each asking again as soon as it was answered.

`run` starts it in a process of its own, whose work is not counted: one thread over non-blocking sockets, so that a
thousand callers cost it little more than one.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

PATIENCE = 120.0
"""Seconds after the window in which what is under way may still be answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask: caller i uses the i-th key and steps through the bodies (a file with a list of texts in Latin-1).

    An answer is right that has `status`, `expected_type` and `expected` bytes, or up to 1 KiB more; 0 bytes stand for
    any number. headers: more of them, each line with its end.
    """

    port: int
    path: str
    callers: int
    seconds: float
    bodies: str
    keys: Sequence[str] = ("",)
    expected: int = 200 * 1024
    content_type: str = "application/json"
    expected_type: str = "image/"
    headers: str = ""
    status: int = 200


@dataclass(slots=True)
class Outcome:
    """What came of it. latencies: seconds, of the right answers. late: answered after the window. error: the first."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    late: int = 0
    errors: int = 0
    error: str = ""

    @property
    def done(self) -> int:
        """Return how many generations there were, those answered after the window included."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Return answers per second of the window."""
        return (self.done - self.late) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency below which `share` of the answers lie, in milliseconds."""
        ordered = sorted(self.latencies) or [float("nan")]
        return 1000 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def run(plan: Plan) -> Outcome:
    """Carry out a plan in another process. Raises RuntimeError where that process fails."""
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
        timeout=plan.seconds + PATIENCE + 30,
    )
    if finished.returncode:
        raise RuntimeError(f"the load generator failed: {finished.stderr}")
    return Outcome(**json.loads(finished.stdout))


class Caller:
    """One connection and what is under way on it."""

    def __init__(self, plan: Plan, key: str, bodies: list[str], number: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", plan.port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.plan, self.bodies, self.next = plan, bodies, number
        credential = f"x-api-key: {key}\r\n" if key else ""
        first = f"POST {plan.path} HTTP/1.1\r\nhost: 127.0.0.1:{plan.port}\r\n"
        self.head = f"{first}{credential}{plan.headers}content-type: {plan.content_type}\r\n"
        self.began = 0.0
        self.start, self.missing = b"", -1

    def ask(self) -> None:
        """Send the next request. Bodies are small or the server reads at once: sending may block, briefly."""
        body = self.bodies[self.next % len(self.bodies)]
        self.next += self.plan.callers
        self.start, self.missing = b"", -1
        self.began = time.perf_counter()
        self.socket.sendall(f"{self.head}content-length: {len(body)}\r\n\r\n{body}".encode("latin-1"))

    def hear(self, buffer: bytearray) -> bool:
        """Read what has come; True once the answer is whole. Raises ConnectionError."""
        count = self.socket.recv_into(buffer)
        if not count:
            raise ConnectionError("the connection was closed")
        if self.missing < 0:
            self.start += bytes(buffer[:count])
            head, found, rest = self.start.partition(b"\r\n\r\n")
            if found:
                self.missing = _length(head) - len(rest)
        else:
            self.missing -= count
            if len(self.start) < 2000:
                self.start += bytes(buffer[:count])
        return self.missing == 0

    @property
    def is_right(self) -> bool:
        """Return whether the answer has the expected type and size."""
        head = self.start.partition(b"\r\n\r\n")[0].lower()
        is_picture = f"\r\ncontent-type: {self.plan.expected_type}".encode() in head
        is_whole = not self.plan.expected or 0 <= _length(head) - self.plan.expected < 1024
        return head.startswith(f"http/1.1 {self.plan.status} ".encode()) and is_picture and is_whole

    @property
    def wants_close(self) -> bool:
        return b"\r\nconnection: close" in self.start.partition(b"\r\n\r\n")[0].lower()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class Generator:
    """Carries out one plan in this process."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.bodies: list[str] = json.loads(Path(plan.bodies).read_text())
        self.outcome = Outcome(plan.seconds)
        self.selector = selectors.DefaultSelector()
        self.buffer = bytearray(1 << 20)

    def run(self) -> Outcome:
        callers = [self._join(number) for number in range(self.plan.callers)]
        self.ends = time.perf_counter() + self.plan.seconds
        for caller in callers:
            caller.ask()
        while self.selector.get_map():
            events = self.selector.select(timeout=1.0)
            for key, _ in events:
                self._serve(key.data)
            if time.perf_counter() > self.ends + PATIENCE:
                self._give_up()
        return self.outcome

    def _join(self, number: int) -> Caller:
        caller = Caller(self.plan, self.plan.keys[number % len(self.plan.keys)], self.bodies, number)
        self.selector.register(caller.socket, selectors.EVENT_READ, caller)
        return caller

    def _serve(self, caller: Caller) -> None:
        try:
            if not caller.hear(self.buffer):
                return
        except OSError as error:
            self._fail(f"{type(error).__name__}: {error}")
            self._leave(caller)
            return
        now = time.perf_counter()
        if caller.is_right:
            self.outcome.latencies.append(now - caller.began)
            self.outcome.late += now > self.ends
        else:
            self._fail(caller.start[:1500].decode(errors="replace"))
        if now > self.ends:
            self._leave(caller)
        else:
            self._again(caller)

    def _again(self, caller: Caller) -> None:
        if caller.wants_close:
            self.selector.unregister(caller.socket)
            caller.socket.close()
            caller.socket = socket.create_connection(("127.0.0.1", self.plan.port), timeout=PATIENCE)
            self.selector.register(caller.socket, selectors.EVENT_READ, caller)
        caller.ask()

    def _leave(self, caller: Caller) -> None:
        self.selector.unregister(caller.socket)
        caller.socket.close()

    def _fail(self, error: str) -> None:
        self.outcome.errors += 1
        self.outcome.error = self.outcome.error or error

    def _give_up(self) -> None:
        for key in list(self.selector.get_map().values()):
            self._fail(f"not answered within {PATIENCE:.0f} s after the window")
            self._leave(key.data)


def main() -> None:
    outcome = Generator(Plan(**json.load(sys.stdin))).run()
    json.dump(asdict(outcome), sys.stdout)


if __name__ == "__main__":
    main()
