"""What one value of a row must be: text, number, time or list, as the schema says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

import orjson

from features.amounts import LARGEST
from features.rows.schema import Column
from features.times import DAY, iso, parse_time

NOT_UTF8 = "is not UTF-8 text; save the file as UTF-8"
TO_COME = "lies more than a day in the future"
NO_NUL = "contains a NUL character; leave it out"
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_SHOWN = 80


class RowError(ValueError):
    """A row that goes to the quarantine.

    Parameters
    ----------
    column
        The column at fault.
    value
        What stands there; None where nothing does.
    rule
        The rest of the sentence: the rule that is broken and what would be right. The same for every value,
        so that faults can be counted.
    """

    def __init__(self, column: str, value: object, rule: str) -> None:
        shown = "" if value is None else f" {_shorten(value)}"
        self.rule = f"{column} {rule}"
        super().__init__(f"{column}{shown} {rule}")


def _shorten(value: object) -> str:
    # Whoever reads it knows the moment as it is written in files and calls.
    shown = value.isoformat().replace("+00:00", "Z") if isinstance(value, date) else repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


def cell(raw: Mapping[str, object], column: Column, *, now_us: int, zone: ZoneInfo | None) -> object:
    """Return the value of a column, or None where the row has none.

    Returns
    -------
    str, float, int (microseconds, kind ``past``), ISO 8601 text (kind ``time``) or list of str; of kind
    ``text or texts`` a list where one was given, else the text as it stands

    Raises
    ------
    RowError
        Where the value is not what the column holds, or is required and absent.
    """
    value = raw.get(column.name)
    found: object = None
    if value is not None and not (isinstance(value, str) and not value.strip()):
        found = _read(value, column, now_us, zone)
    if found is None and column.required:
        raise RowError(column.name, None, "is missing; every row needs one")
    return found


def _read(value: object, column: Column, now_us: int, zone: ZoneInfo | None) -> object:
    if column.kind == "number":
        return _bounded(_number(value, column.name), column)
    if column.kind == "past":
        return _past(value, column.name, now_us, zone)
    if column.kind == "time":
        return iso(_moment(value, column.name, zone))
    if column.kind == "texts":
        return _texts(value, column)
    if column.kind == "text or texts" and isinstance(value, list | tuple):
        return _listed(value, column.name)
    found = _text(value, column.name)
    if found is not None and column.choices and found not in column.choices:
        raise RowError(column.name, value, f"is none of {', '.join(column.choices)}")
    if found is not None and column.kind == "zone" and not _is_zone(found):
        raise RowError(column.name, value, "is not a time zone; write one such as Europe/Zurich")
    return found


def _text(value: object, name: str) -> str | None:
    if isinstance(value, str):
        return clean(value, name).strip() or None
    # Keys come as numbers from JSON and Parquet, and as floats where a column of whole numbers has gaps.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowError(name, value, "is not text")


def clean(value: str, name: str) -> str:
    """Return the text, if every store and every reader can hold it.

    Raises
    ------
    RowError
        Where it has a NUL or half of a surrogate pair, as which undecodable bytes are read.
    """
    if "\0" in value:
        raise RowError(name, value, NO_NUL)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RowError(name, value, NOT_UTF8) from error
    return value


def _number(value: object, name: str) -> float:
    found = math.nan
    if isinstance(value, str):
        if _NUMBER.fullmatch(value.strip()) is None:
            raise RowError(name, value, "is not a number; write one such as 1234.50")
        found = float(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            found = float(value)
        except OverflowError:
            found = math.inf
    else:
        raise RowError(name, value, "is not a number; write one such as 1234.50")
    if not math.isfinite(found):
        raise RowError(name, value, "is not a finite number")
    return found


def _bounded(number: float, column: Column) -> float:
    if column.low is not None and number < column.low:
        raise RowError(column.name, number, f"is below {column.low:g}")
    if column.above is not None and number <= column.above:
        raise RowError(column.name, number, f"is not above {column.above:g}")
    if column.high is not None and number > column.high:
        raise RowError(column.name, number, f"is above {column.high:g}")
    if abs(number) > LARGEST:
        raise RowError(column.name, number, f"lies beyond {LARGEST:g} in either direction; leave out what is no amount")
    return number


def _moment(value: object, name: str, zone: ZoneInfo | None) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        value = value.isoformat()
    try:
        return parse_time(value, zone)
    except (ValueError, OverflowError) as error:
        raise RowError(name, value, "is not a time; write ISO 8601 such as 2026-11-21T10:00:00Z") from error


def _past(value: object, name: str, now_us: int, zone: ZoneInfo | None) -> int:
    us = _moment(value, name, zone)
    if us > now_us + DAY:
        raise RowError(name, value, TO_COME)
    return us


def _texts(value: object, column: Column) -> list[str] | None:
    name = column.name
    rule = 'is not a JSON list of texts; write one such as ["pumps", "valves"]'
    found = value
    if isinstance(value, str):
        try:
            found = orjson.loads(clean(value, name))
        except orjson.JSONDecodeError as error:
            raise RowError(name, value, rule) from error
    if not isinstance(found, list | tuple) or not all(isinstance(item, str) for item in found):
        raise RowError(name, value, rule)
    texts = list(dict.fromkeys(text for item in found if (text := clean(item, name).strip())))
    return texts if texts or column.empty_tells else None


def _listed(value: Sequence[object], name: str) -> list[str] | None:
    """Read the texts of a list, whole numbers as texts, too."""
    try:
        found = [_text(item, name) for item in value if item is not None]
    except RowError as error:
        raise RowError(name, value, 'is not a list of texts; write one such as ["CH", "80*"]') from error
    return list(dict.fromkeys(text for text in found if text)) or None


@lru_cache(maxsize=1000)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError
        return False
    except KeyError:
        return False
    return True


def typed(text: object) -> object:
    """Read a cell of a CSV file that no column of the contract describes: number, boolean or text.

    A number is plain: finite, no leading zeros, no exponent. An empty cell is None, what is not text stays.

    Examples
    --------
    >>> [typed(cell) for cell in ("4.5", "007", "true", "", "big")]
    [4.5, '007', True, None, 'big']
    """
    if not isinstance(text, str):
        return text
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _PLAIN.fullmatch(text):
        if "." not in text:
            whole = int(text) if len(text) < 20 else 2**64
            return whole if abs(whole) < 2**63 else text
        number = float(text)
        return number if math.isfinite(number) else text
    return text or None


def extra(value: object, name: str) -> object:
    """Return the value of a column that the contract does not describe, as JSON can hold it.

    Raises
    ------
    RowError
        Where JSON has no such value.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return clean(value, name)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | Decimal):
        return _json_number(value, name)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [extra(item, name) for item in value]
    if isinstance(value, Mapping):
        return {clean(str(key), name): extra(item, name) for key, item in value.items()}
    raise RowError(name, value, "is neither number, text, date, boolean nor a list of them")


def _json_number(value: int | float | Decimal, name: str) -> int | float:
    if isinstance(value, int):
        if abs(value) < 2**63:
            return value
        raise RowError(name, value, "is a whole number of more than 63 bits; write it as text")
    return _number(value, name)
