"""`python -m tests.upstream --port 8900 --delay 2.9 --kilobytes 200 --fixed true`: serve until the process is ended.

Every field of options.Options is an option; --script names a JSON file of rules.
"""

import argparse
import dataclasses
import json
import resource
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tests.upstream.options import Options
from tests.upstream.server import Server

STACK = 256 * 1024
FILES = 65_536
READ: dict[type, Any] = {bool: lambda text: text.lower() in ("1", "true", "yes")}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upstream", description=Options.__doc__)
    for option in dataclasses.fields(Options):
        kind = type(option.default)
        parser.add_argument(f"--{option.name}", type=READ.get(kind, kind), default=option.default)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--until-eof", action="store_true", help="end with whoever holds the other end of stdin")
    told = vars(parser.parse_args())
    script: Path | None = told.pop("script")
    until_eof = told.pop("until_eof")
    threading.stack_size(STACK)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FILES) if most >= 0 else FILES, most))
    server = Server(Options(**told), json.loads(script.read_text()) if script else ()).start()
    if until_eof:
        sys.stdin.read()
    else:
        print(server.origin, flush=True)  # noqa: T201
        signal.pause()


if __name__ == "__main__":
    main()
