"""Puts the rows of better-auth.json into better-auth.sqlite, into the table that better-auth's migrations make."""
import json
import pathlib
import sqlite3

here = pathlib.Path(__file__).parent
(here / "better-auth.sqlite").unlink(missing_ok=True)
rows = json.loads((here / "better-auth.json").read_text())
types = {
    "enabled": "integer", "rateLimitEnabled": "integer", "rateLimitTimeWindow": "integer", "rateLimitMax": "integer",
    "requestCount": "integer", "remaining": "integer", "refillInterval": "integer", "refillAmount": "integer",
    "lastRefillAt": "date", "lastRequest": "date", "expiresAt": "date", "createdAt": "date", "updatedAt": "date",
}
names = ["id"] + sorted({name for row in rows for name in row if name != "id"} | {"permissions"})
database = sqlite3.connect(here / "better-auth.sqlite")
columns = ", ".join(f'"{name}" {types.get(name, "text")}' for name in names)
database.execute(f'CREATE TABLE "apikey" ({columns}, PRIMARY KEY ("id"))')
database.executemany(
    f'INSERT INTO "apikey" VALUES ({", ".join("?" for _ in names)})',
    [[int(row[name]) if isinstance(row.get(name), bool) else row.get(name) for name in names] for row in rows],
)
database.commit()
database.execute("VACUUM")
