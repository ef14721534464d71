"""The comparison of features runs, and everybody computes the same."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("polars")

from bench import own_ways
from bench.bench_features import CONTENDERS, Line, compare
from bench.wanted import WANTED, Arrays, world


@pytest.fixture(scope="module")
def data() -> Arrays:
    return world(3_000, 150, 400)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data: Arrays) -> Path:
    """With the lake, and what ours makes of the log."""
    folder = tmp_path_factory.mktemp("bench")
    own_ways.write_lake(data, folder, lambda _: None)
    np.save(folder / "wanted.npy", own_ways.ours(dict(data), folder, 1)[1])
    return folder


@pytest.mark.parametrize("name", sorted(CONTENDERS.keys() - {"ours"}))
def test_every_contender_computes_what_ours_does(folder: Path, data: Arrays, name: str) -> None:
    figures, found = CONTENDERS[name](dict(data), folder, 1)
    wanted = np.load(folder / "wanted.npy")
    assert found.shape == (400, len(WANTED))
    for i, column in enumerate(WANTED):
        np.testing.assert_allclose(found[:, i], wanted[:, i], rtol=1e-5, atol=1e-8, err_msg=column.name)
    assert figures["seconds"] > 0


def test_rows_of_contacts_without_a_touchpoint_are_filled_from_the_lake(tmp_path: Path, data: Arrays) -> None:
    few = {**data, **{name: data[name][:40] for name in ("contact", "ts", "kind", "channel", "value", "topic")}}
    own_ways.write_lake(few, tmp_path, lambda _: None)
    _, wanted = own_ways.ours(dict(few), tmp_path, 1)
    np.testing.assert_array_equal(own_ways.ours_lake(few, tmp_path, 2)[1], wanted)


def test_a_contender_that_fails_is_named_and_the_others_go_on(
    tmp_path: Path, data: Arrays, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    # Behind the project and before what is installed.
    (broken / "polars.py").write_text("raise MemoryError('no room')")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    for key, column in data.items():
        np.save(tmp_path / f"in-{key}.npy", column)
    lines = compare(data, tmp_path, ["polars"], 1)
    assert "polars: did not finish: MemoryError: no room" in capsys.readouterr().out
    assert any(line.what == "largest relative difference to ours_lake" and line.is_kept for line in lines)


def test_a_limit_may_be_a_floor_or_the_most_there_may_be() -> None:
    assert Line("ratio", 6.0, 6.0).is_kept
    assert not Line("ratio", 5.9, 6.0).is_kept
    assert Line("peak", 1200.0, 1200.0, is_most=True).is_kept
    assert not Line("peak", float("inf"), 1200.0, is_most=True).is_kept
    assert str(Line("ratio", 5.9, 6.0)).endswith("MISSED")
