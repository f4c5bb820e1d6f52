"""claims_python - the claims that rest on CPython, measured there

Prints a line for each, with a verdict that is decided by what happened.
Needs python3; without aiosqlite the claims about it are not checked.

Run: make claims
"""
import asyncio
import os
import platform
import sqlite3
import statistics
import tempfile
import threading
import time

try:
    import aiosqlite
except ImportError:
    aiosqlite = None

RUNS = 7
READS = 1000
IN_FLIGHT = 64
ROWS = 1000
SQL = "SELECT value FROM t WHERE id = ?"


def show(claim, verdict, text):
    print(f"{claim}: {verdict}\n    {text}")


async def to_thread_example(path):
    """connect() on one thread, execute() on another."""
    db = sqlite3.connect(path)
    try:
        await asyncio.to_thread(db.execute, "SELECT 1")
        show("to-thread-example", "holds", "Another thread may call execute.")
    except sqlite3.ProgrammingError:
        show("to-thread-example", "wrong", "execute raises ProgrammingError.")
    finally:
        db.close()


async def no_threads(path):
    """Counts the threads that two connections bring."""
    before = threading.active_count()
    async with aiosqlite.connect(path) as one:
        async with aiosqlite.connect(path) as two:
            for db in (one, two):
                await db.execute_fetchall("SELECT 1")
            more = threading.active_count() - before
    show("no-threads", "holds" if more == 0 else "wrong",
         f"2 connections of aiosqlite brought {more} threads.")


def check(rows, number):
    if list(rows) != [(number % ROWS,)]:
        raise ValueError(f"read {rows} as value {number % ROWS}")


def read_blocking(path):
    """Returns the reads per second of sqlite3."""
    db = sqlite3.connect(path)
    begin = time.perf_counter()
    for i in range(READS):
        check(db.execute(SQL, (i % ROWS,)).fetchall(), i)
    seconds = time.perf_counter() - begin
    db.close()
    return READS / seconds


async def read_async(path, in_flight):
    """Returns those of aiosqlite with so many in flight, one connection."""
    async with aiosqlite.connect(path) as db:

        async def read(first):
            for i in range(first, READS, in_flight):
                check(await db.execute_fetchall(SQL, (i % ROWS,)), i)

        begin = time.perf_counter()
        await asyncio.gather(*(read(first) for first in range(in_flight)))
        return READS / (time.perf_counter() - begin)


async def async_faster(path):
    """Reads one row at a time from memory, in turns, after a warm-up."""
    one, many = [], []
    for _ in range(RUNS + 1):
        raw = read_blocking(path)
        one.append(raw / await read_async(path, 1))
        many.append(raw / await read_async(path, IN_FLIGHT))
    one, many = one[1:], many[1:]
    faster = min(statistics.median(one), statistics.median(many)) < 1
    show("async-faster", "holds" if faster else "wrong",
         f"aiosqlite is {statistics.median(one):.1f} times slower than sqlite3"
         f" ({min(one):.1f} to {max(one):.1f} in {RUNS} runs),\n    with"
         f" {IN_FLIGHT} in flight {statistics.median(many):.1f} times"
         f" ({min(many):.1f} to {max(many):.1f}).")


async def main():
    library = f", aiosqlite {aiosqlite.__version__}" if aiosqlite else ""
    print(f"In Python: {platform.python_implementation()} "
          f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}"
          f"{library}")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "claims.db")
        db = sqlite3.connect(path)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, value INTEGER)")
        db.executemany("INSERT INTO t VALUES (?, ?)",
                       ((i, i) for i in range(ROWS)))
        db.commit()
        db.close()
        await to_thread_example(path)
        if aiosqlite is None:
            print("not checked: python3 has no aiosqlite "
                  "(Debian: python3-aiosqlite)")
            return
        await no_threads(path)
        await async_faster(path)


asyncio.run(main())
