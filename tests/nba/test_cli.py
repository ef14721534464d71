"""The command finds its subcommands, imports only one, and answers every fault with a sentence."""

import argparse
import subprocess
import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from features.errors import UserError
from nba import cli
from nba.output import Output

HEAVY = (
    "numpy",
    "pandas",
    "sklearn",
    "mlflow",
    "lightgbm",
    "numba",
    "sqlalchemy",
    "rich",
    "fastapi",
    "pyarrow",
)


class Toy:
    """A subcommand whose work is a function."""

    def __init__(self, work: object) -> None:
        self.work = work
        self.seen: argparse.Namespace | None = None

    def register(self, parser: argparse.ArgumentParser) -> None:
        nested = parser.add_subparsers(dest="of")
        nested.add_parser("run").add_argument("--json")

    def run(self, args: argparse.Namespace, out: Output) -> int:
        self.seen = args
        if isinstance(self.work, BaseException):
            raise self.work
        out.result("done")
        return 0


def install(monkeypatch: pytest.MonkeyPatch, work: object = None) -> Toy:
    toy = Toy(work)
    entry = EntryPoint(name="toy", value="toy", group="nba.commands")
    monkeypatch.setattr(cli, "commands", lambda: {"toy": entry})
    monkeypatch.setattr(cli, "import_module", lambda _: toy)
    return toy


@pytest.mark.parametrize(
    "argv",
    [
        ["--config", "a.toml", "toy", "run", "--json", "x"],
        ["toy", "--config", "a.toml", "run", "--json", "x"],
        ["toy", "run", "--json", "x", "--config", "a.toml"],
        ["--config", "b.toml", "toy", "run", "--json", "x", "--config=a.toml"],
    ],
)
def test_config_stands_anywhere_and_the_last_counts(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    toy = install(monkeypatch)
    assert cli.main(argv) == 0
    assert toy.seen is not None and toy.seen.config == Path("a.toml") and toy.seen.json == "x"


def test_without_config_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = install(monkeypatch)
    assert cli.main(["toy"]) == 0
    assert toy.seen is not None and toy.seen.config is None


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "commands:"),
        (["toi"], "did you mean `toy`"),
        (["--colour"], "--colour"),
        (["toy", "--colour"], "--colour"),
        (["toy", "nonsense"], "nonsense"),
        (["--config"], "--config"),
    ],
)
def test_wrong_usage_is_two(
    argv: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(monkeypatch)
    assert cli.main(argv) == 2
    said = capsys.readouterr()
    assert said.out == "" and words in said.err


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (UserError(["first fault", "second fault"]), 1, "first fault\nsecond fault\n"),
        (PermissionError(13, "Permission denied", "x.db"), 1, "Permission denied (x.db)"),
        (KeyboardInterrupt(), 130, "stopped"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_a_fault_is_a_sentence_and_a_status(
    fault: BaseException,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    install(monkeypatch, fault)
    monkeypatch.setattr(cli, "_leave_closed_pipe", lambda: 141)
    assert cli.main(["toy"]) == status
    said = capsys.readouterr()
    assert words in said.err and "Traceback" not in said.err and said.out == ""


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    install(monkeypatch)

    def absent(_: str) -> SimpleNamespace:
        raise ModuleNotFoundError("No module named 'fastapi'", name="fastapi")

    monkeypatch.setattr(cli, "import_module", absent)
    assert cli.main(["toy"]) == 1
    assert "'fastapi'" in capsys.readouterr().err


def test_help_lists_every_installed_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    said = capsys.readouterr().out
    assert all(f"  {name} " in said for name in cli.commands())
    assert set(cli.commands()) <= set(cli.SUMMARIES)


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-V"]) == 0
    assert capsys.readouterr().out.startswith("nba ")


@pytest.mark.parametrize("name", cli.commands())
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    said = capsys.readouterr().out
    assert "example" in said and f"nba {name}" in said and "--config" in said


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from nba.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {*HEAVY, "nba.settings", "nba.commands.init"} & set(run.stderr.split())


def test_a_closed_pipe_is_quiet() -> None:
    line = f"{sys.executable} -m nba.cli --help | head -n 0; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert run.stderr == "" and run.returncode in (0, 141)


def every_command() -> list[list[str]]:
    """Return each command with what stands below it: ``["train", "run"]`` and the like."""
    found: list[list[str]] = []
    for name, entry in cli.commands().items():
        parser = argparse.ArgumentParser()
        import_module(entry.value).register(parser)
        below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        found += [[name], *([name, deeper] for action in below for deeper in action.choices)]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_help_says_what_is_done_has_an_example_and_fits_a_terminal(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([*words, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"\n  nba {' '.join(words)}" in shown and shown.startswith(f"usage: nba {' '.join(words)} ")
    # After the usage stands what the command does, in a sentence.
    says = shown.split("\n\n")[1].replace("\n", " ")
    assert says[0].isupper() and says.endswith(".") and len(says) > 20, says
    examples = shown.find("\nexample")
    for line in shown.splitlines():
        assert len(line) <= 80 or (shown.index(line) > examples and line.startswith("  ")), line


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["recommend", "c", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["features", "explain", "c", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["evaluate", "policies", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["evaluate", "daily", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["evaluate", "content", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["identities", "show", "c", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["actions", "check", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["train", "run", "--as-of", "soon"], "--as-of: 'soon' is not a time"),
        (["train", "report", "--last", "0"], "--last 0 lists nothing"),
        (["points", "suggest", "--goal", "churm"], "--goal: 'churm' is no goal to be reached"),
        (["score", "--out", "scores.csv"], "name a file that ends in .parquet"),
    ],
)
def test_values_that_no_command_could_use_are_wrong_usage(
    words: list[str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nba.toml").write_text('[goals.sale]\nkinds = ["order"]\nhorizon = "30d"\n', encoding="utf-8")
    assert cli.main(words) == 2
    told = capsys.readouterr()
    assert told.out == "" and reason in told.err and "Traceback" not in told.err
