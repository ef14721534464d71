import base64
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.rows.row_types import KeyRow
from features.store.keys import revoke_key, store_key
from features.store.own_names import bare
from features.store.store import Store
from nba.partners.visibility import Viewer
from serving.authorization import presented
from serving.caller import Caller
from serving.keys import Keys, Ring, digest_of, new_key
from serving.own_names import LONGEST, is_own, own_name
from serving.problems import Problem
from serving.rates import Rates

NOW = 1_764_000_000_000_000
# Names of tests hold them, and several processes must come to the same names.
KEY, OTHER = "nba_R4IFNFavXV06d4Yj1rOIorBrcEFCzhdb82FlJMy3lMu", "nba_" + "7" * 43


def row(key=KEY, **more):
    told: dict[str, Any] = {
        "name": "crm",
        "scopes": ("read",),
        "partner": None,
        "owner": None,
        "public": False,
        "origins": (),
    }
    told |= {"rate": None, "created_at": NOW, "key_id": f"id of {key}"} | more
    return KeyRow(digest=digest_of(key), **told)


def test_a_key_is_256_bits_in_letters_and_digits():
    keys = [new_key() for _ in range(200)]
    assert len(set(keys)) == 200
    assert all(re.fullmatch(r"nba_[0-9A-Za-z]{43}", key) for key in keys)
    assert {letter for key in keys for letter in key[4:]} == set(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    )


def test_the_ring_tells_who_holds_a_key():
    found = Ring([row(partner="north", scopes=("recommend", "feedback"), rate=5.0)]).caller(KEY, NOW)
    assert found == Caller(
        f"id of {KEY}", "crm", frozenset({"recommend", "feedback"}), Viewer(partner="north"), rate=5.0
    )
    assert found.key == "crm" and found.is_bound


@pytest.mark.parametrize("asked", [OTHER, KEY[:-1], KEY + "x", KEY.swapcase(), "", digest_of(KEY), "ü" * 9, "x" * 9999])
def test_nothing_else_opens(asked):
    assert Ring([row()]).caller(asked, NOW) is None


def test_a_key_holds_until_it_expires_or_is_revoked():
    ring = Ring([row(expires_at=NOW)])
    assert ring.caller(KEY, NOW - 1) is not None and ring.caller(KEY, NOW) is None
    assert Ring([row(revoked_at=NOW + 99)]).caller(KEY, NOW) is None
    assert not ring.is_unused and not Ring([row(revoked_at=1)]).is_unused and Ring([]).is_unused


def test_keys_whose_digests_begin_alike_are_told_apart():
    other = new_key()
    alike = row(other, name="other")._replace(digest=digest_of(KEY)[:8] + digest_of(other)[8:])
    ring = Ring([alike, row()])
    found = ring.caller(KEY, NOW)
    assert found is not None and found.name == "crm" and ring.caller(other, NOW) is None


def test_pages_come_in_while_a_public_key_lists_them():
    shop, blog = "https://shop.example", "https://blog.example"
    rows = [
        row(public=True, origins=(shop,), expires_at=NOW),
        row(new_key(), public=True, origins=(shop, blog), expires_at=NOW + 5),
        row(new_key(), public=True, origins=("https://old.example",), revoked_at=1),
        row(new_key(), public=False, origins=("https://private.example",)),
    ]
    ring = Ring(rows)
    assert ring.lets_pages(shop, NOW + 4) and ring.lets_pages(blog, NOW + 4)
    assert not ring.lets_pages(shop, NOW + 5)
    refused = ("https://old.example", "https://private.example", "", "null")
    assert not any(ring.lets_pages(origin, NOW) for origin in refused)


def test_what_was_read_stays_until_something_changes(store_url):
    with Store.open(store_url) as store:
        keys = Keys(lambda: NOW)
        keys.read(store)
        assert keys.ring.is_unused and keys.ring.live(NOW) == 0
        with store.writing() as writing:
            store_key(writing, row())
        keys.read(store)
        ring = keys.ring
        assert ring.caller(KEY, NOW) is not None and ring.live(NOW) == 1
        keys.read(store)
        assert keys.ring is ring
        with store.writing() as writing:
            revoke_key(writing, f"id of {KEY}", NOW)
        keys.read(store)
        assert keys.ring.caller(KEY, NOW) is None and keys.ring.live(NOW) == 0


