"""A list of contacts as a spreadsheet saves it: each row is a note, or is refused with what is wrong with it."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from features.files.csv_files import CsvFile
from features.files.files import LoadError, Source
from features.frozen import Frozen
from features.rows.event_names import snake_case
from nba.safe_csv import text_of
from nba.settings import Settings
from serving.noted import Note, NoteError, read_note

MOST_ROWS = 2_000
MOST_BYTES = 1024 * 1024
COLUMNS: Mapping[str, tuple[str, ...]] = Frozen(
    {
        "contact": ("contact", "identity", "id", "contact_id", "kontakt", "kundennummer", "nummer"),
        "name": ("name", "full_name", "person", "ansprechpartner"),
        "email": ("email", "e_mail", "mail", "e_mail_adresse", "email_address"),
        "phone": ("phone", "telephone", "telefon", "tel", "mobile", "mobil", "telefonnummer"),
        "account": ("account", "company", "firma", "organisation", "unternehmen"),
        "kind": ("kind", "art", "type"),
        "topic": ("topic", "thema", "interest", "interesse"),
        "words": ("words", "note", "notes", "notiz", "notizen", "bemerkung", "comment", "remarks"),
        "stage": ("stage", "phase"),
        "at": ("at", "date", "datum", "when", "occurred_at", "am"),
    }
)
"""What a column may be called, in English and German; others are left out."""


@dataclass(frozen=True)
class Refused:
    """A row that is not stored; ``line`` of the file, ``faults`` as of a note or sentences of the reader of files."""

    line: int
    text: str
    faults: tuple[tuple[str, str], ...] = ()
    sentence: str = ""


@dataclass
class Listed:
    """What a list holds; ``left_out`` are columns that nothing is known of."""

    notes: list[tuple[int, Note]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class ListError(ValueError):
    """A list that cannot be read at all; its text is the name of the rule."""


def text_in(raw: bytes) -> str:
    """Return the text of a file, in whichever way a spreadsheet has written it."""
    for begin, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if raw.startswith(begin):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                continue
    return raw.decode("cp1252", "replace")


def read_list(text: str, kind: str, settings: Settings, now: int) -> Listed:
    """Read a list.

    Parameters
    ----------
    kind
        Of rows that do not say theirs; empty: these only tell of the contact.

    Raises
    ------
    ListError
        Where there are no rows, no column that says who it is, or more than ``MOST_ROWS``.
    """
    if not text.strip() or "\0" in text:
        raise ListError("empty")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.csv"
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
        try:
            with Source(path) as source:
                return _read(CsvFile(source), kind, settings, now)
        except LoadError as error:
            raise ListError("unreadable") from error


def _read(file: CsvFile, kind: str, settings: Settings, now: int) -> Listed:
    fields = {name: field for name in file.header for field in [_field(name)] if field is not None}
    if not {"contact", "name", "email", "phone"} & set(fields.values()):
        raise ListError("no_columns")
    left_out = tuple(name for name in file.header if name not in fields)
    found, seen = Listed(columns=tuple(dict.fromkeys(fields.values())), left_out=left_out), Counter[str]()
    for chunk in file.chunks():
        for fault in chunk.faults:
            found.refused.append(Refused(fault.line, _shown(fault.raw), sentence=fault.reason))
        for i, line in enumerate(chunk.lines):
            row = {field: text_of(str(chunk.columns[name][i] or "").strip()) for name, field in fields.items()}
            if any(row.values()):
                _sort(found, line, {name: said for name, said in row.items() if said}, seen, kind, settings, now)
        if len(found.notes) + len(found.refused) > MOST_ROWS:
            raise ListError("too_many")
    if not found.notes and not found.refused:
        raise ListError("empty")
    return found


def _sort(
    found: Listed, line: int, row: Mapping[str, str], seen: Counter[str], kind: str, settings: Settings, now: int
) -> None:
    """Put a row among the notes, or among what is refused.

    Parameters
    ----------
    kind
        Of a row that does not say its own.
    """
    told = "\0".join(f"{name}={row[name]}" for name in sorted(row))
    id_ = hashlib.sha256(f"{told}\0{seen[told]}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[told] += 1
    try:
        note = read_note({"kind": kind, **row, "note_id": id_}, settings, now)
    except NoteError as error:
        found.refused.append(Refused(line, _shown(list(row.values())), error.faults))
        return
    if note.kind is None and (note.words or note.topic or note.stage):
        # Without a kind nothing has happened, and words would be lost unseen.
        found.refused.append(Refused(line, _shown(list(row.values())), (("kind", "not_offered"),)))
        return
    found.notes.append((line, note))


def _field(name: str) -> str | None:
    plain = snake_case(name).strip("_")
    return next((field for field, names in COLUMNS.items() if plain in names), None)


def _shown(raw: object) -> str:
    shown = " · ".join(map(str, raw)) if isinstance(raw, Sequence) and not isinstance(raw, str) else str(raw)
    return shown.encode(errors="replace").decode()[:200]
