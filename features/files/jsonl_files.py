"""JSON Lines: one object a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from features.files.files import CHUNK_BYTES, Chunk, Fault, LoadError, Source


class JsonLinesFile:
    """A file with one JSON object a line; objects may have different keys."""

    header = None
    is_text = False
    part = None

    def __init__(self, source: Source) -> None:
        self._path = source.path
        self._bytes = source.inflated()
        self.notes: list[str] = []
        if self._bytes.peek(1)[:1] == b"[":
            raise LoadError(f"{self._path} is a JSON array; write one object a line")

    def chunks(self) -> Iterator[Chunk]:
        """Every object once, in order."""
        start = 1
        while block := self._bytes.readlines(CHUNK_BYTES):
            yield self._chunk(block, start)
            start += len(block)

    def _chunk(self, block: list[bytes], start: int) -> Chunk:
        found: list[dict[str, Any]] = []
        lines: list[int] = []
        faults: list[Fault] = []
        for line, text in enumerate(block, start):
            try:
                value = orjson.loads(text)
            except orjson.JSONDecodeError as error:
                if text.strip():
                    faults.append(_fault(line, text, "the line is not JSON", f": {error}"))
                continue
            if isinstance(value, dict):
                found.append(value)
                lines.append(line)
            else:
                faults.append(_fault(line, text, "the line is not a JSON object", ""))
        names = dict.fromkeys(name for value in found for name in value)
        return Chunk({name: [value.get(name) for value in found] for name in names}, lines, faults)


def _fault(line: int, text: bytes, rule: str, said: str) -> Fault:
    return Fault(line, text.decode(errors="surrogateescape").rstrip("\r\n"), rule + said, rule)
