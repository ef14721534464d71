"""Write ``docs/bi.md`` from the definitions of the views: ``make docs``."""

from __future__ import annotations

from pathlib import Path

from features.store.view_types import View
from features.store.views import VIEWS

PAGE = Path(__file__).with_name("bi.md")

_HEAD = """\
# For BI tools

Metabase, Power BI, Superset, Grafana or a notebook read the SQL views below, straight from the store. They are a
promise: columns are added, never renamed or removed. The tables behind them are not. This page is made of the views'
definitions by `make docs`, and a test compares the two; `nba views list --json` prints the same. PostgreSQL
has the words below as comments on views and columns, which most tools show.

## Connecting

**PostgreSQL.** Make a role and let it read the views, and nothing else:

```sql
CREATE ROLE metabase LOGIN PASSWORD '...';
```

```sh
nba views grant metabase            # prints the statements and runs them; with --print it only prints them
```

```sql
GRANT USAGE ON SCHEMA "public" TO "metabase";
GRANT SELECT ON "public"."v_next_best_action" TO "metabase";
```

and so on for each view. The role reads no table and writes nothing. Up to PostgreSQL 14 everybody may make tables in
the schema `public`: `REVOKE CREATE ON SCHEMA public FROM PUBLIC` ends that. When a new version of nba changes a view,
whoever could read it still can; run the command again for views that are new. A view that views of yours stand on is
left as it is where its columns would change: drop yours, open the store (`nba views list`), and make yours again.

**SQLite.** Open the file read-only, with the URL `file:nba.db?mode=ro` (in SQLAlchemy's words
`sqlite:///file:nba.db?mode=ro&uri=true`), as a user of the system who may not write to it. SQLite has no roles:
whoever may read the file may read the tables, too, and with them what partners keep. Give the file to nobody who may
not see that. Beside the file lie its `-wal` and `-shm`, which readers need, too: who may not write to the folder can
open it only while the service has it open.

## Who is in them

What [partners' terms](owner.md#what-you-see) do not show you is in no view: not a contact, not its name, and not its
decisions among counts, because two counts tell by their difference. Of a contact whose partner shows parts of it, the
rest is null. Views cannot know the terms in `nba.toml`, nor who is one contact with whom, so both are put down in the
store: by `nba score` every night, by `nba views refresh`, and by a running service, which sees to it where a day has
gone by since, and within minutes where partners' terms were changed, begin or end. Until then

- a contact or visitor who is new is in no view (`v_data_quality` counts refused rows and pending outcomes of
  everybody: they have no contact yet);
- whoever gets another partner, account or owner, is linked or split, or whose partner's terms change, is hidden at
  once, with all its identities, and comes back with the next refresh, as far as it may;
- where an agreement with a partner begins or ends, its contacts are hidden from that moment until the next refresh.

Account, owner and partner are those of the last refresh. [Exports](integrator.md#exports) go by the same list.

## Counts of the past

The table `figures` (`name`, `at` in microseconds, `body` in JSON) has what was counted over everybody as of a moment,
and needs a grant of its own: `scored` by every `nba score`, `pipeline_7d` by [`nba pipeline`](commands.md#learn), week
by week. Contacts that partners keep are in none. The form of `body` may grow.

## Times

Every time stands there twice: as the database's time in a column `..._at` (PostgreSQL: `timestamp with time zone`;
SQLite: ISO 8601 text in UTC such as `2026-11-21T10:00:00.000000Z`) and as whole microseconds since 1970 in `..._us`,
which is what the store keeps and what an index knows. Days are days in UTC. No column holds JSON.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *map(_section, VIEWS)])


def _section(view: View) -> str:
    rows = [f"| `{each.name}` | {each.type} | {each.means} |" for each in view.columns]
    head = ["", f"## {view.name}", "", f"One row: {view.row[0].lower()}{view.row[1:]}", "", view.notes, ""]
    return "\n".join([*head[1:], "| column | holds | means |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
