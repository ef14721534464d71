"""Routing in a world of dealers: the record wins more leads than territory alone, and none where all are alike."""

import numpy as np
import pytest

from training.world.dealers import by_record, by_territory, dealer_world, live

FROM = 90


def gains(seeds, **how) -> np.ndarray:
    """Won leads in a hundred, more than by territory, of those that came after what is learnt from."""
    found = []
    for seed in seeds:
        world = dealer_world(seed=seed, **how)
        later = [lead for lead, day in zip(world.leads, world.day.tolist(), strict=True) if day >= FROM]
        usual = live(world, by_territory(world)).won(later)
        learnt = live(world, by_record(world), first=by_territory(world), until=FROM).won(later)
        found.append(100 * (learnt - usual) / len(later))
    return np.array(found)


def interval(found: np.ndarray) -> tuple[float, float]:
    # Two-sided 95 %, t with 4 to 11 degrees of freedom: at most 2.776.
    half = 2.776 * found.std(ddof=1) / np.sqrt(len(found))
    return found.mean() - half, found.mean() + half


def test_the_record_beats_territory_alone_in_won_leads():
    low, _ = interval(gains(range(5), days=180))
    assert low > 0.0


@pytest.mark.slow
def test_it_does_so_in_other_worlds():
    low, _ = interval(gains(range(50, 62), days=240))
    assert low > 3.0


@pytest.mark.slow
def test_it_wins_nothing_where_all_dealers_are_alike():
    low, high = interval(gains(range(100, 112), days=240, skill=0.0))
    assert low < 0.0 < high


def test_a_season_keeps_to_territory_room_and_turns():
    world = dealer_world(seed=1, days=60)
    season = live(world, by_record(world))
    assert season.offers
    assert {contact: [o.partner for o in offers] for contact, offers in season.offers.items()} == {
        contact: [o.partner for o in offers] for contact, offers in live(world, by_record(world)).offers.items()
    }
    for lead in world.leads:
        offered = [offer.partner for offer in season.offers.get(lead.contact, ())]
        assert len(offered) == len(set(offered)) <= 4
        assert all(lead.traits["region"] in world.partners[name].territory for name in offered)
    moments = sorted(offer.at for offers in season.offers.values() for offer in offers)
    for at in moments[:: max(1, len(moments) // 20)]:
        held = [o for offers in season.offers.values() for o in offers if o.at <= at]
        for name, partner in world.partners.items():
            over = [o for o in held if o.partner == name and (o.won_at or o.lost_at or o.taken_at or 0) < at]
            assert sum(o.partner == name for o in held) - len(over) <= (partner.capacity or 0)
