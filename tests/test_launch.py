"""`make run` in earnest, and what it says when it cannot start."""

import fcntl
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import cast

import psutil
import pytest
from django.conf import LazySettings
from django.test import Client

from accounts import keys, ledger
from accounts.credits import MICRO
from accounts.models import Team
from config import demo, fingerprint, leftovers, programs
from config import launch as launch_module

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "STORAGE_URL", "PUBLIC_URL", "SECRET_KEY")


class Launch:
    """One `python -m config.launch`, its output in a file."""

    def __init__(self, data_dir: Path, port: int, output: Path, **more: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in SERVERS}
        environment |= {"DATA_DIR": str(data_dir), "PORT": str(port), "COMPUTE_PROCESSES": "1", **more}
        self.output = output
        with output.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.launch"], cwd=ROOT, env=environment, stdout=out, stderr=out
            )

    def text(self) -> str:
        return self.output.read_text()

    def until(self, words: str, seconds: float = 90) -> None:
        until(lambda: words in self.text() or self.process.poll() is not None, seconds, self.text)
        assert words in self.text(), self.text()

    def refusal(self) -> str:
        """Wait for the end; return the one line that was said."""
        assert self.process.wait(60) == 1
        (line,) = self.text().splitlines()
        return line


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "my 100% data"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        chosen: int = probe.getsockname()[1]
        return chosen


@pytest.fixture
def launch(data_dir: Path, port: int, tmp_path: Path) -> Iterator[Callable[..., Launch]]:
    """Start `config.launch`; whatever it leaves is killed after the test."""
    made: list[Launch] = []

    def start(**more: str) -> Launch:
        made.append(Launch(data_dir, port, tmp_path / f"output {len(made)}", **more))
        return made[-1]

    yield start
    for each in made:
        each.process.kill()
        each.process.wait()
    leftovers.end(data_dir / "run" / "pids")


def until(condition: Callable[[], bool], seconds: float, explain: Callable[[], str] = str) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, explain()
        time.sleep(0.05)


def programs_of(data_dir: Path) -> list[psutil.Process]:
    """Return the processes that the launcher has started and that live."""
    pids = [int(file.stem) for file in (data_dir / "run" / "pids").glob("*.pid")]
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    return answer.status, answer.read()


