"""The bundle: fitted models as plain data with a manifest that signs every file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType
from typing import Any

from features.durable import sync
from features.errors import UserError
from models.effect.effect import Effects
from models.effect.files import effect_files, file_name, read_effects
from models.golden import disagreement, golden_record
from models.propensity import Propensity
from models.seal import BLANK, SEAL, is_whole, sealed
from models.stages.stages import StageModel
from models.trees import TREES

SCHEMA = 3
"""Version of the layout: 2 seals the manifest. A bundle with another one was made by a newer or an older nba."""

MANIFEST = "manifest.json"
STAGES = "stages.json"
JUDGED_STAGES = "judged/stages.json"
GOLDEN = "golden.json"
_LARGEST = 2**31


class BundleError(UserError):
    """A bundle that must not be served, with the reason."""


class UndecidedError(BundleError):
    """A bundle that must not be served as yet: whether it is any good could not be found out, and may be later."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """Models and what has to be known to use them.

    Attributes
    ----------
    manifest
        JSON-able; what the training wrote (features, goals, points, actions, policies, metrics, data window),
        and once saved ``schema``, ``libraries``, ``propensities``, ``files``.
    propensities
        Goal to model; a goal without enough data has none.
    stages
        None where no stages could be learnt.
    sha256
        Of the manifest, which holds those of all other files; empty before the bundle is saved.
    version
        In the registry; None before it is registered, and no part of what is signed.
    judged
        Goal to its fit from before the test, by which a later bundle is compared; written by ``save``, read by
        ``models.judged.judged_fits`` alone, because nobody is served by it.
    effects
        Goal to what actions change of it; a goal without enough decisions has none.
    judged_stages
        The stages that those fits look at, in the same way; read by ``models.judged`` too.
    """

    manifest: Mapping[str, Any]
    propensities: Mapping[str, Propensity] = field(default_factory=lambda: MappingProxyType({}))
    stages: StageModel | None = None
    sha256: str = ""
    version: str | None = None
    judged: Mapping[str, Propensity] = field(default_factory=lambda: MappingProxyType({}))
    judged_stages: StageModel | None = None
    effects: Mapping[str, Effects] = field(default_factory=lambda: MappingProxyType({}))

    def save(self, folder: Path) -> Bundle:
        """Write the bundle whole or not at all, and return it with its manifest completed.

        Parameters
        ----------
        folder
            Must not exist yet; its parent is made where it is missing.

        Raises
        ------
        BundleError
            Where the folder exists or cannot be written.
        """
        if folder.exists():
            raise BundleError(f"{folder} exists already; a bundle is written once, into a folder of its own")
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=".bundle-", dir=folder.parent))
        except OSError as fault:
            raise BundleError(f"no bundle can be written at {folder}: {fault.strerror}") from fault
        try:
            saved = self._write(part)
            part.rename(folder)
            sync(folder.parent)
        except OSError as fault:
            raise BundleError(f"no bundle can be written at {folder}: {fault.strerror}") from fault
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return saved

    def _write(self, folder: Path) -> Bundle:
        files = {GOLDEN: _json(golden_record(self.propensities, self.stages, self.effects))}
        if self.stages is not None:
            files[STAGES] = _json(self.stages.to_json())
        if self.judged_stages is not None:
            files[JUDGED_STAGES] = _json(self.judged_stages.to_json())
        files |= effect_files(self.effects)
        described = {}
        for goal, model in self.propensities.items():
            name = f"propensity/{file_name(goal)}{TREES}"
            files[name] = model.text.encode()
            described[goal] = {"file": name, **model.to_json()}
        compared = {}
        for goal, model in self.judged.items():
            name = f"judged/{file_name(goal)}{TREES}"
            files[name] = model.text.encode()
            compared[goal] = {"file": name, **model.to_json()}
        manifest = {
            **self.manifest,
            "schema": SCHEMA,
            "libraries": _libraries(),
            "propensities": described,
            "judged": compared,
            "files": {name: _sha256(content) for name, content in sorted(files.items())},
        }
        files[MANIFEST] = sealed(_json({**manifest, SEAL: BLANK}))
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        folder.chmod(0o755)
        for directory in {(folder / name).parent for name in files}:
            sync(directory)
        return replace(self, manifest=json.loads(files[MANIFEST]), sha256=_sha256(files[MANIFEST]))

    @classmethod
    def load(cls, folder: Path, version: str | None = None) -> Bundle:
        """Read a bundle; every file is hashed before any is parsed, and what is parsed is what was hashed.

        A text that was damaged before it was signed can still end the process: ``models.verify`` tries a
        bundle in another one first.

        Raises
        ------
        BundleError
            Where files are missing, unknown or changed, or the bundle was made by a newer nba.
        """
        manifest, sha256, contents = read_signed(folder)
        try:
            propensities = {
                goal: Propensity.from_json(plain, contents[plain["file"]].decode())
                for goal, plain in manifest["propensities"].items()
            }
            stages = StageModel.from_json(json.loads(contents[STAGES])) if STAGES in contents else None
            effects = read_effects(contents)
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise BundleError(f"the bundle {folder} is signed but cannot be read: {_reason(fault)}") from fault
        except Exception as fault:  # LightGBM raises its own class, which only its importer can name.
            if type(fault).__name__ != "LightGBMError":
                raise
            raise BundleError(f"LightGBM cannot read a model of the bundle {folder}: {_reason(fault)}") from fault
        return cls(manifest, propensities, stages, sha256, version, effects=effects)

    def check_golden(self, folder: Path) -> None:
        """Predict the golden rows again and compare to 1e-12.

        Raises
        ------
        BundleError
            Where a prediction differs from the one stored when the bundle was made.
        """
        _, _, contents = read_signed(folder)
        try:
            fault = disagreement(json.loads(contents[GOLDEN]), self.propensities, self.stages, self.effects)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BundleError(f"the golden rows of the bundle {folder} cannot be used: {_reason(error)}") from error
        if fault is not None:
            raise BundleError(f"the bundle {folder} does not predict here what it did where it was made: {fault}")


def read_signed(folder: Path) -> tuple[dict[str, Any], str, dict[str, bytes]]:
    """Manifest, its SHA-256, and the contents of all other files, once every hash has been found right.

    Raises
    ------
    BundleError
        Where one has not, naming the file.
    """
    manifest, sha256 = _manifest(folder)
    signed = manifest["files"]
    present = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()
    }
    present.discard(MANIFEST)
    if missing := sorted(signed.keys() - present):
        raise BundleError(f"the bundle {folder} lacks {', '.join(missing)}; fetch it again or retrain")
    if extra := sorted(present - signed.keys()):
        raise BundleError(f"the bundle {folder} holds {', '.join(extra)}, which its manifest does not know")
    contents = {}
    for name, expected in signed.items():
        content = _read(folder / name)
        if _sha256(content) != expected:
            raise BundleError(
                f"{name} of the bundle {folder} was changed after it was signed; fetch it again or retrain"
            )
        contents[name] = content
    return manifest, sha256, contents


def _manifest(folder: Path) -> tuple[dict[str, Any], str]:
    content = _read(folder / MANIFEST)
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError) as fault:
        raise BundleError(f"{folder / MANIFEST} is not JSON: {_reason(fault)}") from fault
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if type(schema) is not int or schema < 1:
        raise BundleError(f"{folder / MANIFEST} has no schema version; it is not a manifest of nba")
    if schema > SCHEMA:
        raise BundleError(
            f"the bundle {folder} has schema {schema} and was made by a newer nba; this one reads up to "
            f"{SCHEMA}: update nba, or train again"
        )
    if schema < SCHEMA:
        raise BundleError(f"the bundle {folder} has schema {schema} and was made by an older nba; train again")
    if not is_whole(content, manifest.get(SEAL)):
        raise BundleError(f"{folder / MANIFEST} was changed after it was sealed; fetch the bundle again or retrain")
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("propensities"), dict):
        raise BundleError(f"{folder / MANIFEST} does not list its files and propensities; train again")
    return manifest, _sha256(content)


def _read(path: Path) -> bytes:
    try:
        # A pipe would keep whoever reads it waiting for ever.
        if path.is_symlink() or (path.exists() and not path.is_file()) or path.stat().st_size > _LARGEST:
            raise BundleError(f"{path} is a link or larger than 2 GB; a bundle holds plain files only")
        return path.read_bytes()
    except OSError as fault:
        # What is not there lacks in the bundle; anything else lacks on this machine, and for now.
        kind = BundleError if isinstance(fault, FileNotFoundError | NotADirectoryError) else UndecidedError
        raise kind(f"no bundle can be read at {path}: {fault.strerror}") from fault


def _json(plain: object) -> bytes:
    return json.dumps(plain, allow_nan=False, ensure_ascii=False, indent=1, sort_keys=True).encode()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _libraries() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in ("lightgbm", "nba-service", "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue  # scikit-learn is needed for training only, and nba may run from its folder
    return found


def _reason(fault: BaseException) -> str:
    return f"{type(fault).__name__}: {str(fault)[:200]}"
