"""Try a bundle in a throw-away process: what is damaged may abort or hang there, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from models.bundle import Bundle, BundleError, UndecidedError, read_signed
from models.sound_trees import check_trees
from models.trees import TREES

MEMORY = 8 * 2**30
"""Address space the process may take, in bytes."""


def verify(folder: Path, timeout_seconds: float = 60.0) -> None:
    """Refuse a bundle that is changed, cannot be loaded, or predicts its golden rows otherwise.

    Hashes are compared here first; then ``python -m models.verify FOLDER`` loads it and predicts.

    Raises
    ------
    BundleError
        With the reason.
    UndecidedError
        Where the process aborts, does not end within the time, or ends without a verdict: that may be the bundle's
        doing, or that of a machine that is short of something.
    OSError
        Where the process cannot be begun.
    """
    read_signed(folder)
    home = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([home, inherited] if inherited else [home]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "models.verify", str(folder.resolve())],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=timeout_seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired as late:
        raise UndecidedError(
            f"the process that tried the bundle {folder} was not done after {timeout_seconds:g} s and was ended"
        ) from late
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise UndecidedError(
            f"the process that tried the bundle {folder} ended with {name}: a model in it is damaged, or this machine "
            "is short of memory"
        )
    # LightGBM writes its own warnings to stdout, so the verdict is the last line, and only with this status.
    verdict = done.stdout.strip().rpartition("\n")[2]
    if done.returncode == REFUSED:
        raise BundleError(verdict)
    if done.returncode or verdict != "verified":
        reason = done.stderr.strip().rpartition("\n")[2] or f"status {done.returncode}"
        raise UndecidedError(f"the process that tried the bundle {folder} failed: {reason}")


REFUSED = 3


def main(folder: Path) -> int:
    """Load and compare; the process's whole work."""
    _limit_memory()
    try:
        _check_trees(folder)
        Bundle.load(folder).check_golden(folder)
    except UndecidedError:
        # No verdict: whoever waits for one reads it on stderr.
        raise
    except BundleError as fault:
        _say(" ".join(fault.complaints))
        return REFUSED
    _say("verified")
    return 0


def _check_trees(folder: Path) -> None:
    for name, content in read_signed(folder)[2].items():
        if name.endswith(TREES):
            try:
                check_trees(content.decode())
            except ValueError as fault:
                raise BundleError(f"{name} of the bundle {folder} describes no trees: {fault}") from fault


def _say(verdict: str) -> None:
    sys.stdout.write("\n" + verdict.replace("\n", " ") + "\n")
    sys.stdout.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on this system; the time limit has to do
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard < 0 else min(MEMORY, hard), hard))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
