"""A reader as a state would run it: changes and the cursor behind them go into one transaction of its own database.

``python states_reader.py URL CLIENT KEY DATABASE STOP``: ends when the file STOP is there and nothing is left to read.
"""

import sqlite3
import sys
from pathlib import Path

from tandem_states import Client


def main(url: str, client_id: str, key: Path, database: Path, stop: Path) -> None:
    store = sqlite3.connect(database, isolation_level=None)
    store.execute("CREATE TABLE IF NOT EXISTS change (revision, state, entity, cohort, payer, category, month, cents)")
    store.execute("CREATE TABLE IF NOT EXISTS place (cursor)")
    kept = store.execute("SELECT cursor FROM place").fetchone()
    with Client(url, client_id, key) as tandem:
        for page in tandem.pages(kept[0] if kept else None, wait=0.05, limit=7):
            finished = stop.exists()
            store.execute("BEGIN")
            store.executemany(
                "INSERT INTO change VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (c.revision, c.state, c.entity_id or "", c.cohort, c.payer, c.category, c.month, c.cents)
                    for c in page.changes
                ],
            )
            store.execute("DELETE FROM place")
            store.execute("INSERT INTO place VALUES (?)", (page.cursor,))
            store.execute("COMMIT")
            print("page", flush=True)  # noqa: T201 - whoever kills it waits for this
            if finished and not page.changes:
                return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(Path, sys.argv[3:6]))
