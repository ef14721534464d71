"""Every feature on one line: name, unit, window, meaning.

The kernel in ``windows.py`` fills these columns by name, the matrix and the bundle list them in this order, and the
guide is made from them. Names with ``{}`` stand for one column per kind, channel or topic of the feature set.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """One number about a contact at ``as_of``.

    ``window`` names the half-open span it looks at: "7d" is ``[as_of - 7 days, as_of)``, "ever" is everything before.
    """

    name: str
    unit: str
    window: str
    means: str

    def named(self, name: str) -> Feature:
        """Name the column of one kind, channel or topic."""
        return Feature(self.name.format(name), self.unit, self.window, self.means.format(name))


PER_KIND = (
    Feature("recency_kind_{}_days", "days", "ever", "Days since the last touchpoint of kind {}."),
    Feature("n_kind_{}_7d", "count", "7d", "Touchpoints of kind {} in the last 7 days."),
    Feature("n_kind_{}_30d", "count", "30d", "Touchpoints of kind {} in the last 30 days."),
    Feature("n_kind_{}_90d", "count", "90d", "Touchpoints of kind {} in the last 90 days."),
    Feature("n_kind_{}_365d", "count", "365d", "Touchpoints of kind {} in the last 365 days."),
    Feature("faded_kind_{}", "count", "ever", "Touchpoints of kind {}, each fading by half in 30 days."),
    Feature("gap_kind_{}_days", "days", "ever", "Mean gap between touchpoints of kind {}."),
    Feature("gap_ratio_kind_{}", "ratio", "ever", "The gap since the last {} against the usual one."),
    Feature("answer_rate_kind_{}", "share", "ever", "Share of our touchpoints of kind {} that were answered."),
)

PER_CHANNEL = (
    Feature("recency_channel_{}_days", "days", "ever", "Days since the last touchpoint on channel {}."),
    Feature("n_channel_{}_7d", "count", "7d", "Touchpoints on channel {} in the last 7 days."),
    Feature("n_channel_{}_30d", "count", "30d", "Touchpoints on channel {} in the last 30 days."),
    Feature("n_channel_{}_90d", "count", "90d", "Touchpoints on channel {} in the last 90 days."),
    Feature("n_channel_{}_365d", "count", "365d", "Touchpoints on channel {} in the last 365 days."),
)

PER_TOPIC = (
    Feature("interest_topic_{}", "count", "ever", "Inbound touchpoints about {}, fading by the topics' half-life."),
    Feature("faded_topic_{}_7d", "count", "ever", "Inbound touchpoints about {}, each fading by half in 7 days."),
    Feature("faded_topic_{}_90d", "count", "ever", "Inbound touchpoints about {}, each fading by half in 90 days."),
    Feature("trend_topic_{}", "ratio", "ever", "Interest in {} fading over 7 days against 90: above 1 is rising."),
    Feature("recency_topic_{}_days", "days", "ever", "Days since the contact's last touchpoint about {}."),
)

OVERALL = (
    Feature("tenure_days", "days", "ever", "Days since the first touchpoint."),
    Feature("recency_inbound_days", "days", "ever", "Days since the contact's last touchpoint."),
    Feature("recency_outbound_days", "days", "ever", "Days since we last approached the contact."),
    Feature("n_inbound_1d", "count", "1d", "The contact's touchpoints in the last day."),
    Feature("n_inbound_3d", "count", "3d", "The contact's touchpoints in the last 3 days."),
    Feature("n_inbound_7d", "count", "7d", "The contact's touchpoints in the last 7 days."),
    Feature("n_inbound_30d", "count", "30d", "The contact's touchpoints in the last 30 days."),
    Feature("n_inbound_90d", "count", "90d", "The contact's touchpoints in the last 90 days."),
    Feature("n_inbound_365d", "count", "365d", "The contact's touchpoints in the last 365 days."),
    Feature("n_inbound_ever", "count", "ever", "All of the contact's touchpoints."),
    Feature("n_outbound_7d", "count", "7d", "How often we approached the contact in the last 7 days."),
    Feature("n_outbound_30d", "count", "30d", "How often we approached the contact in the last 30 days."),
    Feature("n_outbound_90d", "count", "90d", "How often we approached the contact in the last 90 days."),
    Feature("n_outbound_365d", "count", "365d", "How often we approached the contact in the last 365 days."),
    Feature("inbound_share_90d", "share", "90d", "Inbound touchpoints as a share of all in the last 90 days."),
    Feature("active_days_30d", "days", "30d", "Days (UTC) with an inbound touchpoint in the last 30 days."),
    Feature("active_days_90d", "days", "90d", "Days (UTC) with an inbound touchpoint in the last 90 days."),
    Feature("active_days_365d", "days", "365d", "Days (UTC) with an inbound touchpoint in the last 365 days."),
    Feature("faded_inbound_7d", "count", "ever", "Inbound touchpoints, each fading by half in 7 days."),
    Feature("faded_inbound_30d", "count", "ever", "Inbound touchpoints, each fading by half in 30 days."),
    Feature("faded_inbound_90d", "count", "ever", "Inbound touchpoints, each fading by half in 90 days."),
    Feature("trend_7_30", "ratio", "ever", "Activity fading over 7 days against that over 30: above 1 is rising."),
    Feature("trend_30_90", "ratio", "ever", "Activity fading over 30 days against that over 90: above 1 is rising."),
    Feature("change_30d", "count", "60d", "Inbound touchpoints of the last 30 days less those of the 30 before."),
    Feature("change_90d", "count", "180d", "Inbound touchpoints of the last 90 days less those of the 90 before."),
    Feature("n_season_30d", "count", "380d", "Inbound touchpoints in the 30 days around this day a year ago."),
    Feature("gap_mean_days", "days", "ever", "Mean gap between inbound touchpoints."),
    Feature("gap_std_days", "days", "ever", "Spread (standard deviation) of the gaps between inbound touchpoints."),
    Feature("gap_recent_days", "days", "ever", "Mean gap between inbound touchpoints, newer ones counting more."),
    Feature("gap_max_days", "days", "ever", "Longest gap between inbound touchpoints so far."),
    Feature("gap_ratio", "ratio", "ever", "The gap since the last inbound touchpoint against the usual one."),
    Feature("gap_ratio_recent", "ratio", "ever", "The gap since the last inbound touchpoint against the recent one."),
    Feature("gap_zscore", "ratio", "ever", "How many spreads the present gap lies above the usual one."),
    Feature("n_channels_90d", "count", "90d", "Different channels in the last 90 days."),
    Feature("n_channels_ever", "count", "ever", "Different channels so far."),
    Feature("main_channel_share", "share", "ever", "Share of the most used channel."),
    Feature("n_kinds_ever", "count", "ever", "Different kinds of touchpoint so far."),
    Feature("interest_total", "count", "ever", "Sum of the contact's fading interests in all topics."),
    Feature("interest_top_1", "count", "ever", "Fading interest in the strongest topic."),
    Feature("interest_top_2", "count", "ever", "Fading interest in the second strongest topic."),
    Feature("interest_top_3", "count", "ever", "Fading interest in the third strongest topic."),
    Feature("interest_focus", "share", "ever", "Share of the strongest topic in all interest."),
    Feature("n_topics_ever", "count", "ever", "Different topics of inbound touchpoints so far."),
    Feature("n_topics_30d", "count", "30d", "Different topics of inbound touchpoints in the last 30 days."),
    Feature("n_topics_new_30d", "count", "30d", "Topics that the contact first touched in the last 30 days."),
    Feature("recency_new_topic_days", "days", "ever", "Days since the contact last touched a topic new to it."),
    Feature("interest_rise_top", "count", "ever", "Fastest rising topic: 7-day fading less what is usual over 90."),
    Feature("interest_fall_top", "count", "ever", "Fastest falling topic: what is usual over 90 less 7-day fading."),
    Feature("n_orders_30d", "count", "30d", "Money touchpoints in the last 30 days."),
    Feature("n_orders_90d", "count", "90d", "Money touchpoints in the last 90 days."),
    Feature("n_orders_365d", "count", "365d", "Money touchpoints in the last 365 days."),
    Feature("recency_order_days", "days", "ever", "Days since the last money touchpoint."),
    Feature("revenue_30d", "money", "30d", "Revenue less returns in the last 30 days."),
    Feature("revenue_90d", "money", "90d", "Revenue less returns in the last 90 days."),
    Feature("revenue_365d", "money", "365d", "Revenue less returns in the last 365 days."),
    Feature("revenue_ever", "money", "ever", "Revenue less returns so far."),
    Feature("revenue_mean", "money", "ever", "Mean revenue of a money touchpoint."),
    Feature("revenue_last", "money", "ever", "Revenue of the last money touchpoint."),
    Feature("revenue_change_90d", "money", "180d", "Revenue of the last 90 days less that of the 90 before."),
    Feature("revenue_faded_30d", "money", "ever", "Revenue, each touchpoint's fading by half in 30 days."),
    Feature("margin_365d", "money", "365d", "Margin in the last 365 days."),
    Feature("returns_365d", "money", "365d", "Value of returns in the last 365 days."),
    Feature("n_returns_365d", "count", "365d", "Returns in the last 365 days."),
    Feature("dwell_30d_seconds", "seconds", "30d", "Dwell time in the last 30 days."),
    Feature("dwell_90d_seconds", "seconds", "90d", "Dwell time in the last 90 days."),
    Feature("dwell_mean_seconds", "seconds", "ever", "Mean dwell time of a touchpoint that has one."),
    Feature("n_answered_365d", "count", "365d", "Our touchpoints that the contact answered in the last 365 days."),
    Feature("answer_rate", "share", "ever", "Share of our touchpoints that the contact answered."),
    Feature("recency_answer_days", "days", "ever", "Days since the contact last answered one of ours."),
    Feature("points", "points", "ever", "The points baseline's activity score."),
)

OWN = (
    Feature("own_n_topics", "count", "own", "Topics of the action or touchpoint itself."),
    Feature("own_type_sent", "count", "ever", "Earlier actions of this type."),
    Feature("own_type_answered", "count", "ever", "Earlier actions of this type that were answered."),
    Feature("own_type_answers", "count", "ever", "Answers to earlier actions of this type, repeated ones too."),
    Feature("own_type_rate", "share", "ever", "Share of earlier actions of this type that were answered."),
    Feature("own_type_recency_days", "days", "ever", "Days since the last action of this type."),
    Feature("own_type_answer_recency_days", "days", "ever", "Days since this type was last answered."),
    Feature("own_match_n_30d", "count", "30d", "Inbound touchpoints about its topics in the last 30 days."),
    Feature("own_match_n_90d", "count", "90d", "Inbound touchpoints about its topics in the last 90 days."),
    Feature("own_match_n_ever", "count", "ever", "Inbound touchpoints about its topics so far."),
    Feature("own_match_share", "share", "ever", "Share of the contact's topic mentions that are its topics."),
    Feature("own_match_interest", "count", "ever", "Fading interest in its topics."),
    Feature("own_match_interest_share", "share", "ever", "Share of its topics in all fading interest."),
    Feature("own_match_top", "count", "ever", "Fading interest in the strongest of its topics."),
    Feature("own_match_distinct", "count", "ever", "How many of its topics the contact has ever touched."),
    Feature("own_match_cover", "share", "ever", "Share of its topics that the contact has ever touched."),
    Feature("own_match_recency_days", "days", "ever", "Days since the contact last touched one of its topics."),
    Feature("own_match_orders", "count", "ever", "Money touchpoints about its topics so far."),
    Feature("own_match_orders_90d", "count", "90d", "Money touchpoints about its topics in the last 90 days."),
    Feature("own_match_revenue_90d", "money", "90d", "Revenue of touchpoints about its topics in the last 90 days."),
    Feature("own_answered_overlap", "share", "ever", "Share of its topics that answered actions were about before."),
)

ACCOUNT = (
    Feature("account_n_contacts", "count", "known", "Contacts known of the account, this one included."),
    Feature("account_n_roles", "count", "known", "Different roles among the contacts of the account."),
    Feature("account_n_active_30d", "count", "30d", "Contacts of the account that were active in the last 30 days."),
    Feature("account_n_active_90d", "count", "90d", "Contacts of the account that were active in the last 90 days."),
    Feature("account_n_active_365d", "count", "365d", "Contacts of the account that were active in the last 365 days."),
    Feature("account_active_share_90d", "share", "90d", "Share of the account's contacts active in the last 90 days."),
    Feature("account_n_new_30d", "count", "30d", "Contacts of the account that became active in the last 30 days."),
    Feature("account_n_inbound_7d", "count", "7d", "Inbound touchpoints of the account in the last 7 days."),
    Feature("account_n_inbound_30d", "count", "30d", "Inbound touchpoints of the account in the last 30 days."),
    Feature("account_n_inbound_90d", "count", "90d", "Inbound touchpoints of the account in the last 90 days."),
    Feature("account_n_inbound_365d", "count", "365d", "Inbound touchpoints of the account in the last 365 days."),
    Feature("account_n_outbound_7d", "count", "7d", "How often we approached the account in the last 7 days."),
    Feature("account_n_outbound_30d", "count", "30d", "How often we approached the account in the last 30 days."),
    Feature("account_n_outbound_90d", "count", "90d", "How often we approached the account in the last 90 days."),
    Feature("account_n_outbound_365d", "count", "365d", "How often we approached the account in the last 365 days."),
    Feature("account_tenure_days", "days", "ever", "Days since the account's first touchpoint."),
    Feature("account_recency_inbound_days", "days", "ever", "Days since anyone of the account was active."),
    Feature("account_recency_outbound_days", "days", "ever", "Days since we last approached anyone of the account."),
    Feature("account_recency_order_days", "days", "ever", "Days since anyone of the account ordered."),
    Feature("account_recency_answer_days", "days", "ever", "Days since anyone of the account answered one of ours."),
    Feature("account_n_orders_365d", "count", "365d", "Money touchpoints of the account in the last 365 days."),
    Feature("account_revenue_365d", "money", "365d", "Revenue of the account less returns in the last 365 days."),
    Feature("account_interest_total", "count", "ever", "Sum of the account's fading interests in all topics."),
    Feature("account_interest_top_1", "count", "ever", "The account's fading interest in its strongest topic."),
    Feature("account_interest_top_2", "count", "ever", "The account's fading interest in its second strongest topic."),
    Feature("account_interest_top_3", "count", "ever", "The account's fading interest in its third strongest topic."),
    Feature("account_n_topics_ever", "count", "ever", "Different topics of the account's inbound touchpoints so far."),
    Feature("account_interest_overlap", "share", "ever", "How far the contact's interests and the account's overlap."),
    Feature("account_others_interest", "count", "ever", "Fading interests of the account's other contacts."),
    Feature("account_n_others_active_30d", "count", "30d", "Other contacts of the account active in the last 30 days."),
    Feature("account_n_others_inbound_30d", "count", "30d", "Inbound touchpoints of the others in the last 30 days."),
    Feature("account_others_change", "count", "60d", "The same, less those of the others in the 30 days before."),
    Feature("account_others_recency_days", "days", "ever", "Days since another contact of the account was active."),
    Feature("account_own_share", "share", "ever", "The contact's share of the account's touchpoints."),
    Feature("account_own_share_90d", "share", "90d", "Its share of the inbound ones in the last 90 days."),
    Feature(
        "account_arrival_rank", "count", "ever", "Place of the contact among those of the account that became active."
    ),
    Feature(
        "account_is_first", "count", "ever", "1 where the contact was the first of its account to be active, else 0."
    ),
)

STAGE = Feature("stage", "place", "ever", "Place along the journey of the stage the contact is in, 0 the first.")
TRAIT = Feature("trait_{}", "as given", "known", "The trait {} as known at that moment.")
TRAIT_DATE = Feature("until_{}_days", "days", "known", "Days from the moment until the date {} (past: negative).")
NUMBER = Feature("own_number_{}", "as given", "own", "The number {} of the action or touchpoint itself.")
OWN_TYPE = Feature("own_type", "code", "own", "The type of the action or touchpoint itself.")
OWN_CHANNEL = Feature("own_channel", "code", "own", "The channel of the action or touchpoint itself.")

CATALOGUE: tuple[Feature, ...] = (
    *PER_KIND,
    *PER_CHANNEL,
    *PER_TOPIC,
    *OVERALL,
    *ACCOUNT,
    *OWN,
    TRAIT,
    TRAIT_DATE,
    STAGE,
    NUMBER,
    OWN_TYPE,
    OWN_CHANNEL,
)

RISING = frozenset(
    {
        "answer_rate", "own_type_answered", "own_type_rate", "own_answered_overlap",
        *(f.name for f in OWN if f.name.startswith("own_match_") and f.unit != "days"),
    }
)  # fmt: skip
"""Features of which more never speaks against an answer to an action: how it fits, and how the contact answered before.

Trees that may not go down where these go up learn less noise: on The Complete Journey's campaigns it lowers the
out-of-fold log loss from .320 to .318. More activity is none of them: who has just bought needs nothing.
"""