def basic(text):
    return b"Basic " + base64.b64encode(text)


@pytest.mark.parametrize(
    "given",
    [f"Bearer {KEY}".encode(), f"bEARER   {KEY} ".encode(), basic(f"{KEY}:".encode()), basic(f"{KEY}:x:y".encode())],
)
def test_a_key_is_read_from_bearer_and_basic(given):
    assert presented([(b"host", b"x"), (b"authorization", given)]) == KEY


@pytest.mark.parametrize(
    "given",
    [
        [],
        [b""],
        [KEY.encode()],
        [b"Bearer"],
        [b"Bearer a b"],
        [b"Basic " + KEY.encode()],
        [basic(KEY.encode())],
        [basic(b":" + KEY.encode())],
        [b"Basic !!!"],
        [f"Bearer {KEY}".encode()] * 2,
        [b"Bearer " + b"x" * 20_000],
        [b"Bearer \xff\xfe"],
        [basic(b"\xff\xfe:")],
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_no_key(given):
    assert presented([(b"authorization", each) for each in given]) is None


@given(st.lists(st.binary(max_size=300), max_size=3), st.sampled_from([b"", b"Bearer ", b"Basic ", b"basic\t"]))
def test_no_header_opens_by_chance_and_none_is_an_error(values, kind):
    headers = [(b"authorization", kind + value) for value in values]
    found = presented(headers)
    assert found is None or Ring([row()]).caller(found, NOW) is None


@given(st.text(min_size=1).filter(lambda text: ":" not in text), st.text())
def test_basic_gives_back_the_user_that_was_put_in(user, password):
    found = presented([(b"authorization", basic(f"{user}:{password}".encode("utf-8", "surrogatepass")))])
    assert found == (user if user.isascii() else None)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def caller(rate, key_id="k"):
    return Caller(key_id, "crm", frozenset({"read"}), rate=rate)


def taken(rates, who, n):
    done = 0
    for _ in range(n):
        try:
            rates.take(who)
            done += 1
        except Problem as refused:
            assert refused.status == 429
    return done


def test_a_bucket_holds_what_a_second_brings():
    clock = Clock()
    rates = Rates(clock, clock)
    assert taken(rates, caller(5.0), 20) == 5
    assert taken(rates, caller(5.0, "other"), 20) == 5 and taken(rates, caller(None), 20) == 20
    clock.now += 0.4
    assert taken(rates, caller(5.0), 20) == 2
    clock.now += 3600
    assert taken(rates, caller(5.0), 20) == 5


def test_a_refusal_says_when_to_come_again():
    clock = Clock()
    rates = Rates(clock, clock)
    rates.take(caller(0.1))
    with pytest.raises(Problem) as refused:
        rates.take(caller(0.1))
    assert refused.value.headers == {"Retry-After": "10", "X-RateLimit-Reset": "110"}
    clock.now += 10
    rates.take(caller(0.1))


names = st.text(min_size=1, max_size=60)


@given(names, names, names)
def test_own_names_of_different_callers_never_meet(name, one, other):
    north, south, owner = Viewer(partner=one), Viewer(partner=other), Viewer(owner=one)
    found = own_name(north, name)
    assert own_name(north, found) == found and is_own(north, found) and not is_own(owner, found)
    assert (own_name(south, name) == found) == (one == other) or is_own(south, name) or is_own(north, name)
    assert bare(found) == bare(name)


def test_an_own_name_is_never_too_long_for_a_store():
    found = own_name(Viewer(partner="north"), "crm:" + "ä" * 500)
    assert len(found.encode()) <= LONGEST and found.startswith("crm:") and found.endswith("@partner:north")
    assert found != own_name(Viewer(partner="north"), "crm:" + "ä" * 501)
