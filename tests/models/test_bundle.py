"""Claims about bundles: whole or not at all, hashed before anything is parsed, and tried before use."""

import errno
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from features.times import DAY
from models.bundle import SCHEMA, Bundle, BundleError, UndecidedError, read_signed
from models.propensity import Propensity
from models.seal import BLANK, sealed
from models.stages.stages import StageModel
from models.verify import verify

COLUMNS = ("a", "b", "c", "d")
CONVERSION = "propensity/conversion.lgb.txt"
CHURN = "propensity/churn.lgb.txt"


def rows(seed: int, n: int = 1200) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    X[:, 3] = rng.integers(0, 5, n)
    X[rng.random(X.shape) < 0.1] = np.nan
    return X


def made() -> Bundle:
    rng, X = np.random.default_rng(1), rows(0)
    as_of = np.sort(rng.integers(0, 12, len(X))) * 14 * DAY
    quick = {"learning_rate": 0.2, "num_leaves": 6}
    models = {}
    for goal, column in (("conversion", 0), ("churn", 1)):
        y = (rng.random(len(X)) < 1 / (1 + np.exp(1 - np.nan_to_num(X[:, column])))).astype(float)
        models[goal] = Propensity.fit(
            X,
            y,
            as_of,
            as_of + 14 * DAY,
            np.arange(len(X)),
            columns=COLUMNS,
            categorical=("d",),
            params=quick,
        )
    stages = StageModel.fit(np.abs(X), COLUMNS, rng.integers(0, 3, len(X)), ("need", "buy", "use"), clusters=3)
    return Bundle({"created_at": "2026-11-21T10:00:00Z", "goals": {"conversion": {"horizon": "30d"}}}, models, stages)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundles") / "original"
    made().save(folder)
    return folder


@pytest.fixture
def folder(original, tmp_path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "bundle"))


