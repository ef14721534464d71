"""The floors: imports go down only, and what is called often imports little."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("features", "models", "nba", "serving", "training")
LINT = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


def loaded_after(code: str) -> set[str]:
    """Top-level modules that a fresh interpreter has loaded after some code."""
    told = f"{code}\nimport sys\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(run.stdout.splitlines()[-1].split())


def test_imports_keep_to_the_floors() -> None:
    found = lint_imports(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("features/kernel/windows.py", "import models.points_table"),
        ("models/points.py", "import nba.settings"),
        ("serving/app.py", "import training.dataset"),
        ("features/kernel/windows.py", "import features.matrix"),
        ("nba/settings/values.py", "import nba.ranking"),
    ],
)
def test_an_import_upwards_is_noticed(tmp_path: Path, file: str, line: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    found = lint_imports(tmp_path)
    assert found.returncode == 1
    assert "BROKEN" in found.stdout
    assert line.split()[1] in found.stdout


def test_the_commands_are_listed_without_importing_what_they_need() -> None:
    heavy = {"pandas", "sklearn", "mlflow", "lightgbm", "fastapi", "numba", "numpy", "sqlalchemy"}
    assert not heavy & loaded_after("import nba.cli")
    assert not heavy & loaded_after("import nba.cli\nnba.cli.main(['--help'])")


def test_the_service_starts_without_what_only_training_needs() -> None:
    code = "import serving.app, serving.run\nfrom models.boosting import lightgbm\nlightgbm()"
    assert not {"mlflow", "pandas", "sklearn", "matplotlib"} & loaded_after(code)
    assert "sklearn" in loaded_after(f"{code}\nimport sklearn.base"), "what was hidden from LightGBM is there again"
