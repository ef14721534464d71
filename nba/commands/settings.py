"""``nba settings``: what is in force over the file, who published what and why, and writing it into the file."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING, Any

from nba.output import Output

if TYPE_CHECKING:
    from nba.settings import Settings
    from nba.settings.changes import Change

_EXAMPLE = """\
examples:
  nba settings show
  nba settings versions --json
  nba settings export

What is published on the page Rules is kept in the store, as versions over nba.toml; every command and every service
reads them. `export` writes them into the file, comments and order kept; nba.toml.bak is the file before."""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.description = "Show what was published over nba.toml, and write it into the file."
    parser.epilog = _EXAMPLE
    parser.add_argument(
        "what",
        choices=["show", "versions", "export"],
        help="show what is in force otherwise than in the file, list every version, or write what is in force into it",
    )
    parser.add_argument("--json", action="store_true", help="write nothing but JSON to stdout")


def run(args: argparse.Namespace, out: Output) -> int:
    """Do one of the three."""
    from nba.door import settings_at

    settings = settings_at(args, out)
    return {"show": _show, "versions": _versions, "export": _export}[args.what](settings, args, out)


def _show(settings: Settings, args: argparse.Namespace, out: Output) -> int:
    from nba.published import document_of
    from nba.settings.differences import changes_between

    source = settings.source
    changes = changes_between(source.document, document_of(settings))
    if args.json:
        told = [{"key": each.key, "file": each.before, "in_force": each.after} for each in _plain(changes)]
        out.json({"number": source.number, "changes": told, "left_aside": list(source.left_aside)})
    elif not changes:
        out.say("the file alone is in force: nothing is published over it")
    else:
        out.say(f"version {source.number} is in force over {source.path}")
        out.table(
            ("key", "file", "in force"), [(each.key, _spelt(each.before), _spelt(each.after)) for each in changes]
        )
    return 0


def _versions(settings: Settings, args: argparse.Namespace, out: Output) -> int:
    from features.store.published import settings_versions
    from features.store.store import Store
    from features.times import iso
    from nba.settings.changes import overlaid
    from nba.settings.differences import changes_between

    with Store.open(settings.store.url) as store:
        rows = settings_versions(store)
    found, before = [], settings.source.document
    for row in rows:
        after, _ = overlaid(settings.source.document, row.changes)
        found.append((row, changes_between(before, after)))
        before = after
    if args.json:
        out.json([{**row._asdict(), "published_at": iso(row.published_at)} for row in rows])
        return 0
    if not found:
        out.say("nothing was published yet; marketing does it on the page Rules")
    for row, changes in found:
        undone = "" if row.undoes is None else f", undoes version {row.undoes}"
        out.result(f"version {row.number}, {iso(row.published_at)}, {row.by}{undone}: {row.reason}")
        for each in changes:
            out.result(f"  {each.key}: {_spelt(each.before)} -> {_spelt(each.after)}")
    return 0


def _export(settings: Settings, args: argparse.Namespace, out: Output) -> int:
    from features.errors import UserError
    from features.store.published import newest_number
    from features.store.store import Store
    from nba.door import now_us
    from nba.published import document_of
    from nba.publishing import published_by
    from nba.settings.differences import changes_between
    from nba.settings.rewriting import RewritingError, rewritten
    from nba.settings.writing import read_text, write_text

    source = settings.source
    document = document_of(settings)
    changes = changes_between(source.document, document)
    if not source.changes:
        out.say("nothing is published over the file, so that there is nothing to write")
    elif source.path is None:
        raise UserError("there is no settings file to write into; `nba init` makes one")
    else:
        try:
            new = rewritten(read_text(source.path), document)
        except RewritingError as error:
            by_hand = "; ".join(f"{each.key} = {_spelt(each.after)}" for each in changes)
            raise UserError(
                f"{source.path} is not written, because its text would have to be taken apart: {error}. Write it by "
                f"hand: {by_hand}"
            ) from None
        kept = write_text(source.path, new)
        with Store.open(settings.store.url) as store, store.writing() as writing:
            # Whoever published meanwhile is not undone by this.
            if newest_number(writing.seen) == source.number:
                reason = f"exported into {source.path.name}"
                published_by(writing, {}, number=source.number + 1, by=_who(), reason=reason, at=now_us())
        out.say(f"{len(changes):,} values written into {source.path}; as it was before: {kept}")
    if args.json:
        rows = [{"key": each.key, "before": each.before, "after": each.after} for each in _plain(changes)]
        out.json({"file": None if source.path is None else str(source.path), "written": rows if source.changes else []})
    return 0


def _who() -> str:
    try:
        return f"nba settings export by {getpass.getuser()}"
    except (KeyError, OSError):
        return "nba settings export"


def _plain(changes: list[Change]) -> list[Change]:
    from nba.settings.changes import Change
    from nba.settings.differences import plain

    return [Change(each.key, plain(each.before), plain(each.after)) for each in changes]


def _spelt(value: Any) -> str:
    from nba.settings.differences import toml_of

    return "(left out)" if value is None else toml_of(value)
