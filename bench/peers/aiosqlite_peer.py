"""aiosqlite_peer - the workloads of the benchmark through aiosqlite

Called by bench: WORKLOAD FILE CLIENTS MILLISECONDS OPERATIONS ITEMS. Runs
until the time is up, or so many operations; 0 milliseconds mean no time limit.
Prints the operations, the sum of their answers, and the nanoseconds.

    python3 bench/peers/aiosqlite_peer.py --version
"""
import asyncio
import platform
import sqlite3
import sys
import time

import aiosqlite

CHUNK = 1000
SPREAD = 2654435761  # as in operations.c

READ = "SELECT value FROM items WHERE id = ?"
INSERT = "INSERT INTO log (value) VALUES (1)"
STREAM = "SELECT id, value FROM numbers ORDER BY id"


class Box:
    def __init__(self, milliseconds, operations):
        self.limit = operations
        self.asked = self.answered = self.sum = 0
        self.begin = time.perf_counter_ns()
        self.end = self.begin + milliseconds * 1000000 if milliseconds else None

    def ask(self):
        """The number of the next operation, or None when the box is over."""
        if self.asked >= self.limit:
            return None
        if self.end is not None and time.perf_counter_ns() >= self.end:
            return None
        self.asked += 1
        return self.asked - 1

    def answer(self, value):
        self.answered += 1
        self.sum += value


async def read_items(db, box, clients, items):
    async def client():
        while (number := box.ask()) is not None:
            row = number * SPREAD % items + 1
            for (value,) in await db.execute_fetchall(READ, (row,)):
                box.answer(value)

    await asyncio.gather(*(client() for _ in range(clients)))


async def insert_rows(db, box, clients, items):
    async def client():
        while box.ask() is not None:
            await db.execute_insert(INSERT)  # it commits by itself
            box.answer(1)

    await asyncio.gather(*(client() for _ in range(clients)))


async def stream_numbers(db, box, clients, items):
    async with db.execute(STREAM) as cursor:
        while box.ask() is not None:
            rows = await cursor.fetchmany(CHUNK)
            box.answer(sum(number + value for number, value in rows))


WORKLOADS = {
    "read-64": read_items,
    "commit-64-normal": insert_rows,
    "stream": stream_numbers,
}


async def main(workload, path, clients, milliseconds, operations, items):
    async with aiosqlite.connect(path, isolation_level=None) as db:
        await db.execute("PRAGMA synchronous = NORMAL")
        await db.execute("PRAGMA cache_size = -40000")
        if workload == "read-64":
            await db.execute_fetchall("SELECT sum(value) FROM items")
        box = Box(milliseconds, operations)
        await WORKLOADS[workload](db, box, clients, items)
        print(box.answered, box.sum, time.perf_counter_ns() - box.begin)


if sys.argv[1:] == ["--version"]:
    print(f"aiosqlite {aiosqlite.__version__}, CPython "
          f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}")
else:
    asyncio.run(main(*sys.argv[1:3], *map(int, sys.argv[3:])))
