"""The calls of docs/integrate/curl.md, as they stand there."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from serving.process import ServerProcess

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "docs/integrate/curl.md"


def test_every_call_does_what_it_says(tmp_path):
    (tmp_path / "nba.toml").write_text('[actions.call]\nchannel = "phone"\n')
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    answers = []
    with ServerProcess(tmp_path / "nba.toml") as server:
        for block in blocks:
            program = block.replace("http://127.0.0.1:8000", server.address).replace("curl -s", "curl -s --noproxy '*'")
            said = subprocess.run(["bash", "-ec", program], capture_output=True, text=True, check=True).stdout
            answers += [json.loads(each) for each in re.findall(r"\{.*?\}(?=\{|$)", said, re.DOTALL)]
    stored = [each["stored"] for each in answers if "stored" in each]
    assert stored == [1, 1, 1, 1]
    assert {each["decision_id"] for each in answers if "decision_id" in each} == {"mail-2026-11-21-4711"}
    assert [each["pending"] for each in answers if "pending" in each] == [False]
