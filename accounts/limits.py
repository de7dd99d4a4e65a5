"""Rate limits per API key: submits in a fixed window of a minute, exact across processes and machines.

With Redis a counter there is added to and read in one step; without, one conditional upsert on a row does the
same. Where Redis fails, the row takes over and begins at nothing, so that a submit survives; a window in which that
happens may let up to twice the limit through.
"""

import logging
import threading
import time
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import connection, transaction
from limits.storage import RedisStorage
from redis import BlockingConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from accounts.access import Parent

WINDOW = 60
"""seconds"""
TIMEOUT = 0.3
"""seconds to wait for Redis to connect, and to answer"""
PAUSE = 5.0
"""seconds until Redis is tried again after it failed"""
log = logging.getLogger(__name__)

COUNT_HIT = """
INSERT INTO accounts_ratewindow AS rate (name, window_start, count) VALUES (%(name)s, %(start)s, 1)
ON CONFLICT (name) DO UPDATE SET
    count = CASE WHEN rate.window_start < EXCLUDED.window_start THEN 1 ELSE rate.count + 1 END,
    window_start = CASE WHEN rate.window_start < EXCLUDED.window_start
        THEN EXCLUDED.window_start ELSE rate.window_start END
WHERE rate.window_start < EXCLUDED.window_start OR rate.count < %(limit)s
RETURNING count
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a hit was let through; `remaining` hits are left for the next `reset_seconds`."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int

    @property
    def room(self) -> int:
        """What is left, less than nothing where it was refused."""
        return self.remaining if self.allowed else -1


class _Outage:
    """Whether Redis failed a moment ago; then one thread in PAUSE seconds tries it again, and no other waits for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.next_try: float | None = None

    def is_left_alone(self) -> bool:
        if self.next_try is None:
            return False
        with self.lock:
            if self.next_try is None or time.monotonic() >= self.next_try:
                self.next_try = time.monotonic() + PAUSE
                return False
            return True

    def begin(self, error: RedisError) -> None:
        with self.lock:
            is_new = self.next_try is None
            self.next_try = time.monotonic() + PAUSE
        if is_new:
            log.warning("Redis failed (%s): rate limits are counted in the database until it answers", error)

    def end(self) -> None:
        if self.next_try is None:
            return
        with self.lock:
            self.next_try = None
        log.info("Redis answers again: rate limits are counted there")


_outage = _Outage()


def hit(key_id: int, own: int | None = None, *, parent: Parent | None = None) -> Decision | None:
    """Count one submit of a key against its `own` limit, where it has one, and at most settings.RATE_LIMIT; then, where
    it is let through, against that of its `parent` too. Return the narrower decision.

    None where there is no limit: the setting is 0 and the key has none. Call it outside transactions: a hit rolled
    back would not have been counted.
    """
    decision = _hit(key_id, own)
    if parent is None or (decision and not decision.allowed):
        return decision
    parents = _hit(parent.key_id, parent.rate_limit)
    return min((each for each in (decision, parents) if each), key=lambda each: each.room, default=None)


def _hit(key_id: int, own: int | None) -> Decision | None:
    limit = min((each for each in (own, settings.RATE_LIMIT) if each), default=0)
    if not limit:
        return None
    return count(f"submit:{key_id}", limit)


def count(name: str, limit: int) -> Decision:
    """Count one hit of whatever `name` stands for against its limit a minute. Call it outside transactions."""
    now = time.time()
    start = int(now) // WINDOW * WINDOW
    count = _count(name, start, limit)
    return Decision(count <= limit, limit, max(limit - count, 0), max(start + WINDOW - int(now), 1))


def _count(name: str, start: int, limit: int) -> int:
    if settings.REDIS_URL and not _outage.is_left_alone():
        try:
            count = _count_in_redis(settings.REDIS_URL, name, start)
        except RedisError as error:
            _outage.begin(error)
        else:
            _outage.end()
            return count
    return _count_in_database(name, start, limit)


def _count_in_redis(url: str, name: str, start: int) -> int:
    return _storage(url).incr(f"rate:{name}:{start}", WINDOW * 2)


@cache
def _storage(url: str) -> RedisStorage:
    """One for the process, with a connection for each thread; redis-py's own pool refuses the 101st.

    A connection that died while it was idle is replaced at once; an answer that is late is not waited for again.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=settings.WEB_THREADS,
        timeout=5,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
    )
    return RedisStorage(url, connection_pool=pool)


def _count_in_database(name: str, start: int, limit: int) -> int:
    """The hits of the window with this one; above `limit` where it was refused.

    By itself the statement would keep SQLite's lock until its row has been read, but not the turn (embedded_sqlite3).
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(COUNT_HIT, {"name": name, "start": start, "limit": limit})
        rows = cursor.fetchall()
    return int(rows[0][0]) if rows else limit + 1
