"""The whole of ``nba.toml`` and its environment as one frozen tree."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from features.frozen import Frozen
from features.touchpoints.touchpoints import TouchpointRules
from models.points_table import PointsTable
from nba.settings.actions import PLACEMENTS, Action, read_actions
from nba.settings.conditions import Segment, read_segments
from nba.settings.contact_policy import ContactPolicy, read_contact_policy
from nba.settings.goals import Goal, Snapshots, read_goals, read_snapshots
from nba.settings.known import Known
from nba.settings.not_built import not_built_yet
from nba.settings.people import (
    Accounts,
    Content,
    Partners,
    Privacy,
    read_accounts,
    read_content,
    read_partners,
    read_privacy,
)
from nba.settings.points import read_points
from nba.settings.ranking import Plan, Ranking, read_plan, read_ranking
from nba.settings.resources import MlflowSettings, StoreSettings, read_mlflow, read_store
from nba.settings.scale import Scale, read_scale
from nba.settings.serving import Serving, read_serving
from nba.settings.stages import Stages, read_stages
from nba.settings.table import SettingsError, Table
from nba.settings.touchpoints import Money, Topics, read_money, read_topics, read_touchpoints

FILE = "nba.toml"
"""The settings file that is read when none is named."""


@dataclass(frozen=True)
class Source:
    """What settings were read from."""

    document: Mapping[str, Any] = Frozen()
    """What the file holds, before anything was put over it."""
    path: Path | None = None
    """The file; None: it was none, or only text."""
    number: int = 0
    """Of the version that was published over the file; 0: none."""
    changes: Mapping[str, Any] = Frozen()
    """What of it is in force, by dotted key; None leaves a key out."""
    left_aside: tuple[str, ...] = ()
    """A sentence for each value of it that does not fit the file."""


@dataclass(frozen=True)
class Settings:
    """Everything an owner decides, spelt as in ``nba.toml``; durations end in ``_us``."""

    folder: Path
    """Where relative paths start."""
    store: StoreSettings
    mlflow: MlflowSettings
    money: Money = field(default_factory=Money)
    touchpoints: TouchpointRules = field(default_factory=TouchpointRules)
    """The rules of ``[touchpoints]`` together with those of ``[money]`` and the rules of ``[topics]``."""
    topics: Topics = field(default_factory=Topics)
    goals: Mapping[str, Goal] = Frozen()
    snapshots: Snapshots = field(default_factory=Snapshots)
    points: PointsTable = field(default_factory=PointsTable)
    stages: Stages = field(default_factory=Stages)
    segments: Mapping[str, Segment] = Frozen()
    actions: Mapping[str, Action] = Frozen()
    content: Content = field(default_factory=Content)
    contact_policy: ContactPolicy = field(default_factory=ContactPolicy)
    privacy: Privacy = field(default_factory=Privacy)
    accounts: Accounts = field(default_factory=Accounts)
    partners: Partners = field(default_factory=Partners)
    ranking: Ranking = field(default_factory=Ranking)
    plan: Plan = field(default_factory=Plan)
    serving: Serving = field(default_factory=Serving)
    scale: Scale = field(default_factory=Scale)
    not_built_yet: tuple[str, ...] = ()
    """Dotted keys of the file that are understood but steer nothing yet."""
    source: Source = field(default_factory=Source, compare=False, repr=False)

    @property
    def churn_goal(self) -> str | None:
        """The goal that tells who is about to leave: churn, else the first of an absence; None without."""
        absent = [goal.name for goal in self.goals.values() if goal.is_absence]
        return "churn" if "churn" in absent else next(iter(absent), None)

    @property
    def placements(self) -> tuple[str, ...]:
        """Every placement that can be asked about: those of the service, and those that actions name."""
        named = (placement for action in self.actions.values() for placement in action.placements)
        return tuple(dict.fromkeys((*PLACEMENTS, *named)))

    def need_goals(self) -> Mapping[str, Goal]:
        """Goals, of which there must be one.

        Raises
        ------
        SettingsError
            Where the file defines none.
        """
        if not self.goals:
            raise SettingsError(
                f"no goal is defined in {self.folder / FILE}; add one, such as "
                '[goals.conversion] with kinds = ["order"] and horizon = "30d" (`nba init` writes an example)'
            )
        return self.goals


def load_settings(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings file once, at the door.

    Parameters
    ----------
    path
        The file; None: ``nba.toml`` in the working directory, or defaults where there is none.
    environ
        ``NBA_STORE_URL`` and ``MLFLOW_TRACKING_URI`` win over the file.

    Raises
    ------
    SettingsError
        Every fault of the file at once, each with its place.
    """
    found = Path(FILE) if path is None else Path(path)
    try:
        document, folder = read_document(path)
        settings = parse_settings(document, folder=folder, environ=environ)
    except SettingsError as error:
        raise SettingsError(f"{found}: {complaint}" for complaint in error.complaints) from None
    file = None if path is None and not found.exists() else found.resolve()
    return replace(settings, source=replace(settings.source, path=file))


