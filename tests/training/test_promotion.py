"""Claims about changing the champion: tried first, audited in order, installed here, and no entry without a reason."""

import shutil
from pathlib import Path

import pytest

from features.rows.row_types import AuditRow
from features.store import audit
from features.store.store import Store
from models.bundle import BundleError
from models.local import read_champion
from models.registry.registry import Registry, RegistryError
from nba.settings import Settings, parse_settings
from tests.models.registry_bundles import made_bundle, publish
from training.promotion import promote, registry_of, rollback


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    made = tmp_path_factory.mktemp("made")
    return [made_bundle(made / str(seed), seed) for seed in range(2)]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, bundles: list[Path], empty_mlflow: Path) -> Path:
    """Return a folder whose registry has two versions and no champion."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copy(empty_mlflow, folder / "mlflow.db")
    registry = Registry(f"sqlite:///{folder}/mlflow.db", "nba", folder / "mlartifacts")
    for bundle in bundles:
        publish(registry, bundle)
    return folder


@pytest.fixture
def settings(published: Path, tmp_path: Path) -> Settings:
    shutil.copy(published / "mlflow.db", tmp_path / "mlflow.db")
    return parse_settings("", folder=tmp_path)


def entries(settings: Settings) -> list[AuditRow]:
    with Store.open(settings.store.url) as store:
        rows = list(store.audit_rows())
    assert audit.check(rows).fault is None
    return rows


def test_every_change_of_the_champion_has_an_entry_that_its_version_names(settings, bundles):
    promote(settings, "1", "first", "ann", 1_000)
    promote(settings, "2", "better on conversion", "nba train run", 2_000, bundles[1])
    assert rollback(settings, "too many calls", "ben", 3_000) == "1"
    found = entries(settings)
    assert [(row.at, row.by, row.what, row.subject, row.reason) for row in found] == [
        (1_000, "ann", "promotion", "version 1 of nba", "first"),
        (2_000, "nba train run", "promotion", "version 2 of nba", "better on conversion"),
        (3_000, "ben", "rollback", "version 1 of nba", "too many calls"),
    ]
    registry = registry_of(settings)
    assert read_champion(settings.folder) == registry.champion()
    first, second = registry.training("1"), registry.training("2")
    assert (first.aliases, second.aliases) == (("champion",), ("challenger", "previous"))
    # The newest entry is remembered outside of the log: to cut it off would show.
    assert (first.tags["audit"], second.tags["audit"]) == (found[2].hash, found[1].hash)
    assert (first.tags["promoted_by"], first.tags["reason"]) == ("ben", "too many calls")
    assert (second.tags["replaced_by"], second.tags["replaced_because"]) == ("ben", "too many calls")


@pytest.mark.parametrize("reason", ["", " \n"])
def test_without_a_reason_nothing_happens_and_nothing_is_written_down(settings, reason):
    with pytest.raises(RegistryError, match="needs a reason"):
        promote(settings, "1", reason, "ann", 1)
    with pytest.raises(RegistryError, match="needs a reason"):
        rollback(settings, reason, "ann", 1)
    assert entries(settings) == []


def test_what_cannot_be_done_is_refused_before_it_is_written_down(settings):
    with pytest.raises(RegistryError, match="no version '9'"):
        promote(settings, "9", "typo", "ann", 1)
    with pytest.raises(RegistryError, match="to go back to"):
        rollback(settings, "why not", "ann", 1)
    assert entries(settings) == []


def test_a_bundle_that_is_no_good_never_becomes_champion(published, settings, tmp_path):
    promote(settings, "1", "first", "ann", 1)
    stored = registry_of(settings)
    with stored._mlflow() as mlflow:
        source = mlflow.artifacts.download_artifacts("models:/nba/2", dst_path=str(tmp_path / "fetched"))
    model = next(Path(source).rglob("propensity/*.txt"))
    (kept,) = [
        path
        for path in (published / "mlartifacts").rglob("propensity/*.txt")
        if path.read_bytes() == model.read_bytes()
    ]
    whole = kept.read_bytes()
    try:
        kept.write_bytes(whole[:-100])
        with pytest.raises(BundleError, match="changed after it was signed"):
            promote(settings, "2", "newer", "ann", 2)
    finally:
        kept.write_bytes(whole)
    champion = stored.champion()
    assert champion is not None and champion[0] == "1" == (read_champion(settings.folder) or ("",))[0]
    assert len(entries(settings)) == 1


def test_a_change_that_mlflow_refuses_is_written_down_as_failed(settings, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise RegistryError("MLflow at somewhere failed: out of order")

    monkeypatch.setattr(Registry, "promote", refuse)
    with pytest.raises(RegistryError, match="out of order"):
        promote(settings, "1", "first", "ann", 7)
    ordered, failed = entries(settings)
    assert (ordered.what, failed.what) == ("promotion", "promotion failed")
    assert failed.reason == "MLflow at somewhere failed: out of order"
    assert failed.details == '{"entry":1}'
    assert read_champion(settings.folder) is None
