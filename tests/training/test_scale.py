"""However the work is cut and wherever it is done, every byte of features and scores is the same."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nba.past
from features.own_rows import own_of
from models.estimates import foresee
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.request import Request
from nba.settings import SettingsError, parse_settings
from nba.settings.scale import Scale
from tests.training import scale_worlds
from tests.training.scale_tasks import always_killed, echo, killed_once, wrong
from tests.training.scale_worlds import NOW, belief, settings
from training import parallel
from training.parallel import ScaleError, Work, run
from training.past import Past
from training.rows.matrix_parts import matrix_in_parts, matrix_of
from training.scoring import rows_of, score_table


@pytest.fixture(scope="module")
def past() -> Past:
    return scale_worlds.past()


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "FEWEST", 0)


def test_estimates_of_many_are_those_of_each(past: Past) -> None:
    candidates = Catalogue.of(settings()).candidates
    t = past.touchpoints
    traits = [past.traits.known(name, NOW) for name in t.contacts]
    foreseen = foresee(belief(), t, traits, NOW, candidates)
    for contact in range(len(t.contacts)):
        one = t.only(contact)
        wanted = belief().estimate(one, traits[contact], NOW, candidates)
        found = foreseen.estimate(one, traits[contact], NOW, candidates)
        assert dict(found.propensities) == dict(wanted.propensities)
        assert (found.stage, found.grades, found.evidence) == (wanted.stage, wanted.grades, wanted.evidence)
        np.testing.assert_array_equal(found.propensity, wanted.propensity)
        np.testing.assert_array_equal(found.without_action, wanted.without_action)


def test_scores_are_what_the_service_would_answer(past: Past) -> None:
    scored = {
        row.contact_id: row.body for row in rows_of(score_table(past, settings(), belief(), advance=lambda n: None))
    }
    sober = replace(settings(), ranking=replace(settings().ranking, epsilon=0.0, holdout=0.0))
    catalogue, t = Catalogue.of(sober), past.touchpoints
    of_effect = 0
    for contact, name in enumerate(t.contacts):
        known = nba.past.Past(t.only(contact), past.traits.known(name, NOW))
        found = decide(Request(contact=name), known, belief(), catalogue, NOW, Draw(b"", "score"))
        offers = [(each.action, each.terms.priority) for each in found.recommendations]
        body = scored[name]
        assert [(body[f"action_{i}"], body[f"priority_{i}"]) for i in (1, 2, 3) if body[f"action_{i}"]] == offers
        mail = found.terms.get("mail")
        of_effect += mail is not None and mail.propensity > mail.without_action + 0.01
    assert of_effect > 20


@pytest.mark.parametrize("partitions", [1, 4, 64])
def test_scores_do_not_depend_on_the_number_of_partitions(past: Past, partitions: int) -> None:
    done: list[int] = []
    wanted = score_table(past, settings(), belief(), advance=lambda n: None)
    found = score_table(past, settings(partitions=partitions), belief(), advance=done.append)
    assert found.equals(wanted)
    assert sum(done) == found.num_rows == len(past.current())
    names = found.column("contact_id").to_pylist()
    assert names == sorted(names)
    assert found.column("p_answer").null_count > 0 and found.column("action_1").null_count < found.num_rows
    assert [row.contact_id for row in rows_of(found)] == names


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize(
    "scale", [Scale("sequential", 1), Scale("sequential", 4), Scale("sequential", 64), Scale("loky", 4)]
)
def test_features_do_not_depend_on_partitions_and_processes(past: Past, scale: Scale) -> None:
    rows = scale_worlds.rows(past)
    about = own_of(past.touchpoints, rows.own)
    for features, own in ((scale_worlds.OWN, about), (scale_worlds.BASE, None)):
        wanted = matrix_of(past, rows, features, own, Scale(), advance=lambda n: None)
        done: list[int] = []
        found = matrix_in_parts(past, rows, features, own, scale, advance=done.append)
        assert found.tobytes() == wanted.tobytes()
        assert sum(done) == len(rows)


@pytest.mark.usefixtures("everything_is_large")
def test_scores_do_not_depend_on_the_processes(past: Past) -> None:
    wanted = score_table(past, settings(), belief(), advance=lambda n: None)
    assert score_table(past, settings("loky", 4), belief(), advance=lambda n: None).equals(wanted)
    without = score_table(past, settings(), None, advance=lambda n: None)
    assert score_table(past, settings("loky", 4), None, advance=lambda n: None).equals(without)


def test_small_work_stays_in_this_process() -> None:
    assert parallel.backend_for(parallel.FEWEST - 1, Scale("loky")) == "sequential"
    assert parallel.backend_for(parallel.FEWEST, Scale("loky")) == "loky"
    # Who names a cluster wants it asked, and is told where it does not answer.
    assert parallel.backend_for(1, Scale("dask", scheduler="tcp://there:1")) == "dask"


def work(function, n: int = 10, common: bytes = b"") -> Work:
    return Work(function, common, lambda i: str(i).encode(), n, parallel.FEWEST)


@pytest.mark.parametrize("backend", ["sequential", "loky"])
def test_results_come_in_the_order_of_the_tasks(backend: str) -> None:
    found = list(run(work(echo, 20, b"t"), Scale(backend)))
    assert found == [f"t{i}".encode() for i in range(20)]
    assert list(run(work(echo, 0), Scale(backend))) == []


@pytest.mark.slow
def test_what_a_killed_worker_did_is_done_again(tmp_path: Path) -> None:
    found = list(run(work(killed_once, common=str(tmp_path).encode()), Scale("loky")))
    assert found == [str(i).encode() for i in range(10)]
    assert {path.name for path in tmp_path.iterdir()} == {"3", "7"}


def test_workers_that_die_again_and_again_end_the_work_with_a_sentence() -> None:
    with pytest.raises(ScaleError, match="killed 3 times in a row, most likely for want of memory; cut smaller"):
        list(run(work(always_killed), Scale("loky")))


def test_an_error_in_a_task_is_the_callers(past: Past) -> None:
    for backend in ("sequential", "loky"):
        with pytest.raises(ValueError, match=r"no \d"):
            list(run(work(wrong), Scale(backend)))


def test_a_cluster_that_is_away_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_CONNECT_SECONDS", 0.5)
    scale = Scale("dask", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ScaleError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1 .* start one"):
        list(run(work(echo), scale))


def test_dask_needs_the_address_of_its_cluster() -> None:
    with pytest.raises(SettingsError, match=r'scale\.scheduler: is missing; backend "dask" needs the cluster'):
        parse_settings('[scale]\nbackend = "dask"')
    found = parse_settings('[scale]\nbackend = "dask"\nscheduler = "tcp://there:8786"\npartitions = 8')
    assert found.scale == Scale("dask", 8, "tcp://there:8786") and found.not_built_yet == ()
    assert replace(found.scale, backend="loky") == Scale("loky", 8, "tcp://there:8786")
