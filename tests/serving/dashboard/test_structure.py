"""Landmarks, headings, labels and regions of every page, by the same parts on each."""

import re

import pytest

from serving.dashboard.dashboard import PAGES
from tests.serving.dashboard.counted import lived
from tests.serving.dashboard.structure import Structure
from tests.serving.dashboard.test_signing_in import KEY, signed_in, with_key


@pytest.fixture
def pages(local):
    """Every page of a service that has lived for a while, in both languages, by (language, address)."""

    async def journey(client):
        await signed_in(client, next="/today")
        client.headers["authorization"] = f"Bearer {KEY}"
        await lived(client, local)
        del client.headers["authorization"]
        found = {}
        for language in ("en", "de"):
            client.headers["accept-language"] = language
            for path in ("/sign-in", "/contacts/nobody", "/contacts?q=crm", *addresses()):
                answer = await client.get(path)
                if answer.headers["content-type"].startswith("text/html") and "<html" in answer.text:
                    found[language, path] = answer.text
        return found

    scopes = ("read", "recommend", "feedback", "ingest", "admin")
    return with_key(local, scopes=scopes).run(journey)


def addresses():
    known = {"contact_id": "crm:1", "account": "acme"}
    return [
        re.sub(r"{(\w+)(:\w+)?}", lambda match: known[match[1]], page.path) for page in PAGES if page.method == "GET"
    ]


def test_every_page_can_be_read_by_all(pages):
    assert len(pages) >= 28
    wrong = {where: found for where, text in pages.items() if (found := Structure(text).faults())}
    assert wrong == {}
    # Each says its language, and where it begins.
    for (language, _), text in pages.items():
        assert f'<html lang="{language}">' in text
        begins = text.index('class="skip" href="#main"')
        assert begins < text.index("<header") < text.index('<main id="main" tabindex="-1">')
        assert re.search(r"<title>[^<]+ · [^<]+</title>", text)


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("<h1>a</h1><h1>b</h1>", "2 of h1"),
        ("<h1>a</h1><h3>b</h3>", "h3 behind h1"),
        ('<input name="a">', "input: a has no label"),
        ("<table></table>", "table: scrolls in no region that the keyboard comes to"),
        ('<p style="color:red">', "p: has the attribute style"),
        ("<script>1</script>", "script: stands in the page"),
        ('<p id="a"></p><p id="a"></p>', "the id a twice"),
    ],
)
def test_what_is_wrong_is_found(page, fault):
    assert fault in Structure(page).faults()