@pytest.mark.workers
def test_it_starts_heals_survives_a_kill_and_leaves_nothing(
    launch: Callable[..., Launch], data_dir: Path, port: int
) -> None:
    first = launch()
    first.until("Sceneshift is ready")
    account = demo.read(data_dir / "demo.txt")
    assert account
    assert all(word in first.text() for word in (account.email, account.password, account.key, "curl http://127"))
    private = [data_dir / name for name in ("demo.txt", "sceneshift.sqlite3", "secret_key")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    # The other web process may have looked a moment too early, which it says again for a quarter of a second.
    until(lambda: json.loads(get(port, "/readyz")[1])["status"] == "ok", 2.0)

    network = next(each for each in programs_of(data_dir) if "network" in each.cmdline())
    network.kill()
    first.until("network ended by itself and is started again")
    until(lambda: any("network" in each.cmdline() for each in programs_of(data_dir) if each != network), 60)

    left = programs_of(data_dir)
    first.process.kill()
    first.process.wait()
    assert [each for each in left if each.is_running()], "the launcher alone was killed"
    second = launch()
    second.until("Sceneshift is ready")
    assert "had left behind" in second.text()
    assert "Preparing" not in second.text()
    assert not [each for each in left if each.is_running()]

    running = [child for each in programs_of(data_dir) for child in (each, *each.children(recursive=True))]
    assert len(running) >= 7
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(40) == 0
    assert second.text().rstrip().endswith("Stopped.")
    assert not [each for each in running if each.is_running()]
    assert list((data_dir / "run" / "pids").iterdir()) == []


def test_a_taken_port(launch: Callable[..., Launch], port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        line = launch().refusal()
    assert line == f"sceneshift: port {port} of 127.0.0.1 is taken; choose another: PORT={port + 1} make run"


def test_a_folder_that_cannot_be_written_to(launch: Callable[..., Launch], data_dir: Path) -> None:
    data_dir.write_text("a file in its place")
    assert f"DATA_DIR {data_dir} can't be written to" in launch().refusal()


def test_a_folder_that_another_start_uses(launch: Callable[..., Launch], data_dir: Path) -> None:
    (data_dir / "run").mkdir(parents=True)
    with (data_dir / "run" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        assert launch().refusal() == f"sceneshift: DATA_DIR {data_dir} is in use by process 4711; stop it first"


def test_a_setting_that_is_wrong(launch: Callable[..., Launch]) -> None:
    assert launch(LINK_SECONDS="ten").refusal() == "sceneshift: LINK_SECONDS='ten' is not a whole number"


def test_a_preparation_that_died_in_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = subprocess.CompletedProcess([], -9, stdout="", stderr="")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: killed)
    (tmp_path / "logs").mkdir()
    given = SimpleNamespace(DATA_DIR=tmp_path, STATIC_ROOT=tmp_path, DATABASES={"default": {"ENGINE": "postgresql"}})
    with pytest.raises(launch_module.Refused, match=r"the preparation ended with -9, silently \(more in "):
        launch_module._prepare(cast(ModuleType, given))


def test_the_demo_key_is_private_whatever_it_was(tmp_path: Path) -> None:
    file = tmp_path / "demo.txt"
    demo.tighten(file)
    file.write_text("")
    file.chmod(0o644)
    demo.tighten(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    demo.write(file, demo.Demo("e", "p", "k"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_database_that_is_not_there(launch: Callable[..., Launch], port: int) -> None:
    started = launch(DATABASE_URL=f"postgres://me:secret@127.0.0.1:{port}/x")
    assert started.process.wait(60) == 1
    last = started.text().splitlines()[-1]
    assert last.startswith("sceneshift: the database (postgresql) cannot be used: ")
    assert "secret" not in last


def test_only_what_was_recorded_and_is_ours_is_ended(tmp_path: Path) -> None:
    def start(mark: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", mark], start_new_session=True)

    recorded, foreign, unrecorded = start("config.worker"), start("somebody's"), start("config.worker")
    try:
        leftovers.record(tmp_path, recorded.pid)
        leftovers.record(tmp_path, foreign.pid)
        assert leftovers.end(tmp_path) == 1
        assert not psutil.pid_exists(recorded.pid)
        assert (foreign.poll(), unrecorded.poll()) == (None, None)
        assert list(tmp_path.iterdir()) == []
    finally:
        for each in (recorded, foreign, unrecorded):
            each.kill()
            each.wait()


def test_every_program_is_kept_alive_and_logs_where_it_should(tmp_path: Path) -> None:
    odd = tmp_path / "50% of 'my' data"
    odd.mkdir()
    file = tmp_path / "supervisor.conf"
    file.write_text(programs.configuration(odd, odd))
    options = programs._Options(lambda pid: None)
    options.realize(["-c", str(file)])
    (group,) = options.process_group_configs
    kept = {each.name: each for each in group.process_configs}
    assert set(kept) == {"web", "network", "compute", "control", "webhooks", "beat"}
    for name, each in kept.items():
        assert each.stdout_logfile == str(odd / f"{name}.log")
        assert each.killasgroup
        assert each.startretries > 1000
    assert kept["compute"].command.endswith("-m config.worker compute")


def test_more_workers_for_the_network_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.settings.NETWORK_PROCESSES", 3)
    workers = [each for each in programs.programs(tmp_path) if "network" in each.arguments]
    assert [each.name for each in workers] == ["network", "network2", "network3"]
    assert [each.arguments[3:] for each in workers] == [("network",), ("network", "2"), ("network", "3")]


def test_a_fingerprint_tells_every_change(tmp_path: Path) -> None:
    migrations = tmp_path / "accounts" / "migrations"
    migrations.mkdir(parents=True)
    (tmp_path / "requirements.txt").write_text("django==5.2")
    (tmp_path / "static").mkdir()
    database, collected = tmp_path / "db.sqlite3", tmp_path / "collected"
    collected.mkdir()

    def both() -> tuple[str, str]:
        return fingerprint.of_migrations(tmp_path, database), fingerprint.of_static(tmp_path, collected)

    before = both()
    assert both() == before
    (migrations / "0001_initial.py").write_text("first")
    migrated = both()
    assert migrated[0] != before[0]
    assert migrated[1] == before[1]
    (tmp_path / "static" / "a.css").write_text("a {}")
    styled = both()
    assert styled[1] != migrated[1]
    (collected / "staticfiles.json").write_text("{}")
    assert both()[1] != styled[1]
    database.write_text("not a database")
    assert both()[0] != migrated[0]


@pytest.mark.django_db
def test_the_demo_team_is_made_once_and_can_sign_in(settings: LazySettings, tmp_path: Path, client: Client) -> None:
    settings.DATA_DIR = tmp_path
    demo.create_once()
    account = demo.read(tmp_path / "demo.txt")
    assert account
    actor = keys.authenticate(account.key)
    assert actor
    assert ledger.balance(actor.team_id).available == demo.CREDITS * MICRO
    client.post("/accounts/login/", {"login": account.email, "password": account.password})
    assert "_auth_user_id" in client.session
    assert client.get("/engines").status_code == 200
    demo.create_once()
    assert Team.objects.count() == 1
    assert demo.read(tmp_path / "demo.txt") == account
    assert demo.read(tmp_path / "none.txt") is None