def read_document(path: Path | None) -> tuple[Mapping[str, object], Path]:
    """Return what a settings file holds, unchecked, and the folder where its relative paths start.

    Raises
    ------
    SettingsError
        Where the file cannot be read or is no TOML.
    """
    found = Path(FILE) if path is None else Path(path)
    if path is None and not found.exists():
        return {}, Path.cwd()
    return _document(found), found.resolve().parent


def parse_settings(
    document: str | Mapping[str, object],
    *,
    folder: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    r"""Turn the text of a settings file, or what it holds, into a tree.

    Raises
    ------
    SettingsError
        Every fault at once, each with its place.

    Examples
    --------
    >>> parse_settings('[ranking]\nepsilon = 0.1').ranking.epsilon
    0.1
    """
    found = _parsed(document) if isinstance(document, str) else dict(document)
    complaints: list[str] = []
    settings = _read(Table(found, "", complaints), (folder or Path.cwd()), environ or {})
    if complaints:
        raise SettingsError(complaints)
    return replace(settings, not_built_yet=not_built_yet(found), source=Source(found))


def _document(path: Path) -> Mapping[str, object]:
    try:
        # Editors on Windows like to put a mark before the first character.
        return _parsed(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError("there is no such file; name one that exists, or run `nba init`") from None
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"byte {error.start + 1} is not UTF-8; save the file as UTF-8") from None


def _parsed(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        last = text.count("\n") + 1, len(text) - text.rfind("\n")
        why = why.replace("at end of document", f"at line {last[0]}, column {last[1]}, the end")
        raise SettingsError(f"is not TOML: {why}") from None


def _read(table: Table, folder: Path, environ: Mapping[str, str]) -> Settings:
    """Read section by section; what others refer to comes first."""
    money = read_money(table.child("money"))
    topics = read_topics(table.child("topics"))
    touchpoints = replace(read_touchpoints(table.child("touchpoints"), money), topic_rules=topics.rules)
    snapshots = read_snapshots(table.child("snapshots"), Snapshots())
    goals = read_goals(table.child("goals"), snapshots, touchpoints.money)
    stages = read_stages(table.child("stages"))
    privacy = read_privacy(table.child("privacy"))
    names = table.names("actions")
    known = Known(goals, stages.names, names, table.names("segments"), privacy.protected)
    actions = read_actions(table.child("actions"), known)
    settings = Settings(
        folder=folder,
        store=read_store(table.child("store"), folder, environ),
        mlflow=read_mlflow(table.child("mlflow"), folder, environ),
        money=money,
        touchpoints=touchpoints,
        topics=topics,
        goals=goals,
        snapshots=snapshots,
        points=read_points(table.child("points"), known),
        stages=stages,
        segments=read_segments(table.child("segments"), known),
        actions=actions,
        content=read_content(table.child("content")),
        contact_policy=read_contact_policy(table.child("contact_policy"), actions),
        privacy=privacy,
        accounts=read_accounts(table.child("accounts")),
        partners=read_partners(table.child("partners")),
        ranking=read_ranking(table.child("ranking"), names),
        plan=read_plan(table.child("plan")),
        serving=read_serving(table.child("serving")),
        scale=read_scale(table.child("scale")),
    )
    table.close()
    return settings
