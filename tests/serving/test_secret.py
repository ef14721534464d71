import stat

import pytest

from serving.secret import FILE, SecretError, read_secret


def test_the_secret_is_made_once_for_its_owner_only(tmp_path):
    first = read_secret(tmp_path, {})
    assert len(first) >= 32
    assert read_secret(tmp_path, {}) == first
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_two_services_have_different_secrets(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert read_secret(tmp_path / "a", {}) != read_secret(tmp_path / "b", {})


def test_the_environment_wins_and_leaves_no_file(tmp_path):
    assert read_secret(tmp_path, {"NBA_SECRET": "a secret that is long"}) == b"a secret that is long"
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("given", ["", "short"])
def test_a_short_secret_is_refused(tmp_path, given):
    with pytest.raises(SecretError, match="NBA_SECRET is shorter than 16"):
        read_secret(tmp_path, {"NBA_SECRET": given})


def test_an_emptied_file_is_refused(tmp_path):
    (tmp_path / FILE).write_text("")
    with pytest.raises(SecretError, match="shorter than 16"):
        read_secret(tmp_path, {})


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SecretError, match="NBA_SECRET"):
        read_secret(tmp_path / "absent", {})
