"""A stand-in of the hosted API: what it answers, what it charges, and every way in which it has been seen to fail.

In the test's own process (jobs and bills outlive an outage):

    with upstream.running(delay=0.1) as server:
        server.script({"fault": "drip_body", "on": ["status"], "word": "@drip", "bytes_per_second": 5})
        … server.origin … server.stop() … server.start() … server.submits() …

In a process of its own: `upstream.spawned(…)`, or by hand `python -m tests.upstream --port 8900 --delay 2.9`; then
`upstream.Remote("http://127.0.0.1:8900")` asks and steers it over `GET /-/report` and `POST /-/script`.

rules.py says which calls a fault hits, faults.py which faults there are, options.py what else can be told.
"""

from tests.upstream.account import job_key
from tests.upstream.control import Control, Remote
from tests.upstream.faults import FATES, FAULTS
from tests.upstream.options import KEY, Options
from tests.upstream.process import Process, spawned
from tests.upstream.rules import Rule, RuleError
from tests.upstream.server import Server, running

__all__ = [
    "FATES",
    "FAULTS",
    "KEY",
    "Control",
    "Options",
    "Process",
    "Remote",
    "Rule",
    "RuleError",
    "Server",
    "job_key",
    "running",
    "spawned",
]
