"""`python -m tests.chaos`: a round for each seed, one table, and exit status 1 where a promise was broken."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.chaos import servers, table
from tests.chaos.options import Round
from tests.chaos.rabbitmq import RabbitMQ
from tests.servers import RABBITMQ, free_port

SECONDS_PER_JOB = 0.5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Break things while jobs run.")
    parser.add_argument("--seeds", type=int, default=10, help="how many rounds (default: 10)")
    parser.add_argument("--first", type=int, default=1, help="the first round's seed; --first 7 --seeds 1 repeats it")
    parser.add_argument("--jobs", type=int, default=80, help="in each round (default: 80)")
    parser.add_argument("--deadline", type=int, default=45, help="JOB_DEADLINE, in seconds (default: 45)")
    parser.add_argument("--broker", choices=["redis", "rabbitmq", "folder"], default="redis")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--naive", action="store_true", help="with a worker that does without claims; must fail")
    given = parser.parse_args()
    if given.naive and given.broker == "folder":
        parser.error("--naive needs a broker that repeats messages: redis or rabbitmq")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end in good order: databases and processes go with us
    folder = Path(tempfile.mkdtemp(prefix="sceneshift-chaos-"))
    rows = []
    with servers.databases(given.database, folder) as databases:
        for seed in range(given.first, given.first + given.seeds):
            with databases.fresh() as url:
                rows.append(_round(_told(given, seed, folder / f"seed-{seed}"), url))
    print(f"\n{table.render(rows)}\n")
    broken = [f"seed {row['seed']}: {promise}" for row in rows for promise in row["broken"]]
    if broken:
        print("\n".join(["Broken:", *broken]))
        sys.exit(1)
    shutil.rmtree(folder, ignore_errors=True)
    print("Every promise was kept.")


def _told(given: argparse.Namespace, seed: int, folder: Path) -> Round:
    behind = os.environ.get("RABBITMQ_URL", RABBITMQ) if given.broker == "rabbitmq" else ""
    port = free_port()
    urls = {
        "redis": f"redis://127.0.0.1:{port}/0",
        "rabbitmq": RabbitMQ(behind, port).url,
        "folder": "filesystem://localhost",
    }
    return Round(
        seed=seed,
        jobs=given.jobs,
        seconds=given.jobs * SECONDS_PER_JOB,
        deadline=given.deadline,
        port=free_port(),
        broker=given.broker,
        broker_url=urls[given.broker],
        behind=behind,
        folder=folder,
        naive=given.naive,
    )


def _round(told: Round, database_url: str) -> Mapping[str, Any]:
    """Play it in a process of its own, whose settings it needs; print and return what came out."""
    told.folder.mkdir()
    command = [sys.executable, "-m", "tests.chaos.inside.round", told.text()]
    environment = {**os.environ, **told.environment(database_url), "DJANGO_SETTINGS_MODULE": "config.settings"}
    print(f"seed {told.seed} … {told.folder / 'events.jsonl'}", flush=True)
    with (told.folder / "round.log").open("w") as log:
        process = subprocess.Popen(command, cwd=servers.ROOT, env=environment, stdout=log, stderr=log)
        try:
            status = process.wait()
        finally:
            process.terminate()  # it ends its own processes
            process.wait()
    if status:
        sys.exit(f"The round itself failed: {told.folder / 'round.log'}")
    row: Mapping[str, Any] = json.loads((told.folder / "result.json").read_text())
    print("\n".join(row["broken"]) or "kept", flush=True)
    if not row["broken"]:
        shutil.rmtree(told.folder)
    return row


if __name__ == "__main__":
    main()
