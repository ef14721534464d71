"""The settings file means what its example says, and forgives nothing."""

import copy
import pickle
import tomllib
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from features.times import DAY, HOUR
from models.points_table import FitPoints, PointsTable, Threshold
from models.stages.rules import StageRule
from nba.settings import Settings, SettingsError, load_settings, parse_settings
from nba.settings.actions import CostByTrait, Start
from nba.settings.conditions import Needs
from nba.settings.consent import ConsentRule
from nba.settings.goals import After, Among, Snapshots, Until
from nba.settings.occasions import Occasion

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "docs" / "nba.example.toml"
JULY = 1782864000_000_000


@pytest.fixture(scope="module")
def example() -> Settings:
    return parse_settings(EXAMPLE.read_text(encoding="utf-8"), folder=Path("/shop"))


@pytest.fixture(scope="module")
def variants() -> Settings:
    return parse_settings((HERE / "nba.variants.toml").read_text(), folder=Path("/shop"))


def test_example_reads_as_its_comments_say(example: Settings) -> None:
    assert example.store.url == "sqlite:////shop/nba.db"
    assert example.mlflow.tracking_uri == "sqlite:////shop/mlflow.db"
    assert example.mlflow.artifacts == Path("/shop/mlartifacts")
    assert example.touchpoints.rates == {"CHF": 1.05, "USD": 0.92} == example.money.rates
    assert example.goals["conversion"].kinds == ("order",) and example.goals["conversion"].horizon == 30 * DAY
    assert example.goals["conversion"].value == "sum"
    assert example.goals["churn"].among == Among(("order",), 180 * DAY)
    assert example.goals["churn"].is_absence and example.churn_goal == "churn"
    assert example.points.fit == FitPoints("product_fit", {"A": 100, "B": 50, "C": 10})
    assert example.points.thresholds[1] == Threshold(("sales_call",), from_=250)
    assert example.points.schemes["events"].actions(50) == ("sales_call", "invitation", "visit_offer")
    assert example.stages.rules.rules[0] == StageRule("use", ("service_search", "support_ticket"), 60 * DAY)
    assert example.actions["sales_call"].needs == Needs(points_from=100)
    assert example.actions["sales_call"].start == Start(0.03, 200)
    assert example.actions["newsletter_topic"].goal == "conversion"
    assert example.actions["fair_invitation"].when == Occasion("event", "starts_at", from_us=-21 * DAY, to_us=-3 * DAY)
    assert [cap.rule for cap in example.contact_policy.caps] == [
        "cap:email/7d",
        "cap:all/30d",
        "cap:account:all/7d",
    ]
    assert example.contact_policy.consent.asks("phone", "business") == "presumed"
    assert example.contact_policy.consent.asks("phone", None) == "opt_in"
    assert example.contact_policy.consent.asks("letter", None) == "opt_out"
    assert example.ranking.lever("sales_call") == 1.2 and example.ranking.lever("invitation") == 1.0
    assert example.serving.deadline_us == 150_000


def test_every_variant_of_the_comments_reads(variants: Settings) -> None:
    assert variants.goals["redemption"].horizon == Until("ends_at")
    assert variants.goals["redemption"].value == 12.0 and variants.goals["redemption"].linked
    own = variants.goals["redemption"].snapshots
    assert own == Snapshots(every_us=None, after=After("email_sent"), test=0.3, test_from=JULY)
    assert variants.snapshots == Snapshots(None, After("offer_sent", 7 * DAY), 0.3, JULY)
    assert variants.goals["churn"].snapshots == variants.snapshots
    assert variants.goals["churn"].among == Among(without=("declined", "cancelled"))
    assert variants.actions["call"].cost == CostByTrait("visit_cost", 250)
    assert variants.actions["call"].needs.traits == {"size": (3.0,)}
    assert variants.actions["points"].start == Start(0.1, 200)
    assert variants.segments["local"].traits == {"country": ("CH", "DE"), "active": (True,)}
    assert variants.contact_policy.quiet is not None and variants.contact_policy.quiet.from_us == 20 * HOUR
    assert variants.contact_policy.consent.channels["phone"] == ConsentRule("presumed", "opt_in")
    assert variants.points.half_life_us == 90 * DAY and variants.stages.rules.rules == ()
    assert variants.ranking.sticky_us == 0


def test_what_waits_is_named_only_where_it_is_present(example: Settings) -> None:
    assert parse_settings({}).not_built_yet == ()
    assert set(example.not_built_yet) == set()
    assert parse_settings("[touchpoints]\nvisitor_stitching = false").not_built_yet == ()
    assert parse_settings("[touchpoints]\nvisitor_stitching = true").not_built_yet == ()


