"""The bundle as MLflow's own tools load it: a thin model written as code, over plain data.

MLflow copies this file beside the bundle and runs it when the model is loaded by ``mlflow.pyfunc``,
``mlflow models serve`` or ``spark_udf``; the service itself reads the bundle and never this file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model  # noqa: TID251 - MLflow runs this file, nothing of ours imports it
from mlflow.pyfunc import PythonModel  # noqa: TID251

from models.bundle import Bundle


class BundleModel(PythonModel):  # type: ignore[misc] # MLflow's classes carry no types
    """Propensities and stage of ready feature rows."""

    def load_context(self, context: Any) -> None:
        """Load the bundle among the model's artifacts, its hashes checked."""
        self.bundle = Bundle.load(Path(context.artifacts["bundle"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """One row each with ``p_<goal>`` for every goal, and ``stage`` where there are any.

        Parameters
        ----------
        model_input
            The columns the models were trained on, by name, in any order; more do no harm.
        """
        answer: dict[str, Any] = {}
        for goal, model in self.bundle.propensities.items():
            answer[f"p_{goal}"] = model.predict(_matrix(model_input, model.columns))
        if self.bundle.stages is not None:
            codes = self.bundle.stages.predict(_matrix(model_input, self.bundle.stages.columns))
            answer["stage"] = [self.bundle.stages.names[code] for code in codes]
        return pd.DataFrame(answer, index=model_input.index)


def _matrix(rows: pd.DataFrame, columns: tuple[str, ...]) -> Any:
    if missing := [name for name in columns if name not in rows.columns]:
        raise ValueError(f"the rows lack the columns {', '.join(missing[:10])}; send every feature, NaN where unknown")
    return rows[list(columns)].to_numpy(dtype="float64", na_value=float("nan"))


set_model(BundleModel())
