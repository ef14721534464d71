"""Scoring every contact: what the service would answer each at one moment, without logging anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.matrix import History
from features.partitions import members
from features.rows.row_types import ScoreRow
from models.belief import Belief
from nba.partners.visibility import OWNER_SIDE, Sight, sight_of
from nba.settings import Settings
from training.parallel import Work, run
from training.past import Past
from training.score_tasks import Scorer, read_scores, schema_of, score_partition, task, told_schema_of

_FIXED = ("contact_id", "as_of", "stage", "points", "model_version")


def score_all(
    past: Past, settings: Settings, belief: Belief | None, *, advance: Callable[[int], None]
) -> Iterator[ScoreRow]:
    """One row a contact, those without a touchpoint too, in order of name; see ``score_table``."""
    return rows_of(score_table(past, settings, belief, advance=advance))


def score_table(past: Past, settings: Settings, belief: Belief | None, *, advance: Callable[[int], None]) -> pa.Table:
    """Score every contact, those without a touchpoint too, in order of name.

    Decisions made before are left aside, and nothing is explored or held out: a score says what is worth doing,
    not what was lately promised or what the log could learn from. ``[scale]`` says where the work is done; the
    scores are the same wherever.

    Parameters
    ----------
    advance
        Told of contacts as they are done.

    Raises
    ------
    ScaleError
        Where the workers could not do their work.
    """
    codes = past.current()
    names = sorted(codes)
    parts = members(names, settings.scale.partitions)
    account = _account(past, belief)

    def make(i: int) -> bytes:
        return _task(past, [names[at] for at in parts[i].tolist()], codes, account)

    scorer = Scorer(settings, belief, past.now, past.tables)
    work = Work(score_partition, scorer.to_bytes(), make, len(parts), len(names))
    tables = [told_schema_of(settings).empty_table()]
    for result in run(work, settings.scale):
        tables.append(read_scores(result))
        advance(tables[-1].num_rows)
    return pa.concat_tables(tables).take(pa.array(_in_order(parts, len(names))))


def _task(past: Past, names: list[str], codes: dict[str, int], account: NDArray[np.float32] | None) -> bytes:
    here = [codes[name] for name in names if codes[name] >= 0]
    traits = [past.traits.known(name, past.now) for name in names]
    return task(past.touchpoints.take(here), names, traits, None if account is None else account[here])


def _account(past: Past, belief: Belief | None) -> NDArray[np.float32] | None:
    """Columns about everybody's account: contacts of one account lie in any partition."""
    if belief is None or not belief.features.account:
        return None
    n = len(past.touchpoints.contacts)
    found = np.empty((n, len(belief.features.account_features)), dtype=np.float32)
    history = History(past.touchpoints, belief.features)
    history.fill_account(past.groups, np.arange(n), np.full(n, past.now, dtype=np.int64), found)
    return found


def _in_order(parts: list[NDArray[np.int64]], n: int) -> NDArray[np.int64]:
    """Where each contact's row lies among the rows of one partition after the other."""
    order = np.empty(n, dtype=np.int64)
    order[np.concatenate([np.zeros(0, dtype=np.int64), *parts])] = np.arange(n, dtype=np.int64)
    return order


def seen_by_owner(scores: pa.Table, past: Past, settings: Settings) -> pa.Table:
    """Return the scores of the file that the owner may see: nothing of contacts whose partner shows none of them."""
    scores = scores.select(schema_of(settings).names)
    found = partial_sights(scores.column("contact_id").to_pylist(), past, settings)
    if not found:
        return scores
    columns = []
    for field in scores.schema:
        hidden = np.zeros(scores.num_rows, dtype=np.bool_)
        hidden[[at for at, sight in found.items() if not sight.shows(field.name)]] = True
        empty = pa.scalar(None, field.type)
        columns.append(pc.if_else(pa.array(hidden), empty, scores.column(field.name)))
    kept = np.ones(scores.num_rows, dtype=np.bool_)
    kept[[at for at, sight in found.items() if sight.is_nothing]] = False
    return pa.table(columns, schema=scores.schema).filter(pa.array(kept))


def partial_sights(names: Sequence[str], past: Past, settings: Settings) -> dict[int, Sight]:
    """Return what the owner may see of contacts that it does not see whole, by their place among the names."""
    found = {}
    for at, name in enumerate(names):
        known = past.traits.known(name, past.now)
        if known.get("partner"):
            sight = sight_of(OWNER_SIDE, known, past.tables.partners, settings.partners, past.now)
            if not sight.is_whole:
                found[at] = sight
    return found


def left_out(past: Past, settings: Settings) -> int:
    """Return how many contacts have no score because they may not be profiled, of those the owner may see."""
    partners = past.tables.partners
    sights = (sight_of(OWNER_SIDE, each, partners, settings.partners, past.now) for each in past.not_profiled)
    return sum(sight.is_whole for sight in sights)


def contact_names(past: Past) -> list[str]:
    """Everybody who has touchpoints or traits."""
    return sorted(past.current())


def rows_of(table: pa.Table) -> Iterator[ScoreRow]:
    """Rows as the store keeps them, a few thousand at a time."""
    for batch in table.to_batches(max_chunksize=8192):
        columns: dict[str, list[Any]] = {name: batch.column(name).to_pylist() for name in batch.schema.names}
        as_of = batch.column("as_of").cast(pa.int64()).to_pylist()
        others = [name for name in columns if name not in _FIXED]
        for i in range(batch.num_rows):
            yield ScoreRow(
                contact_id=columns["contact_id"][i],
                as_of=as_of[i],
                stage=columns["stage"][i],
                points=columns["points"][i],
                body={name: columns[name][i] for name in others},
                model_version=columns["model_version"][i],
            )