def test_defaults_are_those_of_the_example(example: Settings) -> None:
    empty = parse_settings({}, folder=Path("/shop"))
    for section in ("store", "mlflow", "money", "snapshots", "stages", "content", "privacy"):
        assert getattr(empty, section) == getattr(example, section), section
    for section in ("accounts", "partners", "serving", "scale"):
        assert getattr(empty, section) == getattr(example, section), section
    assert replace(empty.touchpoints, topic_rules=example.topics.rules) == example.touchpoints
    assert empty.touchpoints.topic_rules == ()
    assert empty.points == PointsTable(thresholds=(), fit=None, schemes={})
    assert empty.points.kinds == example.points.kinds and empty.points.once == example.points.once
    assert empty.topics.half_life_us == example.topics.half_life_us and empty.topics.rules == ()
    assert (empty.goals, empty.actions, empty.segments) == ({}, {}, {})
    policy = empty.contact_policy
    assert (policy.caps, policy.quiet, policy.calendar, policy.pauses, policy.holds) == (
        (),
        None,
        None,
        (),
        (),
    )
    assert policy.consent.asks("email", "consumer") == "opt_out" and policy.timezone == "Europe/Zurich"
    assert (empty.ranking.policy, empty.ranking.epsilon, empty.ranking.holdout) == ("epsilon", 0.02, 0.02)
    assert empty.ranking.sticky_us == 7 * DAY and empty.ranking.levers == {} and empty.plan.budget is None


def test_points_given_in_part_keep_the_rest(example: Settings) -> None:
    points = parse_settings("[points]\nkinds = { visit = 1 }").points
    assert points.kinds == {"visit": 1.0} and points.once == ("newsletter_signup",) and points.thresholds == ()
    assert parse_settings('[points]\nhalf_life = "9d"').points.kinds == example.points.kinds


@pytest.mark.parametrize(("kinds", "value"), [('["order"]', "sum"), ('["visit"]', 1.0), ('["visit", "order"]', "sum")])
def test_value_of_a_success_follows_the_kinds(kinds: str, value: object) -> None:
    goal = parse_settings(f'[goals.g]\nkinds = {kinds}\nhorizon = "1d"').goals["g"]
    assert goal.value == value


def test_goal_of_an_action_is_conversion_else_the_first() -> None:
    head = '[goals.other]\nkinds = ["a"]\nhorizon = "1d"\n[actions.call]\nchannel = "phone"\n'
    assert parse_settings(head).actions["call"].goal == "other"
    both = parse_settings(head + '[goals.conversion]\nkinds = ["a"]\nhorizon = "1d"')
    assert both.actions["call"].goal == "conversion"
    assert parse_settings('[actions.call]\nchannel = "phone"').actions["call"].goal is None


def test_settings_cannot_be_changed_but_travel(example: Settings) -> None:
    with pytest.raises(FrozenInstanceError):
        example.ranking.epsilon = 1.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        example.goals["x"] = example.goals["churn"]  # type: ignore[index]
    again = pickle.loads(pickle.dumps(example.actions))
    assert again == example.actions == copy.deepcopy(example.actions)
    assert hash(again) == hash(example.actions)


def test_a_file_is_named_and_relative_paths_start_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_bytes(b"\xef\xbb\xbf[ranking]\r\nepsilon = 0.5\r\n")
    settings = load_settings(file, {"NBA_STORE_URL": "sqlite:///mine.db?timeout=3"})
    assert settings.store.url == f"sqlite:///{tmp_path}/mine.db?timeout=3"
    assert settings.ranking.epsilon == 0.5
    assert load_settings(file, {"MLFLOW_TRACKING_URI": "http://x"}).mlflow.tracking_uri == "http://x"
    assert load_settings(file, {"MLFLOW_TRACKING_URI": "runs"}).mlflow.tracking_uri == str(tmp_path / "runs")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[goals\n", "line 1"),
        (b"a = \xff", "UTF-8"),
        (b"a = 1\na = 2", "line 2"),
        (b"a = " + b"9" * 5000, "not TOML"),
        (b"a = " + b"[" * 100_000, "nested"),
        (b"[plan]\nbudget = -1", "plan.budget"),
    ],
)
def test_an_unreadable_file_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "nba.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_settings(file, {})
    assert len(caught.value.complaints) == 1 and words in str(caught.value) and str(file) in str(caught.value)


def test_no_file_is_an_empty_one_unless_it_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}).store.url == f"sqlite:///{tmp_path}/nba.db"
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(Path("absent.toml"), {})
    with pytest.raises(SettingsError, match="no goal is defined"):
        load_settings(None, {}).need_goals()


def test_the_example_uses_every_section() -> None:
    """Otherwise the checks made with it would miss some."""
    document = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    assert set(document) == set(Settings.__dataclass_fields__) - {"folder", "not_built_yet", "source"}
