"""Each fault of nba.toml is told at its place, with what would be right."""

import pytest

from nba.settings import SettingsError, parse_settings


def complaints(document: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        parse_settings(document)
    return caught.value.complaints


@pytest.mark.parametrize(
    ("document", "place", "words"),
    [
        ("colour = 1", "colour", "not a known key"),
        ("[rankin]", "rankin", "`ranking`"),
        ("store = 1", "store", "not a table"),
        ('[store]\nurl = "mysql://x"', "store.url", "postgresql+psycopg"),
        ('[store]\nurl = "postgresql://u:secret@h/db"', "store.url", "environment"),
        ('[mlflow]\nmodel = "a/b"', "mlflow.model", "leave out"),
        ("[money]\nrates = { CHF = -1 }", "money.rates.CHF", "above 0"),
        ("[money]\nrates = { EUR = 2 }", "money.rates", "base currency"),
        ('[money]\nbase = "euro"', "money.base", '"EUR"'),
        ('[touchpoints]\nreturns = ["order"]', "touchpoints.returns", "`money`"),
        ('[topics]\nrules = [{ property = "url", topic = "x" }]', "topics.rules[1]", "`matches`"),
        ('[topics]\nrules = [{ property = "url", topic = "x", contains = [] }]', "topics.rules[1].contains", "empty"),
        ('[topics]\nrules = [{ property = "u", topic = "a//b", matches = "*" }]', "topics.rules[1].topic", "level"),
        ('[topics]\nrules = [{ property = "u", topic = "", matches = "*" }]', "topics.rules[1].topic", "not a name"),
        ('[topics]\nrules = [{ property = "u", matches = "*" }]', "topics.rules[1].topic", "is missing"),
        ('[topics]\nrules = [{ topic = "a", matches = "*" }]', "topics.rules[1].property", "is missing"),
        ('[topics]\nrules = [{ property = "u", topic = "a", match = "*" }]', "topics.rules[1].match", "`matches`"),
        (
            '[topics]\nrules = [{ property = "u", topic = "a", matches = "/s?q=pump" }]',
            "topics.rules[1].matches",
            "never fit",
        ),
        ('[goals.g]\nkinds = ["a"]\nhorizon = "soon"', "goals.g.horizon", "not a duration"),
        ('[goals.g]\nkinds = ["a"]\nhorizon = "0d"', "goals.g.horizon", "no time at all"),
        ('[goals.g]\nkinds = ["a"]', "goals.g.horizon", "is missing"),
        ('[goals.g]\nhorizon = "1d"', "goals.g", "absence_of"),
        ('[goals.g]\nhorizon = "1d"\nkinds = ["a"]\nabsence_of = ["b"]', "goals.g", "not both"),
        ('[goals.g]\nkinds = "a"\nhorizon = "1d"', "goals.g.kinds", '["a"]'),
        ('[goals.g]\nkinds = ["a"]\nhorizon = { until = "x" }', "goals.g.horizon", "snapshots.after"),
        ('[goals.g]\nkinds = ["a"]\nhorizon = "1d"\nlinked = true', "goals.g.linked", "snapshots.after"),
        ('[goals.g]\nkinds = ["a"]\nhorizon = "1d"\nhorizn = 1', "goals.g.horizn", "`horizon`"),
        ('[goals."a/b"]\nkinds = ["a"]\nhorizon = "1d"', 'goals."a/b"', "letters, digits"),
        (
            '[goals.g]\nkinds = ["a"]\nhorizon = "1d"\namong = { within = "1d" }',
            "goals.g.among.within",
            "`seen`",
        ),
        ("[snapshots]\ntest = 1.0", "snapshots.test", "below 1"),
        ('[snapshots]\nevery = "1d"\nafter = { kind = "a" }', "snapshots.every", "`after`"),
        ('[snapshots]\ntest_from = "12"', "snapshots.test_from", "2026-07-01"),
        (
            '[points]\nthresholds = [{ from = 1, actions = ["nope"] }]',
            "points.thresholds[1].actions",
            '"nope"',
        ),
        ("[points]\nthresholds = [{ actions = [] }]", "points.thresholds[1].actions", "empty"),
        ('[points]\nonce = ["nope"]', "points.once", '"nope"'),
        ("[points.schemes.a.schemes.b]", "points.schemes.a.schemes", "not a known key"),
        ('[points]\nfit = { trait = "gender", points = {} }', "points.fit.trait", "protected"),
        ("[stages]\nclusters = 9", "stages.clusters", "from 2 to 6"),
        ('[stages.rules.nope]\nseen = ["a"]\nwithin = "1d"', "stages.rules.nope", '"need"'),
        ("[segments]\nall = {}", "segments.all", "everybody"),
        ("[segments]\nx = { churn_from = 0.5 }", "segments.x.churn_from", "[goals.churn]"),
        ("[actions.a]", "actions.a.channel", "is missing"),
        ('[actions.a]\nchannel = "x"\ncost = -1', "actions.a.cost", "at least 0"),
        ('[actions.a]\nchannel = "x"\ngoal = "nope"', "actions.a.goal", "none is defined"),
        ('[actions.a]\nchannel = "x"\nstages = ["nope"]', "actions.a.stages", '"unaware"'),
        ('[actions.a]\nchannel = "x"\nneeds = { segment = "s" }', "actions.a.needs.segment", "segment"),
        ('[actions.a]\nchannel = "x"\nplacements = ["infocentre"]', "actions.a.placements", "infocenter"),
        ('[actions.a]\nchannel = "x"\nwhen = { every = "1y" }', "actions.a.when", "exactly one"),
        ('[actions.a]\nchannel = "x"\nwhen = { falls = "revenue" }', "actions.a.when.by", "missing"),
        ('[actions.a]\nchannel = "x"\nwhen = { trait = "gender", within = "1d" }', "actions.a.when.trait", "prot"),
        (
            '[actions.a]\nchannel = "x"\nwhen = { event = "begins", from = "-2d", to = "0d" }',
            "actions.a.when.event",
            "starts_at",
        ),
        (
            '[actions.a]\nchannel = "x"\nwhen = { trait = "t", every = "1y", within = "366d" }',
            "actions.a.when.within",
            "longer than `every`",
        ),
        ('[actions.a]\nchannel = "x"\nwhen = { points_pass = 0 }', "actions.a.when.points_pass", "above 0"),
        ('[actions.a]\nchannel = "x"\nstart = { propensity = 1 }', "actions.a.start.propensity", "below 1"),
        ('[actions.a]\nchannel = "x"\ncapacity = { count = 1 }', "actions.a.capacity", "`total`"),
        ('[actions.do_nothing]\nchannel = "x"', "actions.do_nothing", "always a candidate"),
        (
            '[actions.a]\nchannel = "x"\nneeds = { traits = { gender = "f" } }',
            "actions.a.needs.traits.gender",
            "prot",
        ),
        (
            '[actions.a]\nchannel = "x"\nvalid = { from = "2026-03-01", to = "2026-01-01" }',
            "actions.a.valid.to",
            "after `from`",
        ),
        ('[contact_policy]\ncaps = [{ per = "7d" }]', "contact_policy.caps[1].count", "missing"),
        ('[contact_policy]\nquiet = { from = "20:00", to = "20:00" }', "contact_policy.quiet.to", "same"),
        (
            '[contact_policy]\nquiet = { from = "25:00", to = "20:00" }',
            "contact_policy.quiet.from",
            '"20:00"',
        ),
        ('[contact_policy]\ntimezone = "Zurich"', "contact_policy.timezone", "Europe/Zurich"),
        ('[contact_policy]\nholds = [{ open = "a" }]', "contact_policy.holds[1].until", "`open`"),
        (
            '[contact_policy]\npauses = [{ outcome = "rejcted", pause = "1d" }]',
            "contact_policy.pauses[1].outcome",
            "rejected",
        ),
        (
            '[actions.a]\nchannel = "email"\n[contact_policy.consent]\nemial = "opt_in"',
            "contact_policy.consent.emial",
            '"email"',
        ),
        (
            '[contact_policy.consent]\nphone = { business = "opt_in", consumer = "presumed" }',
            "contact_policy.consent.phone.consumer",
            "opt_in",
        ),
        ("[ranking.levers]\nnope = 20", "ranking.levers.nope", "none is defined"),
        ("[ranking]\nepsilon = nan", "ranking.epsilon", "number"),
        ('[ranking]\npolicy = "best"', "ranking.policy", '"thompson"'),
        ("[serving]\nport = 70000", "serving.port", "65535"),
    ],
)
def test_a_fault_is_told_with_its_place_and_what_is_allowed(document: str, place: str, words: str) -> None:
    found = [complaint for complaint in complaints(document) if complaint.startswith(f"{place}: ")]
    assert found and words in found[0], complaints(document)


def test_all_faults_are_told_at_once() -> None:
    found = complaints('[goals.conversion]\nkinds = ["order"]\nhorizon = "soon"\ncolour = 1\n[plan]\nbudget = "x"')
    assert [complaint.partition(": ")[0] for complaint in found] == [
        "goals.conversion.horizon",
        "goals.conversion.colour",
        "plan.budget",
    ]
