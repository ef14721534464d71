"""Claims about a kill -9 while registering: the champion is unchanged, and the next run completes."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from models.bundle import Bundle, read_signed
from models.registry.registry import CHALLENGER, Registry
from tests.models.registry_bundles import made_bundle, publish

SCRIPT = Path(__file__).with_name("publish_and_die.py")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The champion's and another."""
    made = tmp_path_factory.mktemp("made")
    return made_bundle(made / "champion"), made_bundle(made / "other", seed=1)


@pytest.fixture(scope="module")
def with_champion(tmp_path_factory: pytest.TempPathFactory, bundles: tuple[Path, Path], empty_mlflow: Path) -> Path:
    """Return a database whose model has one version, the champion."""
    folder = tmp_path_factory.mktemp("with_champion")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    registry = Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts")
    registry.promote(publish(registry, bundles[0]), "first", "gate")
    return folder


def killed(with_champion: Path, room: Path, bundle: Path, names: list[str]) -> list[list[str]]:
    """Calls of the publishing in each folder, [] where it was killed."""
    for name in names:
        (room / name).mkdir()
        shutil.copy(with_champion / "mlflow.db", room / name)
    command = [sys.executable, str(SCRIPT), str(bundle), *(str(room / name) for name in names)]
    environment = {"PYTHONPATH": str(SCRIPT.parents[2]), "PATH": "/usr/bin:/bin", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=500)
    assert done.returncode == 0, done.stderr
    return [[] if line == "killed" else line.split() for line in done.stdout.splitlines()]


def check(folder: Path, bundles: tuple[Path, Path], *, complete: bool) -> None:
    registry = Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts")
    champion, other = (read_signed(bundle)[1] for bundle in bundles)
    assert registry.champion() == ("1", champion)
    challenger = registry.aliased(CHALLENGER)
    assert challenger in (("1", champion), ("2", other))
    if challenger == ("2", other):
        # Whoever became the challenger is whole.
        assert Bundle.load(registry.fetch("2", folder / "challenger")).sha256 == other
    if complete:
        version = publish(registry, bundles[1])
        assert registry.aliased(CHALLENGER) == (version, other)
        registry.promote(version, "the next run", "gate")
        assert Bundle.load(registry.fetch(version, folder / "fetched")).sha256 == other
        assert registry.last_report() is not None


LAST = ["before-9", "before-14"]


@pytest.mark.slow
def test_a_kill_while_registering_leaves_the_champion_and_the_next_run_completes(with_champion, bundles, tmp_path):
    found = killed(with_champion, tmp_path, bundles[1], LAST)
    assert found == [[], []]
    for name in LAST:
        check(tmp_path / name, bundles, complete=name == LAST[-1])


@pytest.mark.slow
def test_a_kill_before_any_call_and_at_any_time_leaves_the_champion(with_champion, bundles, tmp_path):
    (calls,) = killed(with_champion, tmp_path, bundles[1], ["whole"])
    assert {"create_run", "log_batch", "_create_logged_model", "create_model_version"} <= set(calls)
    assert "set_registered_model_alias" in calls[-3:]
    before = [f"before-{n}" for n in range(len(calls))]
    after = [f"after-{0.1 * n:.1f}" for n in range(10)]
    found = killed(with_champion, tmp_path, bundles[1], before + after)
    assert not any(found[: len(before)])
    for n, name in enumerate(before + after):
        check(tmp_path / name, bundles, complete=n % 4 == 3)
