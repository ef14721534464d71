"""Two hundred damaged bundles: each is refused with its reason, and the process that checks them lives on.

What the hashes find is refused without another process. What was signed after it was damaged must be tried, each in a
throw-away process of its own; a few of these stand here, the others are slow.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from models.bundle import SCHEMA, Bundle, BundleError
from models.seal import BLANK, sealed
from models.verify import verify
from tests.models.registry_bundles import made_bundle

MANIFEST, MODEL, JUDGED, GOLDEN, STAGES = (
    "manifest.json",
    "propensity/conversion.lgb.txt",
    "judged/conversion.lgb.txt",
    "golden.json",
    "stages.json",
)
CHANGED = r"was changed after it was (signed|sealed)"
# A manifest that is damaged may say anything about itself before its seal is looked at.
OF_A_MANIFEST = rf"{CHANGED}|is not JSON|has no schema version|newer nba|older nba|does not list its files"

Mutant = tuple[str, Callable[[Path], object], str]
"""What is done, how, and what the refusal must say."""


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_bundle(tmp_path_factory.mktemp("mutants") / "original", stages=True)


def names_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def put(name: str, content: bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)

    return change


def swapped(one: str, other: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        contents = (folder / one).read_bytes(), (folder / other).read_bytes()
        assert contents[0] != contents[1]
        (folder / one).write_bytes(contents[1])
        (folder / other).write_bytes(contents[0])

    return change


def instead(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Put something that is no plain file in a file's place."""

    def change(folder: Path) -> None:
        (folder / name).rename(folder.parent / "moved")
        make(folder / name)

    return change


def other_digit(content: bytes, place: int, rng: np.random.Generator) -> bytes:
    digit = (int(content[place : place + 1]) + int(rng.integers(1, 10))) % 10
    return content[:place] + str(digit).encode() + content[place + 1 :]


def edited(**changes: object) -> Callable[[Path], object]:
    """Change the manifest and seal it again, as whoever made it so would have."""

    def change(folder: Path) -> None:
        manifest = json.loads((folder / MANIFEST).read_text()) | changes | {"seal": BLANK}
        (folder / MANIFEST).write_bytes(sealed(json.dumps(manifest).encode()))

    return change


def of_every_file(original: Path) -> Iterator[Mutant]:
    rng = np.random.default_rng(0)
    for name in names_of(original):
        content = (original / name).read_bytes()
        reason = OF_A_MANIFEST if name == MANIFEST else CHANGED
        for part in (0, 0.001, 0.25, 0.5, 0.9, 0.9999):
            yield f"{name} truncated at {part}", put(name, content[: int(len(content) * part)]), reason
        digits = [found.start() for found in re.finditer(rb"\d", content)]
        for place in rng.choice(digits, 20, replace=False).tolist():
            yield f"{name} another digit at {place}", put(name, other_digit(content, place, rng)), reason
        for place in rng.integers(0, len(content), 3).tolist():
            flipped = content[:place] + bytes([content[place] ^ 64]) + content[place + 1 :]
            yield f"{name} a bit at {place}", put(name, flipped), reason
        yield f"{name} twice in itself", put(name, content * 2), reason
        yield f"{name} with a line more", put(name, content + b"\n"), reason
        yield f"{name} with other line ends", put(name, content.replace(b"\n", b"\r\n")), reason
        yield f"{name} missing", instead(name, lambda path: None), "lacks|no bundle can be read"
        yield f"{name} a link", instead(name, lambda path: path.symlink_to("/etc/hostname")), "is a link"
        yield f"{name} a folder", instead(name, Path.mkdir), "lacks|plain files only"
        yield f"{name} a pipe", instead(name, os.mkfifo), "plain files only"


def of_the_whole(original: Path) -> Iterator[Mutant]:
    for one, other in combinations(names_of(original), 2):
        reason = OF_A_MANIFEST if MANIFEST in (one, other) else CHANGED
        yield f"{one} and {other} swapped", swapped(one, other), reason
    for name in ("model.pkl", "code.py", ".hidden", "propensity/more.lgb.txt", "judged/x"):
        yield f"{name} more", put(name, b"x"), "which its manifest does not know"
    yield "a link more", lambda folder: (folder / "more").symlink_to("/"), "which its manifest does not know"
    yield "an older schema", edited(schema=SCHEMA - 1), "was made by an older nba; train again"
    yield "a newer schema", edited(schema=SCHEMA + 1), "was made by a newer nba"
    yield "a far newer schema", edited(schema=10**30), "was made by a newer nba"
    for schema in (0, -1, None, "2", 2.0, True, [SCHEMA]):
        yield f"schema {schema!r}", edited(schema=schema), "has no schema version"
    yield "no seal", put(MANIFEST, (original / MANIFEST).read_bytes().replace(b'"seal"', b'"sail"')), CHANGED
    yield "no files", edited(files={}), "which its manifest does not know"
    yield "files a list", edited(files=[]), "does not list its files"
    yield "a file outside", edited(files={"../../x": "0"}), "lacks"


