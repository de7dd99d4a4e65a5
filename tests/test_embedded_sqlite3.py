"""The embedded database's backend: connections that are used again but never in a doubtful state, and writers that
take turns, whoever of them dies."""

import fcntl
import multiprocessing
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from config import database as signs_of_life
from config.embedded_sqlite3 import pool
from config.embedded_sqlite3.base import TRY_SECONDS
from config.embedded_sqlite3.writing import Turn

SPAWN = multiprocessing.get_context("spawn")
OPTIONS = {
    "pool": True,
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
}


def open_at(file: Path, **options: Any) -> ConnectionHandler:
    """Return what gives each thread its connection to a file, made here if there is none."""
    file.touch()
    return ConnectionHandler(
        {"default": {"ENGINE": "config.embedded_sqlite3", "NAME": str(file), "OPTIONS": {**OPTIONS, **options}}}
    )


@pytest.fixture(autouse=True)
def _allowed(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let these tests use a database, their own and none of the project's."""
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def database(tmp_path: Path) -> ConnectionHandler:
    made = open_at(tmp_path / "db.sqlite3")
    run(made, "CREATE TABLE counts (n integer)")
    run(made, "INSERT INTO counts VALUES (0)")
    return made


def run(database: ConnectionHandler, statement: str) -> Any:
    with database["default"].cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@contextmanager
def transaction(database: ConnectionHandler) -> Iterator[None]:
    """As atomic does it, which knows the project's own databases only."""
    wrapper = database["default"]
    wrapper.set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    try:
        yield
    except BaseException:
        wrapper.rollback()
        raise
    else:
        wrapper.commit()
    finally:
        wrapper.set_autocommit(True)


def raw(database: ConnectionHandler) -> sqlite3.Connection:
    database["default"].ensure_connection()
    found: sqlite3.Connection = database["default"].connection
    return found


def close(database: ConnectionHandler) -> None:
    database["default"].close()


# --- connections --------------------------------------------------------------------------------------------


def test_a_closed_connection_is_used_again_by_whoever_comes_next(database: ConnectionHandler) -> None:
    first = raw(database)
    close(database)
    with ThreadPoolExecutor(1) as other:
        assert other.submit(raw, database).result() is first
    assert raw(database) is not first, "it is in use there"


def test_one_that_failed_is_not(database: ConnectionHandler) -> None:
    first = raw(database)
    with pytest.raises(DatabaseError):
        run(database, "SELECT nothing")
    close(database)
    assert raw(database) is not first


def test_one_in_a_transaction_is_not_and_what_it_did_is_undone(database: ConnectionHandler) -> None:
    first = raw(database)
    run(database, "BEGIN IMMEDIATE")
    run(database, "UPDATE counts SET n = 1")
    close(database)
    assert raw(database) is not first
    assert run(database, "SELECT n FROM counts") == [(0,)]
    run(database, "UPDATE counts SET n = 2")


def test_without_the_option_it_is_closed(database: ConnectionHandler) -> None:
    apart = open_at(Path(database.settings["default"]["NAME"]), pool=False)
    first = raw(apart)
    close(apart)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        first.execute("SELECT 1")


def test_a_file_put_in_its_place_is_found(database: ConnectionHandler, tmp_path: Path) -> None:
    backup = open_at(tmp_path / "backup.sqlite3", pool=False)
    run(backup, "CREATE TABLE counts (n integer)")
    run(backup, "INSERT INTO counts VALUES (7)")
    close(backup)
    close(database)
    for rest in ("-wal", "-shm"):
        (tmp_path / f"db.sqlite3{rest}").unlink(missing_ok=True)
    (tmp_path / "backup.sqlite3").rename(tmp_path / "db.sqlite3")
    assert run(database, "SELECT n FROM counts") == [(7,)]


def test_what_is_wrong_with_a_file_that_cannot_be_opened_is_left_to_sqlite(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    nowhere = open_at(tmp_path / "folder" / "db.sqlite3")
    (tmp_path / "folder" / "db.sqlite3").unlink()
    (tmp_path / "folder").rmdir()
    with pytest.raises(OperationalError, match="unable to open"):
        run(nowhere, "SELECT 1")


def test_a_forked_child_has_no_connection_of_its_parent_and_a_turn_of_its_own(database: ConnectionHandler) -> None:
    first = raw(database)
    close(database)
    child = os.fork()
    if not child:
        is_right = False
        try:
            with transaction(database):
                run(database, "UPDATE counts SET n = n + 1")
            is_right = raw(database) is not first
        finally:
            os._exit(not is_right)
    assert os.waitpid(child, 0)[1] == 0
    with transaction(database):
        run(database, "UPDATE counts SET n = n + 1")
    assert run(database, "SELECT n FROM counts") == [(2,)]


@pytest.mark.parametrize("does", ["SELECT n FROM counts", "UPDATE counts SET n = 1"])
def test_r5_a_child_forked_while_a_sign_of_life_is_written_can_write(
    database: ConnectionHandler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """As billiard forks: in a thread, while the heartbeat has one of its own."""
    monkeypatch.setattr(signs_of_life, "connection", database["default"])
    is_open, forked = threading.Event(), threading.Event()

    def beat() -> None:
        with signs_of_life.direct_connection() as direct, direct.cursor() as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(does)
            is_open.set()
            forked.wait(0.5)  # it must not be, and how long that goes on is of no account
            cursor.execute("COMMIT")

    def fork() -> int:
        child = os.fork()
        if not child:
            try:
                own = sqlite3.connect(tmp_path / "db.sqlite3", timeout=5, isolation_level=None)
                own.execute("UPDATE counts SET n = 7")
                os._exit(0)
            finally:
                os._exit(1)
        forked.set()
        return child

    close(database)
    with ThreadPoolExecutor(2) as threads:
        beating = threads.submit(beat)
        assert is_open.wait(20)
        child = threads.submit(fork).result(20)
        beating.result(20)
    assert os.waitpid(child, 0)[1] == 0
    assert run(database, "SELECT n FROM counts") == [(7,)]


def test_a_process_that_has_a_sign_of_life_open_can_fork_in_the_same_thread(
    database: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signs_of_life, "connection", database["default"])
    with signs_of_life.direct_connection():
        child = os.fork()
        if not child:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with ThreadPoolExecutor(1) as other, signs_of_life.direct_connection() as direct:
        direct.ensure_connection()
        direct.close()
        assert not other.submit(signs_of_life._sqlite.acquire, blocking=False).result(20)


# --- turns --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_alone", [True, False], ids=["statement by itself", "transaction"])
def test_who_writes_waits_for_the_turn_and_who_reads_does_not(database: ConnectionHandler, is_alone: bool) -> None:
    done = threading.Event()

    def write() -> None:
        if is_alone:
            run(database, "UPDATE counts SET n = n + 10")
        else:
            with transaction(database):
                run(database, "UPDATE counts SET n = n + 10")
        done.set()

    with ThreadPoolExecutor(2) as others:
        with transaction(database):
            writing = others.submit(write)
            assert others.submit(run, database, "SELECT n FROM counts").result(20) == [(0,)]
            run(database, "UPDATE counts SET n = n + 1")
            assert not done.is_set()
        writing.result(20)
    assert run(database, "SELECT n FROM counts") == [(11,)]


def test_a_turn_is_one_write_and_a_read_needs_none(
    database: ConnectionHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[bool] = []
    take = Turn.take

    def counted(turn: Turn, seconds: float) -> bool:
        taken.append(True)
        return take(turn, seconds)

    monkeypatch.setattr(Turn, "take", counted)
    run(database, "SELECT n FROM counts")
    assert len(taken) == 0
    run(database, "UPDATE counts SET n = 1")
    assert len(taken) == 1
    with transaction(database):
        run(database, "UPDATE counts SET n = 2")
        run(database, "UPDATE counts SET n = 3")
    assert len(taken) == 2


def test_a_failure_gives_the_turn_up(database: ConnectionHandler) -> None:
    with pytest.raises(ZeroDivisionError), transaction(database):
        raise ZeroDivisionError
    with pytest.raises(DatabaseError):
        run(database, "UPDATE nothing SET n = 1")
    database["default"].set_autocommit(False, force_begin_transaction_with_broken_autocommit=True)
    close(database)
    with ThreadPoolExecutor(1) as other:
        other.submit(run, database, "UPDATE counts SET n = 1").result(20)


def test_who_waits_too_long_is_told_so(tmp_path: Path) -> None:
    database = open_at(tmp_path / "db.sqlite3", timeout=0.05)
    run(database, "CREATE TABLE counts (n integer)")
    with ThreadPoolExecutor(1) as other, transaction(database):
        for statement in ("INSERT INTO counts VALUES (1)", "BEGIN IMMEDIATE"):
            with pytest.raises(OperationalError, match="database is locked"):
                other.submit(run, database, statement).result(20)


def test_who_cannot_write_yet_gives_others_their_turn_meanwhile(
    database: ConnectionHandler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    take = Turn.take

    def noted(turn: Turn, seconds: float) -> bool:
        has_turn = take(turn, seconds)
        asked.set()
        return has_turn

    found = pool.of(str(tmp_path / "db.sqlite3"))
    assert found is not None
    rude = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
    rude.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor(1) as other, monkeypatch.context() as patched:
        patched.setattr(Turn, "take", noted)
        writing = other.submit(run, database, "UPDATE counts SET n = n + 1")
        try:
            assert asked.wait(20)
            has_turn = take(found.turn, 10)
        finally:
            rude.execute("ROLLBACK")
        assert has_turn
        found.turn.give()
        writing.result(20)
    assert run(database, "SELECT n FROM counts") == [(1,)]


def test_who_reads_while_sqlite_lets_nobody_waits_as_long_as_it_may(tmp_path: Path) -> None:
    database = open_at(tmp_path / "db.sqlite3", init_command="")  # without WAL, so that a writer keeps readers out
    run(database, "CREATE TABLE counts (n integer)")
    alone = sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)
    with ThreadPoolExecutor(1) as other:
        other.submit(raw, database).result(20)
        alone.execute("BEGIN EXCLUSIVE")
        reading = other.submit(run, database, "SELECT n FROM counts")
        time.sleep(3 * TRY_SECONDS)
        alone.close()
        assert reading.result(20) == []


@pytest.mark.parametrize("is_alone", [True, False], ids=["statement by itself", "transaction"])
def test_a_process_that_was_stopped_in_its_turn_does_not_keep_others_from_writing(
    database: ConnectionHandler, tmp_path: Path, is_alone: bool
) -> None:
    hasty = open_at(tmp_path / "db.sqlite3", timeout=2)

    def write() -> None:
        if is_alone:
            run(hasty, "UPDATE counts SET n = n + 1")
        else:
            with transaction(hasty):
                run(hasty, "UPDATE counts SET n = n + 1")

    stopped = os.open(tmp_path / "db.sqlite3-turn", os.O_RDWR)
    with ThreadPoolExecutor(2) as others:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        try:
            for ended in [others.submit(write) for _ in range(2)]:
                ended.result(20)
        finally:
            os.close(stopped)
    assert run(database, "SELECT n FROM counts") == [(2,)]


def count_up(file: Path, times: int) -> None:
    database = open_at(file)
    for _ in range(times):
        with transaction(database):
            ((n,),) = run(database, "SELECT n FROM counts")
            run(database, f"UPDATE counts SET n = {n + 1}")
        close(database)


def test_processes_and_threads_that_write_at_once_lose_nothing(database: ConnectionHandler, tmp_path: Path) -> None:
    file = tmp_path / "db.sqlite3"
    others = [SPAWN.Process(target=count_up, args=(file, 100)) for _ in range(2)]
    for process in others:
        process.start()
    with ThreadPoolExecutor(4) as threads:
        for ended in [threads.submit(count_up, file, 50) for _ in range(4)]:
            ended.result(60)
    for process in others:
        process.join(60)
    assert [process.exitcode for process in others] == [0, 0]
    assert run(database, "SELECT n FROM counts") == [(400,)]


def keep_the_turn(file: Path, said: Path) -> None:
    database = open_at(file)
    with transaction(database):
        run(database, "UPDATE counts SET n = 99")
        said.touch()
        time.sleep(600)


def test_a_killed_writer_leaves_neither_its_turn_nor_its_work(database: ConnectionHandler, tmp_path: Path) -> None:
    said = tmp_path / "said"
    writer = SPAWN.Process(target=keep_the_turn, args=(tmp_path / "db.sqlite3", said), daemon=True)
    writer.start()
    give_up = time.monotonic() + 60
    while not said.exists():
        assert time.monotonic() < give_up
        time.sleep(0.01)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(run, database, "UPDATE counts SET n = n + 1")
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        waiting.result(20)
    assert run(database, "SELECT n FROM counts") == [(1,)]


def test_the_turn_is_private(tmp_path: Path) -> None:
    Turn(tmp_path / "turn")
    assert (tmp_path / "turn").stat().st_mode & 0o777 == 0o600
