"""The bundle as MLflow's own tools load it: a thin model written as code, over plain data.

MLflow copies this file beside the bundle and runs it when the model is loaded by ``mlflow.pyfunc``,
``mlflow models serve`` or ``spark_udf``; the service itself reads the bundle and never this file.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model  # noqa: TID251 - MLflow runs this file, nothing of ours imports it
from mlflow.pyfunc import PythonModel  # noqa: TID251 - as above

from features.catalogue import STAGE
from features.times import parse_time
from models.belief import Belief
from models.bundle import Bundle
from models.touchpoint_scores import NEEDED, touchpoint_scores
from models.verify import verify


class BundleModel(PythonModel):  # type: ignore[misc] # MLflow's classes carry no types
    """Propensities, stage and points of contacts by their touchpoints, or of ready feature rows."""

    def load_context(self, context: Any) -> None:
        """Load the bundle among the model's artifacts, once a process of its own has found it good."""
        folder = Path(context.artifacts["bundle"])
        verify(folder)
        self.bundle = Bundle.load(folder)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Score contacts or rows.

        Parameters
        ----------
        model_input
            Touchpoints (``identity``, ``occurred_at``, ``kind`` and whatever else ``nba load`` takes), or features:
            the columns the models were trained on, by name, in any order, where more do no harm.
        params
            ``as_of``: the moment for which touchpoints are scored (ISO 8601), the present when left out.

        Returns
        -------
        For touchpoints one row a contact: ``identity``, ``stage``, ``points``, ``p_<goal>`` ...; for features one a
        row: ``p_<goal>`` ..., and ``stage`` where there are any.
        """
        if all(name in model_input.columns for name in NEEDED):
            given = (params or {}).get("as_of")
            as_of = parse_time(given) if given else time.time_ns() // 1000
            columns = {str(name): _plain(model_input[name]) for name in model_input.columns}
            return pd.DataFrame(touchpoint_scores(Belief(self.bundle), columns, as_of))
        return self._of_features(model_input)

    def _of_features(self, rows: pd.DataFrame) -> pd.DataFrame:
        bundle = self.bundle
        answer: dict[str, Any] = {}
        stage: dict[str, Any] = {}
        if bundle.stages is not None:
            codes = bundle.stages.predict(_matrix(rows, bundle.stages.columns))
            stage["stage"] = [bundle.stages.names[code] for code in codes]
            # Whatever the rows say, the models were trained on the stage as these stages tell it.
            rows = rows.assign(**{STAGE.name: codes})
        for goal, model in bundle.propensities.items():
            answer[f"p_{goal}"] = model.predict(_matrix(rows, model.columns))
        return pd.DataFrame(answer | stage, index=rows.index)


def _matrix(rows: pd.DataFrame, columns: tuple[str, ...]) -> Any:
    if missing := [name for name in columns if name not in rows.columns]:
        raise ValueError(
            f"the rows lack the columns {', '.join(missing[:10])}; send every feature, NaN where unknown, or "
            f"touchpoints with {', '.join(NEEDED)}"
        )
    return rows[list(columns)].to_numpy(dtype="float64", na_value=float("nan"))


def _plain(values: pd.Series) -> list[Any]:
    """Values as a file has them: times as text, what is missing as None."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    missing = values.isna().to_numpy()
    if values.dtype.kind == "M":
        texts = np.datetime_as_string(values.to_numpy().astype("datetime64[us]"))
        return [None if absent else str(text) for text, absent in zip(texts, missing, strict=True)]
    plain: list[Any] = values.astype(object).tolist()
    return [None if absent else value for value, absent in zip(plain, missing, strict=True)]


set_model(BundleModel())
