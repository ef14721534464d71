"""What a recommendation is about: the product, the content, the event, the device."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import cached_property

from nba.actions import about_same
from nba.interests import FADED, Interests
from nba.languages import is_spoken
from nba.occasions.occasions import occurrence
from nba.reading_list import readable
from nba.settings.actions import INFOCENTER, Action
from nba.situation import Situation
from nba.tables.tables import NOTHING, Event, Subject, Tables


class Subjects:
    """Finds the subject of each action for one contact; its interests are summed up once."""

    def __init__(self, at: Situation) -> None:
        self._at = at

    def of(self, action: Action, topic: str | None) -> Subject:
        """Return what an action is about.

        A device or an event is that of its occasion; without an occasion it is the next event about the action's
        topics that the contact may be interested in. The product is the device's, or the one of ``unless_owned``,
        else of those about the action's topic that the contact has not yet the one about what interests it most;
        of equals the one with the highest margin. An action that also carries content in the InfoCenter goes out with
        what interests the contact most of what it has neither read nor been shown lately.

        Parameters
        ----------
        topic
            The one of its topics that it is to be about for this contact.
        """
        calling = None if action.when is None else occurrence(action, self._at)
        if calling is None and not self._has_catalogues:
            return NOTHING
        asset = None if calling is None else calling.asset_id
        topics = (topic,) if topic is not None else action.topics
        return Subject(
            product_id=self._of_asset(asset) if asset is not None else self._product(action, topics),
            content_id=self._content(action, topics) if INFOCENTER in action.placements else None,
            event_id=self._event(topics) if calling is None else calling.event_id,
            asset_id=asset,
        )

    @cached_property
    def _interests(self) -> Interests:
        at = self._at
        half_life = at.catalogue.settings.topics.half_life_us
        return Interests.of(at.known, at.as_of, half_life, now=at.request.topic)

    @cached_property
    def _tables(self) -> Tables:
        return self._at.known.around.tables()

    @cached_property
    def _has_catalogues(self) -> bool:
        return bool(self._tables.products or self._tables.events or self._tables.content)

    def _of_asset(self, asset_id: str) -> str | None:
        assets = (asset.product_id for asset in self._at.known.around.assets() if asset.asset_id == asset_id)
        return next(assets, None)

    def _product(self, action: Action, topics: Sequence[str]) -> str | None:
        tables = self._tables
        if not tables.products:
            return None
        if action.unless_owned in tables.products:
            return action.unless_owned
        before = self._before(action, "product_id", tables.products)
        if before is not None:
            return before
        about = [topic for topic in tables.products_about if about_same(topic, topics)]
        # Where there is but one, nobody needs to know how much it interests the contact.
        if len(about) > 1:
            about.sort(key=lambda each: (-self._interests.level((each,)), each))
        for topic in about:
            for product in tables.products_about[topic]:
                if self._at.possessions.of(product.product_id) is None:
                    return product.product_id
        return None

    def _before(self, action: Action, name: str, there: Container[str]) -> str | None:
        """Return what an action that is given again was about."""
        held = self._at.held
        found = (held.properties or {}).get(name) if held is not None and held.action == action.name else None
        return found if isinstance(found, str) and found in there else None

    def _content(self, action: Action, topics: Sequence[str]) -> str | None:
        content = self._tables.content
        if not content:
            return None
        before = self._before(action, "content_id", content)
        if before is not None:
            return before
        about = [each for each in self._unread if any(about_same(topic, topics) for topic in each)]
        best = max(about, key=self._interests.level, default=None)
        return None if best is None else self._unread[best]

    @cached_property
    def _unread(self) -> Mapping[tuple[str, ...], str]:
        """The first content that could be read of those about the same topics."""
        found: dict[tuple[str, ...], str] = {}
        for content in readable(self._at):
            found.setdefault(content.topics, content.content_id)
        return found

    def _event(self, topics: Sequence[str]) -> str | None:
        if not topics:
            return None
        events = [event for event in self._tables.events.values() if self._suits(event, topics)]
        following = min(events, key=lambda event: (event.starts_at, event.event_id), default=None)
        return None if following is None else following.event_id

    def _suits(self, event: Event, topics: Sequence[str]) -> bool:
        if event.starts_at <= self._at.as_of or event.seats == 0:
            return False
        about = [topic for topic in event.topics if about_same(topic, topics)]
        spoken = self._at.past.traits.get("language")
        return bool(about) and is_spoken(event.language, spoken) and self._interests.level(about) >= FADED
