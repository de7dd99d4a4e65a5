"""The server: a thread a connection, rules before answers, and outages on request."""

import functools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Self

from tests.upstream import faults, routes
from tests.upstream.account import Account, Record
from tests.upstream.calls import Call
from tests.upstream.control import Control, Rules
from tests.upstream.options import STEERABLE, Options
from tests.upstream.routes import Route
from tests.upstream.rules import PAID, Rule, Script
from tests.upstream.wire import Answer, Connection, Gone, Malformed, Request

BACKLOG = 2048
Converse = Callable[[Connection], None]
STOP_SECONDS = 5.0


class Server(Control):
    """A stand-in in this process. Jobs, bills and rules outlive `stop` and `start`. Raises RuleError for bad rules."""

    def __init__(self, options: Options | None = None, rules: Iterable[Rules] = ()) -> None:
        self.options = options or Options()
        self.account = Account(self.options)
        self._script = Script(map(Rule.read, rules), self.options.seed)
        self._listener: Listener | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.options.port}"

    def start(self) -> Self:
        """Listen, on the port of the last time if there was one."""
        self._listener = Listener(self.options.port, self._converse)
        self.options.port = self._listener.port
        return self

    def stop(self) -> None:
        """End every connection and refuse new ones."""
        if self._listener:
            self._listener.stop()
            self._listener = None

    def report(self) -> dict[str, Any]:
        return self.account.report()

    def steer(self, told: Mapping[str, Any]) -> None:
        strangers = set(told) - STEERABLE - {"rules", "seed", "forget"}
        if strangers:
            raise ValueError(f"cannot be told: {', '.join(sorted(strangers))}")
        if "rules" in told:
            self._script = Script(map(Rule.read, told["rules"]), told.get("seed", self.options.seed))
        if told.get("forget"):
            self.account.forget()
        for name in STEERABLE & set(told):
            setattr(self.options, name, told[name])

    def _converse(self, connection: Connection) -> None:
        """Answer one request after the other until the client, or a fault, ends it."""
        keeps_alive = True
        while keeps_alive:
            try:
                request = connection.read_head()
                answer = self._handle(connection, request)
            except Malformed as error:
                connection.send(Answer.json({"error": str(error)}, 400).head(keep=False))
                return
            if answer is None:
                return
            keeps_alive = request.keeps_alive
            connection.send(answer.head(keep=keeps_alive) + answer.body)

    def _handle(self, connection: Connection, request: Request) -> Answer | None:
        if request.path.startswith("/-/"):
            return self._control(connection, request)
        return self._answer(connection, request)

    def _control(self, connection: Connection, request: Request) -> Answer:
        connection.read_body(request)
        if (request.method, request.path) == ("GET", "/-/report"):
            return Answer.json(self.report())
        if (request.method, request.path) != ("POST", "/-/script"):
            return Answer.json({"error": "there are GET /-/report and POST /-/script"}, 404)
        try:
            self.steer(json.loads(request.body))
        except ValueError as error:
            return Answer.json({"error": str(error)}, 400)
        return Answer.json({})

    def _answer(self, connection: Connection, request: Request) -> Answer | None:
        """Return the answer; None where a fault has dealt with the wire and the connection is to end."""
        route, named = routes.find(request.method, request.path)
        record = Record(time.time(), route.kind, authorized="x-api-key" in request.headers)
        self.account.record(record)
        call = Call(request, connection, self.account, record, named)
        rule = self._script.pick(route.kind, "", early=True)
        if rule is None:
            connection.read_body(request)
            connection.wait(self.options.latency)
            call.look_up()
            rule = self._script.pick(route.kind, call.prompt)
        answer = self._ruled(rule, route, call) if rule else route.answer(call)
        record.status = answer.status if answer else None
        return answer

    def _ruled(self, rule: Rule, route: Route, call: Call) -> Answer | None:
        """Answer as the rule says."""
        call.record.fault = rule.fault
        if rule.is_fate:
            call.fate = functools.partial(faults.FATES[rule.fault], **rule.options)
            return route.answer(call)
        if not rule.is_early and (rule.bills or route.kind not in PAID):
            call.answer = route.answer(call)
        return faults.FAULTS[rule.fault].act(call, **rule.options)


class Listener:
    """A listening socket, and a thread for each of its connections."""

    def __init__(self, port: int, converse: Converse) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=BACKLOG)
        self._converse = converse
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True, name=f"upstream:{self.port}")
        self._thread.start()

    def stop(self) -> None:
        """Return once nobody listens and every connection has ended."""
        self._stopping.set()
        with suppress(ConnectionRefusedError):  # a client's call came first, and ended the listening
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(STOP_SECONDS)
        with self._changed:
            for handle in self._open:
                with suppress(OSError):  # the client was quicker
                    handle.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, STOP_SECONDS)

    def _accept(self) -> None:
        with self._socket:
            while True:
                handle, _ = self._socket.accept()
                if self._stopping.is_set():
                    handle.close()
                    return
                with self._changed:
                    self._open.add(handle)
                threading.Thread(target=self._serve, args=(handle,), daemon=True).start()

    def _serve(self, handle: socket.socket) -> None:
        try:
            self._converse(Connection(handle, self._stopping))
        except Gone:
            pass
        finally:
            with self._changed:
                self._open.discard(handle)
                handle.close()
                self._changed.notify_all()


@contextmanager
def running(rules: Iterable[Rules] = (), **options: Any) -> Iterator[Server]:
    """Run a stand-in in this process; options: those of `Options`."""
    server = Server(Options(**options), rules).start()
    try:
        yield server
    finally:
        server.stop()
