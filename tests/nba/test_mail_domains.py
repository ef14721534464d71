"""Mail domains: who is joined to which account since when, and who never is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.accounts import MOST_CONTACTS
from features.rows.row_types import LinkRow, RecordRow
from features.store.store import Store
from features.times import ALWAYS, DAY
from features.touchpoints.touchpoints import TouchpointRules
from nba.cli import main
from nba.free_mailers import is_free
from nba.mail_domains import Joined, domain_of, join_by_domain

RULES = TouchpointRules()
NOW = 100 * DAY


@pytest.fixture
def store(tmp_path):
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as opened:
        yield opened


def contact(name: str, at: int = 1, **traits: object) -> RecordRow:
    return RecordRow(name, at, {key: value for key, value in traits.items()})


def join(store: Store, *contacts: RecordRow, accounts: tuple[RecordRow, ...] = (), now: int = NOW) -> Joined:
    with store.writing() as writing:
        writing.contacts(contacts)
        writing.records("accounts", accounts)
    return join_by_domain(store, RULES, now)


def account_of(store: Store, name: str, at: int = NOW + 1) -> object:
    return store.traits(name, at).get("account")


def test_who_has_no_account_belongs_to_that_of_its_domain_since_the_address_is_known(store):
    found = join(store, contact("crm:1", 5 * DAY, email="Ann@Acme.ch"), contact("crm:2", ALWAYS, email="bob@acme.ch"))
    assert found == Joined(2, 1, 0)
    assert (account_of(store, "crm:1"), account_of(store, "crm:1", 5 * DAY)) == ("acme.ch", None)
    assert account_of(store, "crm:2", 0) == "acme.ch"


def test_the_account_that_names_the_domain_comes_before_the_one_that_colleagues_belong_to(store):
    people = (
        contact("crm:1", email="ann@acme.ch", account="a7"),
        contact("crm:2", email="bob@acme.ch"),
        contact("crm:3", email="eve@metal.ch", account="m1"),
        contact("crm:4", 3, email="tom@metal.ch"),
    )
    join(store, *people, accounts=(RecordRow("acme-ag", 2, {"website": "https://www.ACME.ch/de"}),))
    assert [account_of(store, f"crm:{n}") for n in (1, 2, 3, 4)] == ["a7", "acme-ag", "m1", "m1"]
    assert account_of(store, "crm:2", 2) is None


def test_what_colleagues_are_said_to_belong_to_counts_since_that_is_known(store):
    join(store, contact("crm:1", 20 * DAY, email="ann@acme.ch", account="a7"), contact("crm:2", 5, email="bob@acme.ch"))
    assert (account_of(store, "crm:2", 20 * DAY), account_of(store, "crm:2", 20 * DAY + 1)) == (None, "a7")


def test_where_several_accounts_are_in_question_nobody_is_joined(store):
    people = (contact(f"crm:{n}", email=f"p{n}@acme.ch", account=f"a{n}") for n in (1, 2))
    assert join(store, *people, contact("crm:3", email="x@acme.ch")) == Joined(0, 0, 1)
    assert account_of(store, "crm:3") is None


def test_free_mailers_consumers_hashes_and_who_was_taken_out_are_never_joined(store):
    found = join(
        store,
        contact("crm:1", email="ann@gmx.ch"),
        contact("crm:2", email="bob@acme.ch", person_type="consumer"),
        contact("crm:3", email="5f3ab2"),
        contact("crm:4", 1, email="d@acme.ch", account="a7"),
        contact("crm:4", 2, account=None),
        contact("crm:5", email=None),
    )
    assert found.contacts == 0


def test_a_crowd_is_no_buying_group_but_where_an_account_names_its_domain(store):
    crowd = [contact(f"crm:{n}", email=f"p{n}@provider.net") for n in range(MOST_CONTACTS + 1)]
    assert join(store, *crowd).contacts == 0
    named = (RecordRow("provider", 1, {"domain": "provider.net"}),)
    assert join(store, accounts=named).contacts == MOST_CONTACTS + 1


def test_what_is_said_of_one_identity_is_said_of_the_contact(store):
    with store.writing() as writing:
        writing.links([LinkRow("crm:1", "web:1", 5, "login")])
    people = (
        contact("web:1", 9, email="ann@acme.ch"),
        contact("crm:1", account="a7"),
        contact("crm:2", email="b@acme.ch"),
    )
    assert join(store, *people).contacts == 1
    assert (account_of(store, "web:1"), account_of(store, "crm:2")) == (None, "a7")


def test_who_changes_address_changes_account_unless_somebody_said_which(store):
    join(store, contact("crm:1", 1, email="ann@acme.ch"), contact("crm:2", 1, email="b@acme.ch", account="a7"))
    join(store, contact("crm:3", 1, email="c@solo.ch"))
    join(store, contact("crm:3", 9, email="c@metal.ch"), contact("crm:2", 9, email="b@metal.ch"))
    assert account_of(store, "crm:2") == "a7" and account_of(store, "crm:3", 9) == "solo.ch"
    assert account_of(store, "crm:3") in ("metal.ch", "a7")


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5), st.integers(1, 9), st.sampled_from(["a@acme.ch", "b@metal.ch", "c@gmx.net", None]),
            st.sampled_from(["a1", "a2", None, "-"]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_joining_again_changes_nothing_and_no_word_of_anybody_is_overruled(tmp_path_factory, told):
    rows = [
        contact(f"crm:{who}", at, **({"email": email} | ({} if account == "-" else {"account": account})))
        for who, at, email, account in told
    ]
    url = f"sqlite:///{tmp_path_factory.mktemp('mail')}/nba.db"
    with Store.open(url) as store:
        with store.writing() as writing:
            writing.contacts(rows)
        said = {row.key: account_of(store, row.key) for row in rows}
        first = join_by_domain(store, RULES, NOW)
        after = {row.key: account_of(store, row.key) for row in rows}
        assert {name: found for name, found in after.items() if said[name] is not None} == {
            name: account for name, account in said.items() if account is not None
        }
        again = join_by_domain(store, RULES, NOW)
        assert again.contacts == 0 and again.unclear <= first.unclear + first.contacts


def test_addresses_and_houses():
    assert domain_of(" Ann.Lee@Sales.Acme.co.uk ") == "sales.acme.co.uk"
    assert domain_of("ann@localhost") is None and domain_of(7) is None and domain_of("a@b@c.ch") is None
    assert is_free("outlook.com") and is_free("mail.com") and is_free("t-online.de") and not is_free("mail.acme.ch")


def test_the_command_and_the_load_join_only_where_it_is_switched_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "contacts.csv").write_text("identity,email\ncrm:1,ann@acme.ch\ncrm:2,bob@web.de\n", encoding="utf-8")
    (tmp_path / "nba.toml").write_text("", encoding="utf-8")
    assert main(["load", "contacts", "contacts.csv"]) == 0
    assert main(["identities", "accounts"]) == 1 and "email_domains = true" in capsys.readouterr().err
    (tmp_path / "nba.toml").write_text("[accounts]\nemail_domains = true\n", encoding="utf-8")
    assert main(["identities", "accounts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"contacts": 1, "accounts": 1, "unclear": 0}
    (tmp_path / "more.csv").write_text("identity,email\ncrm:3,eve@acme.ch\n", encoding="utf-8")
    assert main(["load", "contacts", "more.csv"]) == 0
    assert "1 contacts joined to 1 accounts" in capsys.readouterr().err
    with Store.open("sqlite:///nba.db") as store:
        assert account_of(store, "crm:3", 2**62) == "acme.ch" and account_of(store, "crm:2", 2**62) is None
