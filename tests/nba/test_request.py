import pytest

from nba.request import Request, RequestError


def test_defaults_and_every_field() -> None:
    assert Request.from_json({"contact": "crm:1"}) == Request("crm:1")
    full = {
        "contact": "crm:1",
        "placement": "infocenter",
        "limit": 5,
        "exclude": ["a", "a", "b"],
        "context": {"topic": "pumps", "page": 3},
        "explain": True,
        "decision_id": "d1",
        "defer": True,
    }
    found = Request.from_json(full)
    assert (found.exclude, found.topic, found.limit, found.defer) == (("a", "b"), "pumps", 5, True)
    assert hash(found.contact) and found == Request.from_json(full)


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({}, "contact"),
        ({"contact": ""}, "contact"),
        ({"contact": "  "}, "contact"),
        ({"contact": 4711}, "contact"),
        ({"contact": "a\x00b"}, "contact"),
        ({"contact": "\ud800"}, "contact"),
        ({"contact": "x" * 501}, "contact"),
        ({"contact": "x", "limit": 0}, "limit"),
        ({"contact": "x", "limit": True}, "limit"),
        ({"contact": "x", "limit": 101}, "limit"),
        ({"contact": "x", "exclude": "mail"}, "exclude"),
        ({"contact": "x", "exclude": [1]}, "exclude"),
        ({"contact": "x", "context": []}, "context"),
        ({"contact": "x", "context": {"topic": 1}}, "context"),
        ({"contact": "x", "context": {f"k{n}": n for n in range(51)}}, "context"),
        ({"contact": "x", "context": {"k" * 101: 1}}, "context"),
        ({"contact": "x", "context": {"k": "x" * 501}}, "context"),
        ({"contact": "x", "context": {"k": {"a": 1}}}, "context"),
        ({"contact": "x", "context": {"k": [[1]]}}, "context"),
        ({"contact": "x", "context": {"k": list(range(51))}}, "context"),
        ({"contact": "x", "context": {"k": 2**53 + 2}}, "context"),
        ({"contact": "x", "exclude": ["a"] * 1001}, "exclude"),
        ({"contact": "x", "limit": 2.5}, "limit"),
        ({"contact": "x", "explain": 1}, "explain"),
        ({"contact": "x", "defer": "no"}, "defer"),
        ({"contact": "x", "decision_id": ""}, "decision_id"),
        ({"contact": "x", "placment": "infocenter"}, "'placment'"),
    ],
)
def test_a_wrong_field_is_named(given: dict[str, object], place: str) -> None:
    with pytest.raises(RequestError) as refused:
        Request.from_json(given)
    assert len(refused.value.complaints) == 1
    assert refused.value.complaints[0].startswith(f"{place}: ")


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert Request.from_json({"contact": "x", "limit": 3.0}).limit == 3


def test_all_complaints_come_at_once_and_a_misspelt_field_is_offered_the_right_one() -> None:
    with pytest.raises(RequestError) as refused:
        Request.from_json({"limit": -1, "contcat": "x", "explain": "yes"})
    assert len(refused.value.complaints) == 4
    assert "did you mean 'contact'?" in str(refused.value)


@pytest.mark.parametrize("given", [None, [], "crm:1", 3])
def test_anything_but_an_object_is_refused(given: object) -> None:
    with pytest.raises(RequestError, match="not an object"):
        Request.from_json(given)


@pytest.mark.parametrize("given", [" d", "d ", "d\u00a0", "\u2003d"])
def test_an_id_of_a_decision_that_feedback_would_trim_is_refused(given: str) -> None:
    with pytest.raises(RequestError, match=r"decision_id: .* begins or ends with a blank; leave it out"):
        Request.from_json({"contact": "x", "decision_id": given})
    assert Request.from_json({"contact": "x", "decision_id": "d 1"}).decision_id == "d 1"
