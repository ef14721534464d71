"""The ``nba`` command: finds its subcommands by entry point and imports only the one that is called."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from io import TextIOWrapper
from itertools import groupby
from pathlib import Path
from typing import Protocol, cast

from features.errors import UsageError, UserError
from nba.output import Output

SUMMARIES = {
    "init": "write a short commented nba.toml that runs as it is",
    "demo": "see the whole way work on real data",
    "load": "load touchpoints, contacts and other tables from files",
    "quarantine": "show what was refused and why; try it again after a fix; show what cannot be read",
    "train": "learn from what is loaded; report, promote, roll back",
    "score": "score every contact into a file and the store",
    "plan": "write the day's worklist under capacities, caps, consent and budget",
    "recommend": "show what the service would answer for a contact, now or then",
    "evaluate": "judge a policy on logged decisions",
    "whatif": "compare with what other settings would have recommended",
    "forecast": "expect conversions and revenue, with an interval",
    "pipeline": "count contacts by stage over time, who is stuck or leaves, and where visits break off",
    "features": "list the features; explain a contact's values",
    "actions": "show who is eligible for each action, and which gate removes the rest",
    "partners": "name the partner who should take each lead that has none",
    "points": "suggest a points table fitted to the data",
    "identities": "show which identities are one contact and why; undo a wrong join",
    "duplicates": "show pairs of contacts that may be one person",
    "views": "list the views that BI tools read, bring them up to date, let a role read them",
    "settings": "show what was published over nba.toml, and write it into the file",
    "serve": "run the HTTP service",
    "keys": "add, list and revoke API keys",
    "export": "give a person all data about them",
    "correct": "correct data about a person",
    "restrict": "stop using data about a person",
    "erase": "erase a person",
    "audit": "check the audit log",
    "retention": "remove what is older than it may be kept",
}
"""One line for each subcommand of ours, so that none has to be imported to list them; in the order shown."""

DONE, REFUSED, WRONG_USAGE, PIPE_CLOSED, INTERRUPTED = 0, 1, 2, 141, 130

_EXAMPLE = """\
examples:
  nba init shop && cd shop
  nba load touchpoints visits.csv
  nba train run
  nba recommend crm:4711

`nba COMMAND --help` tells more of each."""


class Command(Protocol):
    """What the module behind an entry point must have."""

    def register(self, parser: argparse.ArgumentParser) -> None:
        """Add arguments, and an example as the parser's epilog."""

    def run(self, args: argparse.Namespace, out: Output) -> int:
        """Do the work; return the exit status."""


