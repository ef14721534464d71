"""Featuretools on a sample of rows, in an environment of its own, because it needs an older pandas than we use.

Run as a program it is the inside of that environment, and imports nothing of this project.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

NEEDED = ("pandas==2.3.3", "featuretools==1.31.0", "setuptools<81")
_INSTALL_WITHIN, _RUN_WITHIN = 300, 300
_WINDOWS = (7, 30, 90, 365)


def rate(data: Mapping[str, Any], n_rows: int, say: Callable[[str], None]) -> dict[str, float] | str:
    """Rows per second of deep feature synthesis on the first rows, or a sentence why there is none.

    Only the touchpoints of those rows' contacts are given to it, which is in its favour.
    """
    import numpy as np

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        contact, as_of = data["row_contact"][:n_rows], data["row_as_of"][:n_rows]
        its = np.isin(data["contact"], contact)
        log = {column: data[column][its] for column in ("contact", "ts", "kind", "channel", "value", "topic")}
        np.savez(folder / "sample.npz", row_contact=contact, row_as_of=as_of, **log)
        say(f"featuretools: installing {' '.join(NEEDED)} into an environment of its own")
        try:
            venv.create(folder / "venv", with_pip=True)
            python = next(path for path in (folder / "venv").glob("*/python*") if path.stem == "python")
            _run([str(python), "-m", "pip", "install", "--quiet", *NEEDED], _INSTALL_WITHIN)
        except (OSError, subprocess.SubprocessError, StopIteration) as error:
            return f"it cannot be installed here: {_reason(error)}"
        say(f"featuretools: {len(contact)} rows with {int(its.sum()):,} touchpoints")
        try:
            found: dict[str, float] = json.loads(_run([str(python), __file__, name], _RUN_WITHIN).splitlines()[-1])
        except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            return f"it did not finish: {_reason(error)}"
        return found


def _run(command: list[str], within: int) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=within).stdout


def _reason(error: Exception) -> str:
    told = getattr(error, "stderr", None) or str(error)
    lines = [line for line in str(told).splitlines() if line.strip() and not line.startswith("WARNING")]
    return (lines or [type(error).__name__])[-1][-300:]


def _synthesise(folder: Path) -> dict[str, float]:
    import warnings

    import featuretools as ft  # type: ignore[import-not-found] # in an environment of its own
    import numpy as np
    import pandas as pd

    warnings.simplefilter("ignore")
    data = dict(np.load(folder / "sample.npz"))
    touchpoints = pd.DataFrame({name: data[name] for name in ("contact", "kind", "channel", "value", "topic")})
    touchpoints["at"] = pd.to_datetime(data["ts"], unit="us")
    touchpoints["id"] = np.arange(len(touchpoints))
    for name in ("kind", "channel", "topic"):
        touchpoints[name] = touchpoints[name].astype(str).astype("category")
    contacts = pd.DataFrame({"contact": np.unique(data["row_contact"])})
    # A cutoff is inclusive in Featuretools; what is known at a moment lies strictly before it.
    moments = pd.to_datetime(data["row_as_of"] - 1, unit="us")
    cutoffs = pd.DataFrame({"contact": data["row_contact"], "time": moments}).drop_duplicates()
    began = time.perf_counter()
    world = ft.EntitySet("world")
    world.add_dataframe(dataframe_name="contacts", dataframe=contacts, index="contact")
    world.add_dataframe(dataframe_name="touchpoints", dataframe=touchpoints, index="id", time_index="at")
    world.add_relationship("contacts", "contact", "touchpoints", "contact")
    for name, values in (("kind", ["4", "0"]), ("channel", ["0", "1"]), ("topic", ["0", "1"])):
        world.add_interesting_values(dataframe_name="touchpoints", values={name: values})
    features = 0
    for window in (None, *_WINDOWS):
        primitives = (
            ["count", "sum"] if window else ["count", "sum", "time_since_last", "time_since_first", "avg_time_between"]
        )
        X = ft.calculate_feature_matrix(
            ft.dfs(
                entityset=world, target_dataframe_name="contacts", agg_primitives=primitives, trans_primitives=[],
                where_primitives=["count"] if window else ["count", "time_since_last"], max_depth=1, features_only=True,
            ),
            entityset=world, cutoff_time=cutoffs, training_window=f"{window} days" if window else None,
        )  # fmt: skip
        features += X.shape[1]
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": float(len(cutoffs)), "features": float(features)}


if __name__ == "__main__":
    print(json.dumps(_synthesise(Path(sys.argv[1]))))
