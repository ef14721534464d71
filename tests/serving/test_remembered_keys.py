"""Keys on the disk: found again by the same service and store, for a day, as they were."""

import stat

import pytest

from features.rows.row_types import KeyRow
from serving.remembered_keys import FILE, HOLDS, RememberedKeys

NOW = 1_764_000_000_000_000
SECRET, URL = b"s" * 32, "postgresql://nba@db/nba"
ROWS = (
    KeyRow("k1", "crm", "a" * 64, ("recommend", "feedback"), "north", None, False, (), 20.0, NOW - 5),
    KeyRow("k2", "shop", "b" * 64, ("ingest",), None, None, True, ("https://shop.example",), None, NOW - 4, NOW, NOW),
)


@pytest.fixture
def file(tmp_path):
    RememberedKeys(tmp_path, SECRET, URL).keep(ROWS, NOW)
    return tmp_path / FILE


def recalled(folder, now=NOW, secret=SECRET, url=URL):
    return RememberedKeys(folder, secret, url).recall(now)


def test_they_are_recalled_as_they_were(file):
    assert recalled(file.parent) == ROWS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [FILE]


def test_keys_of_long_ago_of_another_store_or_service_are_none(file):
    folder = file.parent
    assert recalled(folder, NOW + HOLDS) == ROWS and recalled(folder, NOW + HOLDS + 1) == ()
    assert recalled(folder, NOW - HOLDS) == ()
    assert recalled(folder, secret=b"t" * 32) == () and recalled(folder, url=URL + "2") == ()


def test_a_file_that_was_changed_opens_nothing(file):
    text = file.read_bytes()
    for changed in (text.replace(b'"recommend"', b'"privacy"'), text[:-1], text[70:], b"", b"\n"):
        assert changed != text
        file.write_bytes(changed)
        assert recalled(file.parent) == ()
    file.unlink()
    assert recalled(file.parent) == ()


def test_it_is_written_where_keys_change_and_confirmed_now_and_then(tmp_path):
    kept = RememberedKeys(tmp_path, SECRET, URL)

    def written(rows, now):
        (tmp_path / FILE).unlink(missing_ok=True)
        kept.keep(rows, now)
        return (tmp_path / FILE).exists()

    assert written(ROWS, NOW) and not written(ROWS, NOW + 1)
    assert written(ROWS[:1], NOW + 2) and not written(ROWS[:1], NOW + 3)
    assert written(ROWS[:1], NOW + 1_000_000_000)


def test_a_folder_that_cannot_be_written_costs_no_more_than_a_line_in_the_log(tmp_path, caplog):
    kept = RememberedKeys(tmp_path / "gone", SECRET, URL)
    kept.keep(ROWS, NOW)
    kept.keep(ROWS[:1], NOW)
    assert len(caplog.records) == 1


@pytest.mark.parametrize("change", [lambda row: row[:-1], lambda row: (*row, None)])
def test_a_file_of_a_version_whose_keys_were_told_otherwise_is_none(tmp_path, change):
    # Sealed with the same secret, as a version before or after this one would have.
    RememberedKeys(tmp_path, SECRET, URL).keep([change(ROWS[0])], NOW)
    assert recalled(tmp_path) == ()
