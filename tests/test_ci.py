"""A skipped test passes on a developer's machine and fails in CI; an expected failure is no skip."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CASES = {
    "test_while_running": "import pytest\ndef test_a():\n    pytest.skip('no such tool')\n",
    "test_by_a_mark": "import pytest\n@pytest.mark.skip(reason='no such tool')\ndef test_a():\n    pass\n",
    "test_as_a_module": "import pytest\npytest.importorskip('no_such_tool')\ndef test_a():\n    pass\n",
    "test_expected": "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_a():\n    raise ValueError\n",
}


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text(encoding="utf-8"))
    pytester.makepyfile(**CASES)
    return pytester


def test_skips_fail_in_ci(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_CI", "1")
    result = run.runpytest("-p", "no:cacheprovider", "--continue-on-collection-errors")
    result.assert_outcomes(failed=1, errors=2, xfailed=1)
    result.stdout.fnmatch_lines(["*every test must run*"])


def test_skips_pass_elsewhere(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NBA_CI", raising=False)
    run.runpytest("-p", "no:cacheprovider").assert_outcomes(skipped=3, xfailed=1)