def resign(folder: Path) -> None:
    """Give the manifest the hashes of the files as they are: a forger, or a fault before signing."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_bytes(sealed(json.dumps(manifest | {"seal": BLANK}).encode()))


def edited(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | changes
    (folder / "manifest.json").write_bytes(sealed(json.dumps(manifest | {"seal": BLANK}).encode()))


def stages(bundle: Bundle, X: np.ndarray) -> np.ndarray:
    assert bundle.stages is not None
    return bundle.stages.predict(X)


def test_what_is_saved_is_what_is_loaded(original):
    bundle, X = Bundle.load(original, version="7"), rows(5)
    fresh = made()
    for goal, model in fresh.propensities.items():
        assert (bundle.propensities[goal].predict(X) == model.predict(X)).all()
    assert (stages(bundle, X) == stages(fresh, X)).all()
    assert bundle.manifest["goals"] == {"conversion": {"horizon": "30d"}}
    assert bundle.manifest["schema"] == SCHEMA
    assert set(bundle.manifest["files"]) == {CONVERSION, CHURN, "stages.json", "golden.json"}
    assert {"python", "lightgbm", "numpy"} <= set(bundle.manifest["libraries"])
    assert bundle.sha256 == hashlib.sha256((original / "manifest.json").read_bytes()).hexdigest()
    assert bundle.version == "7"


def test_the_same_models_give_the_same_hash_wherever_they_are_saved(original, tmp_path):
    assert made().save(tmp_path / "elsewhere").sha256 == Bundle.load(original).sha256


def test_a_sound_bundle_is_verified(original):
    verify(original)
    Bundle.load(original).check_golden(original)


def test_a_bundle_without_models_or_stages_is_a_bundle(tmp_path):
    Bundle({"created_at": "now"}).save(tmp_path / "empty")
    verify(tmp_path / "empty")
    assert Bundle.load(tmp_path / "empty").stages is None


def test_goals_of_any_name_are_stored(tmp_path):
    model = made().propensities["churn"]
    names = ["Käufe/2026", "../escape", "CON", "a" * 300, ".", "x%2Fy"]
    Bundle({}, dict.fromkeys(names, model)).save(tmp_path / "b")
    assert set(Bundle.load(tmp_path / "b").propensities) == set(names)
    assert all(re.fullmatch(r"[a-z./-][a-z0-9./-]*", name) for name in read_signed(tmp_path / "b")[2])


def test_golden_rows_visit_most_leaves(original):
    bundle = Bundle.load(original)
    golden = json.loads((original / "golden.json").read_text())["propensities"]["conversion"]["rows"]
    leaves = bundle.propensities["conversion"].booster.predict(np.array(golden, dtype=float), pred_leaf=True)
    visited = sum(len(np.unique(tree)) for tree in leaves.T)
    total = sum(map(int, re.findall(r"^num_leaves=(\d+)$", bundle.propensities["conversion"].text, re.MULTILINE)))
    assert visited > 0.9 * total


def test_saving_never_overwrites_and_leaves_no_part_behind(original, tmp_path, monkeypatch):
    with pytest.raises(BundleError, match="exists already"):
        Bundle({}).save(original)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(BundleError, match="No space left"):
        Bundle({}).save(tmp_path / "full" / "bundle")
    assert list((tmp_path / "full").iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="file/bundle"):
        Bundle({}).save(tmp_path / "file" / "bundle")


def append(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + content)


def cut(name: str, part: float) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * part)])

    return change


def flip(name: str, part: float) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[int(len(content) * part)] ^= 4
        (folder / name).write_bytes(content)

    return change


def swap(folder: Path) -> None:
    one, other = (folder / CONVERSION).read_bytes(), (folder / CHURN).read_bytes()
    (folder / CONVERSION).write_bytes(other)
    (folder / CHURN).write_bytes(one)


def link(folder: Path) -> None:
    (folder / CHURN).unlink()
    (folder / CHURN).symlink_to(folder / CONVERSION)


UNSIGNED: dict[str, Callable[[Path], object]] = {
    **{
        f"{name} cut at {part}": cut(name, part)
        for name in (CONVERSION, "stages.json", "golden.json")
        for part in (0, 0.5, 0.99)
    },
    **{
        f"{name} bit at {part}": flip(name, part)
        for name in (CONVERSION, CHURN, "stages.json")
        for part in (0.1, 0.5, 0.9)
    },
    "models swapped": swap,
    "line added": append(CHURN, b"\n"),
    "file missing": lambda folder: (folder / CHURN).unlink(),
    "stages missing": lambda folder: (folder / "stages.json").unlink(),
    "file too many": lambda folder: (folder / "code.py").write_text("import os"),
    "hidden file too many": lambda folder: (folder / "propensity" / ".x").write_text(""),
    "file is a link": link,
    "manifest missing": lambda folder: (folder / "manifest.json").unlink(),
    "manifest cut": cut("manifest.json", 0.7),
    "manifest empty": cut("manifest.json", 0),
    "manifest a list": lambda folder: (folder / "manifest.json").write_text("[]"),
    "manifest deep": lambda folder: (folder / "manifest.json").write_text("[" * 100_000),
    "manifest not text": lambda folder: (folder / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "no schema": lambda folder: edited(folder, schema=None),
    "schema zero": lambda folder: edited(folder, schema=0),
    "schema as text": lambda folder: edited(folder, schema="1"),
    "schema older": lambda folder: edited(folder, schema=SCHEMA - 1),
    "not sealed": lambda folder: (folder / "manifest.json").write_text(
        json.dumps({**json.loads((folder / "manifest.json").read_text()), "goals": {}})
    ),
    "schema newer": lambda folder: edited(folder, schema=SCHEMA + 1),
    "no files": lambda folder: edited(folder, files={}),
    "files a list": lambda folder: edited(folder, files=[]),
    "propensities a list": lambda folder: edited(folder, propensities=[]),
    "file outside": lambda folder: edited(folder, files={"../x": "0"}),
}


@pytest.mark.parametrize("name", UNSIGNED)
def test_what_is_not_what_was_signed_is_refused_before_it_is_parsed(name, folder, monkeypatch):
    monkeypatch.setattr(Propensity, "from_json", lambda *_: pytest.fail("parsed before it was hashed"))
    UNSIGNED[name](folder)
    with pytest.raises(BundleError) as refusal:
        verify(folder)
    assert str(folder) in str(refusal.value)


def test_a_newer_schema_says_so(folder):
    edited(folder, schema=SCHEMA + 1)
    with pytest.raises(BundleError, match="made by a newer nba"):
        Bundle.load(folder)


def sub(pattern: str, to: str, name: str = CONVERSION, count: int = 1) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        new = re.sub(pattern, to, text, count=count, flags=re.MULTILINE)
        assert new != text
        (folder / name).write_text(new)

    return change


SIGNED: dict[str, Callable[[Path], object]] = {
    "truncated model": cut(CONVERSION, 0.5),
    "models swapped": swap,
    "leaf of the first tree": sub(r"^leaf_value=-?\d\.\d", "leaf_value=0.9"),
    "golden answers": sub(r'"probability": \[\s*0\.\d', '"probability": [0.9', "golden.json"),
    "no golden rows": lambda folder: (folder / "golden.json").write_text("{}"),
}
SIGNED_SLOW: dict[str, Callable[[Path], object]] = {
    "border": sub(r"^threshold=\S+", "threshold=9.5"),
    "column": sub(r"^split_feature=\d", "split_feature=2"),
    "column that is none": sub(r"^split_feature=\d+", "split_feature=99999"),
    "child that is none": sub(r"^left_child=\S+", "left_child=99999"),
    "a loop": sub(r"^left_child=\S+", "left_child=0"),
    "number of leaves": sub(r"^num_leaves=\d+", "num_leaves=2000000000"),
    "line deleted": sub(r"^left_child=.*\n", ""),
    "tree deleted": sub(r"^Tree=1\n(?:.+\n)+", ""),
    "values twice": sub(r"^(leaf_value=.*)$", r"\1\nleaf_value=1 1 1 1 1 1"),
    "objective": sub(r"^objective=binary sigmoid:1", "objective=regression"),
    "empty model": cut(CONVERSION, 0),
    "almost whole model": cut(CONVERSION, 0.95),
    "centre": sub(r'"centres": \[\s*\[\s*-?\d', '"centres": [[9', "stages.json"),
    "stage names": sub(r'"names": \[', '"names": ["more",', "stages.json"),
    "stages null": lambda folder: (folder / "stages.json").write_text("null"),
    "golden not json": lambda folder: (folder / "golden.json").write_text("{"),
    "golden of one row": lambda folder: (folder / "golden.json").write_text(
        '{"propensities": {"churn": {"rows": []}, "conversion": {"rows": [[0]]}}, "stages": {}}'
    ),
}


def refused_or_equal(folder: Path, original: Path) -> str:
    """Every mutant is refused with a sentence, or predicts the same numbers (to 1e-9)."""
    try:
        verify(folder, timeout_seconds=30)
    except BundleError as refusal:
        return str(refusal)
    X, one, other = rows(9, 3000), Bundle.load(folder), Bundle.load(original)
    for goal, model in one.propensities.items():
        assert model.predict(X) == pytest.approx(other.propensities[goal].predict(X), abs=1e-9), goal
    assert (stages(one, X) == stages(other, X)).all()
    return ""


@pytest.mark.parametrize("name", SIGNED)
def test_what_was_damaged_before_it_was_signed_is_refused(name, folder, original):
    SIGNED[name](folder)
    resign(folder)
    assert str(folder) in refused_or_equal(folder, original)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNED_SLOW)
def test_more_of_what_was_damaged_before_it_was_signed_is_refused_or_equal(name, folder, original):
    SIGNED_SLOW[name](folder)
    resign(folder)
    refused_or_equal(folder, original)


@pytest.mark.slow
def test_random_digits_edited_and_signed_never_change_a_served_number(original, tmp_path):
    rng, text = np.random.default_rng(0), (original / CONVERSION).read_text()
    digits = [m.start() for m in re.finditer(r"\d", text.partition("end of trees")[0])]
    for i, place in enumerate(rng.choice(digits, 25, replace=False)):
        folder = Path(shutil.copytree(original, tmp_path / str(i)))
        changed = str((int(text[place]) + 1 + int(rng.integers(9))) % 10)
        (folder / CONVERSION).write_text(text[:place] + changed + text[place + 1 :])
        resign(folder)
        refused_or_equal(folder, original)


def test_a_process_that_aborts_is_reported_with_its_signal(original, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", script(tmp_path, "kill -ABRT $$"))
    with pytest.raises(UndecidedError, match="SIGABRT"):
        verify(original)


def test_a_process_that_hangs_is_ended(original, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", script(tmp_path, "exec sleep 60"))
    with pytest.raises(UndecidedError, match=r"not done after 0\.3 s"):
        verify(original, timeout_seconds=0.3)


@pytest.mark.parametrize("body", ["exit 0", "echo hello", "echo why >&2; exit 1", "echo verified; exit 1"])
def test_only_a_clear_yes_counts(body, original, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", script(tmp_path, body))
    with pytest.raises(UndecidedError, match="failed"):
        verify(original)


def test_what_lacks_for_a_moment_is_no_verdict_about_the_bundle(original, tmp_path, monkeypatch):
    def short(path):
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched, pytest.raises(UndecidedError, match="Too many open files"):
        patched.setattr(Path, "read_bytes", short)
        verify(original)
    with pytest.raises(BundleError) as verdict:
        verify(tmp_path / "nothing")
    assert type(verdict.value) is BundleError


def script(folder: Path, body: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)