def mutants(original: Path) -> list[Mutant]:
    return [*of_every_file(original), *of_the_whole(original)]


def copied(original: Path, place: Path) -> Path:
    return Path(shutil.copytree(original, place))


def test_two_hundred_mutants_are_refused_with_their_reason(original, tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.run", lambda *_, **__: pytest.fail("tried although its hashes are wrong"))
    found = mutants(original)
    assert len(found) >= 200
    for number, (name, mutate, reason) in enumerate(found):
        folder = copied(original, tmp_path / str(number) / "bundle")
        mutate(folder)
        with pytest.raises(BundleError) as refusal:
            verify(folder)
        assert re.search(reason, str(refusal.value)), (name, str(refusal.value))
        assert str(folder) in str(refusal.value), name
        shutil.rmtree(folder.parent)


def resigned(folder: Path) -> None:
    """Sign the files as they are: a forger, or a fault that came before the signature."""
    manifest = json.loads((folder / MANIFEST).read_text()) | {"seal": BLANK}
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / MANIFEST).write_bytes(sealed(json.dumps(manifest).encode()))


def text(name: str, pattern: str, to: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        before = (folder / name).read_text()
        after = re.sub(pattern, to, before, count=1, flags=re.MULTILINE)
        assert after != before
        (folder / name).write_text(after)

    return change


def cut(name: str, part: float) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(
        (folder / name).read_bytes()[: int((folder / name).stat().st_size * part)]
    )


SIGNED: dict[str, Callable[[Path], object]] = {
    "a model cut in the middle of a tree": cut(MODEL, 0.5),
    "the golden answer of a row": text(GOLDEN, r'"probability": \[\s*0\.\d', '"probability": [0.99'),
}
SIGNED_SLOW: dict[str, Callable[[Path], object]] = {
    **{f"a model cut at {part}": cut(MODEL, part) for part in (0, 0.1, 0.3, 0.7, 0.9)},
    **{f"golden rows cut at {part}": cut(GOLDEN, part) for part in (0, 0.5, 0.999)},
    "stages cut": cut(STAGES, 0.5),
    "all leaves of a tree": text(MODEL, r"^leaf_value=.*$", "leaf_value=9 9 9 9"),
    "a leaf that is no number": text(MODEL, r"^leaf_value=\S+", "leaf_value=nan"),
    "a border": text(MODEL, r"^threshold=\S+", "threshold=1e9"),
    "a column": text(MODEL, r"^split_feature=\d+", "split_feature=3"),
    "a column that is none": text(MODEL, r"^split_feature=\d+", "split_feature=99999"),
    "a child that is none": text(MODEL, r"^left_child=\S+", "left_child=99999"),
    "a loop": text(MODEL, r"^left_child=\S+", "left_child=0"),
    "two thousand million leaves": text(MODEL, r"^num_leaves=\d+", "num_leaves=2000000000"),
    "the judged fit in the model's place": lambda folder: shutil.copy(folder / JUDGED, folder / MODEL),
    "golden rows of nobody": put(GOLDEN, b"{}"),
    "golden rows null": put(GOLDEN, b"null"),
    "golden rows of one column": put(
        GOLDEN, b'{"propensities": {"conversion": {"rows": [[0]], "probability": [0], "contribution": [0]}}}'
    ),
    "the golden contribution of a row": text(GOLDEN, r'"contribution": \[\s*-?\d', '"contribution": [7'),
    "the golden stage of a row": text(GOLDEN, r'"code": \[\s*\d', '"code": [9'),
    "stages null": put(STAGES, b"null"),
}


def refusal_of(folder: Path) -> str:
    resigned(folder)
    with pytest.raises(BundleError) as refusal:
        verify(folder)
    assert str(folder) in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("name", SIGNED)
def test_what_was_damaged_before_it_was_signed_is_refused_by_trying_it(name, original, tmp_path):
    folder = copied(original, tmp_path / "bundle")
    SIGNED[name](folder)
    assert refusal_of(folder)


@pytest.mark.slow
def test_more_of_what_was_damaged_before_it_was_signed_is_refused(original, tmp_path):
    for number, (name, mutate) in enumerate(SIGNED_SLOW.items()):
        folder = copied(original, tmp_path / str(number))
        mutate(folder)
        assert refusal_of(folder), name
    # The same process, after all of them, still reads a sound one.
    verify(original)
    assert Bundle.load(original).propensities
