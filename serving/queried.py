"""What a caller writes into an address: read strictly, so that a misspelt word is told instead of ignored."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from starlette.requests import Request

from nba.request import LONGEST_TEXT, UNFIT
from serving.problems import Problem

_OPTIONAL = "write a name, or leave it out"


def check_query(request: Request, known: Collection[str]) -> None:
    """Refuse parameters that an operation does not know, and those given twice.

    Raises
    ------
    Problem
        422 with a sentence for each.
    """
    given = [name for name, _ in request.query_params.multi_items()]
    faults = [(f"query {_short(name)}", _unknown(name, known)) for name in dict.fromkeys(given) if name not in known]
    twice = {name for name in given if given.count(name) > 1} if len(given) <= 100 else set[str]()
    faults += [(f"query {name}", "is given more than once; send it once") for name in sorted(twice & {*known})]
    if faults:
        raise refused(*faults)


def check_path(request: Request, *, of_stored: bool = False) -> None:
    """Refuse a name in the path that nothing can have.

    Parameters
    ----------
    of_stored
        Whether whatever a store may hold from before the bounds, or from a file, is let by.

    Raises
    ------
    Problem
        404, as for any name that is not known.
    """
    for name, value in request.path_params.items():
        if not (is_name(value) or (of_stored and _is_stored(value))):
            detail = f"nothing has such a name: up to {LONGEST_TEXT} characters, none of them control characters"
            raise Problem(404, "no-such-name", detail, errors=[(f"path {name}", detail)])


def is_name(value: str) -> bool:
    r"""Whether something may have a name.

    Examples
    --------
    >>> is_name("crm:4711"), is_name("a\0b"), is_name(" "), is_name("x" * 501)
    (True, False, False, False)
    """
    return len(value) <= LONGEST_TEXT and UNFIT.search(value) is None and bool(value.strip())


def _is_stored(value: str) -> bool:
    # Bytes that are no UTF-8 come as lone surrogates.
    return bool(value.strip()) and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value)


def refused(*faults: tuple[str, str]) -> Problem:
    """Refuse what stands behind the question mark.

    Parameters
    ----------
    faults
        (place, sentence) of each.
    """
    place, sentence = faults[0]
    detail = f"{place}: {sentence}" if len(faults) == 1 else f"{len(faults)} faults in the query"
    return Problem(422, "invalid-request", detail, errors=faults)


def whole(request: Request, name: str, usual: int, least: int, most: int) -> int:
    """Read a whole number.

    Raises
    ------
    Problem
        422 where it is none, or outside of ``least`` to ``most``.
    """
    given = request.query_params.get(name, str(usual))
    is_number = given.isascii() and given.isdigit() and len(given) <= 9
    if not is_number or not least <= int(given) <= most:
        raise refused((f"query {name}", f"{_short(given)!r} is not a whole number from {least} to {most:,}"))
    return int(given)


def text(request: Request, name: str, longest: int = LONGEST_TEXT, way_out: str = _OPTIONAL) -> str | None:
    """Read a text; None where it is not given.

    Parameters
    ----------
    way_out
        What to do about one that is empty or has control characters in it; of what has to be given, how to give it.

    Raises
    ------
    Problem
        422 where it is empty, too long or has characters in it that no name has.
    """
    given = request.query_params.get(name)
    if given is None:
        return None
    if len(given) > longest:
        raise refused((f"query {name}", f"is longer than {longest:,} characters"))
    if not is_name(given[:LONGEST_TEXT]):
        raise refused((f"query {name}", f"is empty or has control characters in it; {way_out}"))
    return given


def _unknown(name: str, known: Collection[str]) -> str:
    if not known:
        return "is not known; this address takes no parameters"
    near = get_close_matches(name[:100], known, n=1)
    return "is not known; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}")


def _short(value: str) -> str:
    return value if len(value) <= 40 else value[:37] + "..."
