"""MLflow as the registry works with it: quiet, without calling out, without pickles, its faults as sentences."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from features.errors import UserError

# What would call out, ask pip, or copy a lock file of the working directory; and pickles are refused even
# where somebody put one in the store.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SKIP_PIP_REQUIREMENTS_CHECK": "true",
    "MLFLOW_UV_AUTO_DETECT": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
# MLflow's own patience with a server that is away is minutes.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}


class RegistryError(UserError):
    """What MLflow would not do, with its reason."""


@contextmanager
def session(tracking_uri: str) -> Iterator[Any]:
    """Hand out MLflow, set to a tracking URI; what it raises inside becomes one sentence.

    Raises
    ------
    RegistryError
        For every fault of MLflow and of the file system inside.
    """
    tracking_before = os.environ.get("MLFLOW_TRACKING_URI")
    os.environ.update(ENVIRONMENT)
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        # Notices of MLflow and what it imports to their own developers: nobody here can act on them.
        warnings.simplefilter("ignore")
        import mlflow

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        # Downloads by model name ask the registry that is set for the process, whatever they are given.
        mlflow.set_tracking_uri(tracking_uri)
        mlflow.set_registry_uri(tracking_uri)
        faults = (mlflow.exceptions.MlflowException, OSError)
        try:
            yield mlflow
        except faults as fault:
            where = shown(tracking_uri)
            reason = str(fault).strip().replace(tracking_uri, where).partition("\n")[0][:300]
            raise RegistryError(f"MLflow at {where} failed: {reason}") from fault
        finally:
            # MLflow writes the URI it uses into the environment, where our settings would obey it.
            os.environ.pop("MLFLOW_TRACKING_URI", None)
            if tracking_before is not None:
                os.environ["MLFLOW_TRACKING_URI"] = tracking_before


def shown(uri: str) -> str:
    """Name a tracking URI without the password it may carry.

    Examples
    --------
    >>> shown("https://me:secret@mlflow.example.org/path")
    'https://mlflow.example.org/path'
    """
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def is_missing(fault: Any) -> bool:
    """Whether MLflow says that something is not there: an alias is an invalid parameter to it, a model a resource."""
    return fault.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
