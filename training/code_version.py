"""Which code trains: the commit where it runs from a repository, the package's version everywhere."""

from __future__ import annotations

import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from models.registry.training_run import COMMIT

PACKAGE = "nba-service"
_HOME = Path(__file__).resolve().parents[1]
_SECONDS = 5.0


def code_version(home: Path = _HOME) -> dict[str, str]:
    """Tags of a training run: ``code_version``, and MLflow's own tag for the commit where there is one.

    Parameters
    ----------
    home
        Folder of the packages. Only a repository of exactly this folder counts: an installed package lies within
        whatever repository its user works in, whose commit says nothing about it.
    """
    tags = {"code_version": f"{PACKAGE} {_installed()}"}
    if not (home / ".git").exists():
        return tags
    commit = _git(home, "rev-parse", "HEAD")
    if commit:
        changed = _git(home, "status", "--porcelain", "--untracked-files=no")
        tags[COMMIT] = commit
        tags["code_version"] += f", commit {commit[:12]}" + (" with changes" if changed else "")
    return tags


def _installed() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "not installed"


def _git(home: Path, *words: str) -> str:
    """Ask git; "" where it says nothing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(home), *words], capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