class Help(argparse.HelpFormatter):
    """Breaks paragraphs to the width of the terminal, and leaves indented lines, the examples, as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        lines: list[str] = []
        for is_paragraph, group in groupby(text.splitlines(), lambda line: bool(line) and not line.startswith(" ")):
            same = list(group)
            lines += textwrap.wrap(" ".join(same), width) if is_paragraph else same
        return "\n".join(indent + line for line in lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand and return the exit status: 0 done, 1 refused with sentences, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the work.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    out = Output()
    try:
        status = _run(list(sys.argv[1:] if argv is None else argv), out)
        sys.stdout.flush()
    except UserError as error:
        for complaint in error.complaints:
            out.say(complaint)
        return WRONG_USAGE if isinstance(error, UsageError) else REFUSED
    except BrokenPipeError:
        return _leave_closed_pipe()
    except OSError as error:
        if error.errno is None:
            raise
        where = f" ({error.filename})" if error.filename else ""
        out.say(f"the system would not allow it: {error.strerror}{where}")
        return REFUSED
    except KeyboardInterrupt:
        out.say("stopped; what was not finished has been left undone")
        return INTERRUPTED
    except SystemExit as leaving:
        # argparse leaves by itself after --help, --version and wrong usage.
        return leaving.code if isinstance(leaving.code, int) else DONE
    return status


def commands() -> dict[str, EntryPoint]:
    """Return the installed subcommands by name, ours first, in the order of ``SUMMARIES``."""
    found = {each.name: each for each in entry_points(group="nba.commands")}
    ours = [name for name in SUMMARIES if name in found]
    return {name: found[name] for name in [*ours, *sorted(found.keys() - SUMMARIES)]}


def _run(argv: list[str], out: Output) -> int:
    split = _first_command(argv)
    top = _top_parser()
    given = top.parse_args(argv[:split])
    available = commands()
    if given.help:
        out.result(top.format_help().rstrip() + "\n\n" + _listing(available) + "\n\n" + _EXAMPLE)
        return DONE
    if split == len(argv):
        out.say("usage: nba [--config FILE] COMMAND ...\n\n" + _listing(available) + "\n\n" + _EXAMPLE)
        return WRONG_USAGE
    name = argv[split]
    if name not in available:
        near = get_close_matches(name, available, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(available)}"
        out.say(f"nba: {name!r} is not a subcommand; {hint}")
        return WRONG_USAGE
    command = _imported(name, available[name])
    parser = _command_parser(name, command)
    args = parser.parse_args(argv[split + 1 :], argparse.Namespace(config=given.config))
    return command.run(args, out)


def _first_command(argv: list[str]) -> int:
    """Position of the subcommand; the length where there is none."""
    skip = False
    for n, word in enumerate(argv):
        if skip:
            skip = False
        elif word == "--config":
            skip = True
        elif not word.startswith("-"):
            return n
    return len(argv)


def _top_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nba",
        usage="nba [--config FILE] COMMAND ...",
        description="What should we do next, for this contact, and is it worth doing at all?",
        add_help=False,
        allow_abbrev=False,
    )
    parser.add_argument("-h", "--help", action="store_true", help="show this help")
    parser.add_argument("-V", "--version", action="version", version=f"nba {_version()}", help="show the version")
    _add_config(parser, default=None)
    return parser


def _add_config(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=default,
        help="the settings; default: nba.toml in the working directory",
    )


def _version() -> str:
    try:
        return version("nba-service")
    except PackageNotFoundError:
        return "(not installed)"


def _listing(available: dict[str, EntryPoint]) -> str:
    width = max(map(len, available), default=0)
    lines = [f"  {name:<{width}}  {SUMMARIES.get(name, f'from {_origin(each)}')}" for name, each in available.items()]
    return "\n".join(["commands:", *lines])


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.value


def _imported(name: str, entry: EntryPoint) -> Command:
    try:
        return cast(Command, import_module(entry.value))
    except ModuleNotFoundError as error:
        ours = ("features", "models", "nba", "training", "serving")
        if error.name is None or error.name.partition(".")[0] in ours:
            raise
        extra = entry.value.partition(".")[0]
        wanted = extra if extra in ("serving", "training") else "training"
        raise UserError(
            f"`nba {name}` needs the package {error.name!r}; install it with `pip install 'nba-service[{wanted}]'`"
        ) from error


def _command_parser(name: str, command: Command) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"nba {name}",
        description=(SUMMARIES.get(name) or name).capitalize() + ".",
        allow_abbrev=False,
    )
    command.register(parser)
    _finish(parser)
    return parser


def _finish(parser: argparse.ArgumentParser) -> None:
    """Let ``--config`` stand after a subcommand of a subcommand too, and let all help look alike."""
    parser.formatter_class = Help
    _add_config(parser, default=argparse.SUPPRESS)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            means = {each.dest: each.help for each in action._choices_actions}
            for name, nested in action.choices.items():
                if nested.description is None and (said := means.get(name)):
                    nested.description = said[0].upper() + said[1:] + "."
                _finish(nested)


def _leave_closed_pipe() -> int:
    # The interpreter flushes stdout once more at its end, into the same closed pipe.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


if __name__ == "__main__":
    sys.exit(main())
