"""What slow tests take from npm, tracking clients and what looks at pages, as ``npm ci`` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent.parent / "clients"
INSTALLED = "NBA_NODE_CLIENTS"
"""Names the environment variable with a folder in which they are installed already."""


def installed(folder: Path) -> Path:
    """Return ``node_modules``; installed in ``folder`` where the environment names no other."""
    given = os.environ.get(INSTALLED)
    if given:
        return Path(given) / "node_modules"
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True)
    return folder / "node_modules"
