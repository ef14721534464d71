-- The catalogue once more, by joins and aggregates: what the compiled kernel must agree with.
-- Given: ev (touchpoints), asked (row, identity, as_of, type, topics), kind_slots, channel_slots, topic_slots (name), weights (kind, points, once).

CREATE MACRO days(us) AS us / 86400e6;
CREATE MACRO faded(age, half_life_days) AS pow(0.5, age / (half_life_days * 86400e6));
CREATE MACRO within(age, n_days) AS age <= n_days * 86400000000;
CREATE MACRO over(part, whole) AS CASE WHEN whole > 0 THEN part / whole END;

CREATE TABLE told AS
SELECT *, row_number() OVER (PARTITION BY identity ORDER BY ts, id) AS n,
       row_number() OVER (PARTITION BY identity, kind ORDER BY ts, id) AS nth_of_kind,
       coalesce(action, kind) AS type
FROM ev;

-- Which outbound touchpoint each inbound one answers.
CREATE TABLE answer AS
WITH by_id AS (
    SELECT a.identity, a.n, max(s.n) AS sent FROM told a JOIN told s
    ON a.identity = s.identity AND a.decision = s.decision AND s.n < a.n
    WHERE NOT a.outbound AND s.outbound GROUP BY ALL
), by_channel AS (
    SELECT a.identity, a.n, max(s.n) AS sent FROM told a JOIN told s
    ON a.identity = s.identity AND a.channel = s.channel AND s.n < a.n
    WHERE NOT a.outbound AND s.outbound AND a.decision IS NULL GROUP BY ALL
), linked AS (
    SELECT * FROM by_id UNION ALL
    SELECT c.* FROM by_channel c JOIN told a USING (identity, n) JOIN told s ON s.identity = c.identity AND s.n = c.sent
    WHERE within(a.ts - s.ts, 14)
)
SELECT l.identity, l.n, l.sent, s.kind AS sent_kind, s.type AS sent_type, s.topics AS sent_topics,
       row_number() OVER (PARTITION BY l.identity, l.sent ORDER BY l.n) = 1 AS is_first
FROM linked l JOIN told s ON s.identity = l.identity AND s.n = l.sent;

CREATE TABLE past AS
SELECT q.row, q.as_of, q.as_of - e.ts AS age, e.*, a.sent_kind, a.sent_type, a.sent_topics, a.is_first
FROM asked q JOIN told e ON e.identity = q.identity AND e.ts < q.as_of
LEFT JOIN answer a ON a.identity = e.identity AND a.n = e.n;

CREATE TABLE mention AS
SELECT row, n, age, topic, money, amount FROM (SELECT *, unnest(topics) AS topic FROM past WHERE NOT outbound);

-- A topic counts for itself and for every topic that it lies below.
CREATE MACRO is_about(topic, wanted) AS topic = wanted OR starts_with(topic, wanted || '/');

CREATE TABLE per_kind AS
WITH slotted AS (
    SELECT p.*, CASE WHEN kind IN (SELECT name FROM kind_slots) THEN kind ELSE '(other)' END AS slot FROM past p
), sent AS (
    SELECT row, CASE WHEN sent_kind IN (SELECT name FROM kind_slots) THEN sent_kind ELSE '(other)' END AS slot,
           count(*) FILTER (is_first) AS answered FROM past GROUP BY ALL
), gaps AS (
    SELECT row, slot, age, days(lag(age) OVER (PARTITION BY row, slot ORDER BY n) - age) AS gap FROM slotted
), rhythm AS (
    SELECT row, slot, avg(gap) AS gap, days(min(age)) AS recency FROM gaps GROUP BY ALL
), sums AS (
    SELECT row, slot, count(*) FILTER (within(age, 7)) AS n7, count(*) FILTER (within(age, 30)) AS n30,
           count(*) FILTER (within(age, 90)) AS n90, count(*) FILTER (within(age, 365)) AS n365,
           sum(faded(age, 30)) AS faded, count(*) FILTER (outbound) AS sent
    FROM slotted GROUP BY ALL
)
SELECT q.row, k.name, r.recency AS "recency_kind_{}_days",
       coalesce(n7, 0) AS "n_kind_{}_7d", coalesce(n30, 0) AS "n_kind_{}_30d", coalesce(n90, 0) AS "n_kind_{}_90d",
       coalesce(n365, 0) AS "n_kind_{}_365d", coalesce(faded, 0) AS "faded_kind_{}",
       r.gap AS "gap_kind_{}_days", over(r.recency, r.gap) AS "gap_ratio_kind_{}",
       over(coalesce(a.answered, 0), s.sent) AS "answer_rate_kind_{}"
FROM asked q CROSS JOIN kind_slots k
LEFT JOIN sums s ON s.row = q.row AND s.slot = k.name
LEFT JOIN rhythm r ON r.row = q.row AND r.slot = k.name
LEFT JOIN sent a ON a.row = q.row AND a.slot = k.name;

CREATE TABLE per_channel AS
SELECT q.row, c.name, days(min(age)) AS "recency_channel_{}_days",
       count(age) FILTER (within(age, 7)) AS "n_channel_{}_7d", count(age) FILTER (within(age, 30)) AS "n_channel_{}_30d",
       count(age) FILTER (within(age, 90)) AS "n_channel_{}_90d", count(age) FILTER (within(age, 365)) AS "n_channel_{}_365d"
FROM asked q CROSS JOIN channel_slots c
LEFT JOIN (
    SELECT *, CASE WHEN channel IN (SELECT name FROM channel_slots) THEN channel ELSE '(other)' END AS slot
    FROM past WHERE channel IS NOT NULL
) p ON p.row = q.row AND p.slot = c.name
GROUP BY q.row, c.name;

CREATE TABLE per_topic AS
WITH slotted AS (
    SELECT m.*, t.name AS slot FROM mention m JOIN topic_slots t ON is_about(m.topic, t.name)
    UNION ALL
    SELECT m.*, '(other)' FROM mention m WHERE NOT EXISTS (SELECT 1 FROM topic_slots t WHERE is_about(m.topic, t.name))
)
SELECT q.row, t.name, coalesce(sum(faded(age, 20)), 0) AS "interest_topic_{}",
       coalesce(sum(faded(age, 7)), 0) AS "faded_topic_{}_7d", coalesce(sum(faded(age, 90)), 0) AS "faded_topic_{}_90d",
       sum(faded(age, 7)) / 7 / (sum(faded(age, 90)) / 90) AS "trend_topic_{}",
       days(min(age)) AS "recency_topic_{}_days"
FROM asked q CROSS JOIN topic_slots t LEFT JOIN slotted m ON m.row = q.row AND m.slot = t.name
GROUP BY q.row, t.name;

CREATE TABLE overall AS
WITH anything AS (
    SELECT row, days(max(age)) AS tenure_days, count(DISTINCT kind) AS n_kinds_ever,
           count(DISTINCT channel) AS n_channels_ever, count(DISTINCT channel) FILTER (within(age, 90)) AS n_channels_90d,
           sum(points * faded(age, 90)) FILTER (NOT once OR nth_of_kind = 1) AS points
    FROM past LEFT JOIN weights USING (kind) GROUP BY row
), sent AS (
    SELECT row, days(min(age)) AS recency_outbound_days, count(*) AS n_outbound,
           count(*) FILTER (within(age, 7)) AS n_outbound_7d, count(*) FILTER (within(age, 30)) AS n_outbound_30d,
           count(*) FILTER (within(age, 90)) AS n_outbound_90d, count(*) FILTER (within(age, 365)) AS n_outbound_365d
    FROM past WHERE outbound GROUP BY row
), came AS (
    SELECT row, days(min(age)) AS recency_inbound_days, count(*) AS n_inbound_ever,
           count(*) FILTER (within(age, 1)) AS n_inbound_1d, count(*) FILTER (within(age, 3)) AS n_inbound_3d,
           count(*) FILTER (within(age, 7)) AS n_inbound_7d, count(*) FILTER (within(age, 30)) AS n_inbound_30d,
           count(*) FILTER (within(age, 90)) AS n_inbound_90d, count(*) FILTER (within(age, 365)) AS n_inbound_365d,
           count(*) FILTER (within(age, 60) AND NOT within(age, 30)) AS n_before_30d,
           count(*) FILTER (within(age, 180) AND NOT within(age, 90)) AS n_before_90d,
           count(*) FILTER (within(age, 380) AND NOT within(age, 350)) AS n_season_30d,
           count(DISTINCT ts // 86400000000) FILTER (within(age, 30)) AS active_days_30d,
           count(DISTINCT ts // 86400000000) FILTER (within(age, 90)) AS active_days_90d,
           count(DISTINCT ts // 86400000000) FILTER (within(age, 365)) AS active_days_365d,
           sum(faded(age, 7)) AS f7, sum(faded(age, 30)) AS f30, sum(faded(age, 90)) AS f90,
           sum(dwell) FILTER (within(age, 30)) AS dwell_30d, sum(dwell) FILTER (within(age, 90)) AS dwell_90d,
           avg(dwell) AS dwell_mean_seconds,
           count(*) FILTER (is_first AND within(age, 365)) AS n_answered_365d, count(*) FILTER (is_first) AS n_answered,
           days(min(age) FILTER (is_first IS NOT NULL)) AS recency_answer_days
    FROM past WHERE NOT outbound GROUP BY row
), gaps AS (
    SELECT row, days(lag(age) OVER by_time - age) AS gap, row_number() OVER (PARTITION BY row ORDER BY n DESC) AS back
    FROM past WHERE NOT outbound WINDOW by_time AS (PARTITION BY row ORDER BY n)
), rhythm AS (
    SELECT row, avg(gap) AS gap_mean_days, stddev_pop(gap) AS gap_std_days, max(gap) AS gap_max_days,
           sum(gap * pow(0.7, back - 1)) / sum(pow(0.7, back - 1)) AS gap_recent_days
    FROM gaps WHERE gap IS NOT NULL GROUP BY row
), channels AS (
    SELECT row, max(n) / sum(n) AS main_channel_share
    FROM (SELECT row, channel, count(*) AS n FROM past WHERE channel IS NOT NULL GROUP BY ALL) GROUP BY row
), topics AS (
    SELECT row, sum(size) AS total, list(size ORDER BY size DESC) AS sizes, count(*) AS n_topics_ever,
           count(*) FILTER (within(newest, 30)) AS n_topics_30d, count(*) FILTER (within(oldest, 30)) AS n_topics_new_30d,
           days(min(oldest)) AS recency_new_topic_days,
           greatest(max(fast - slow * 7 / 90), 0) AS rise, greatest(max(slow * 7 / 90 - fast), 0) AS fall
    FROM (
        SELECT row, topic, sum(faded(age, 20)) AS size, min(age) AS newest, max(age) AS oldest,
               sum(faded(age, 7)) AS fast, sum(faded(age, 90)) AS slow
        FROM mention GROUP BY ALL
    ) GROUP BY row
), money AS (
    SELECT row, count(*) FILTER (money AND within(age, 30)) AS n_orders_30d,
           count(*) FILTER (money AND within(age, 90)) AS n_orders_90d,
           count(*) FILTER (money AND within(age, 365)) AS n_orders_365d,
           days(min(age) FILTER (money)) AS recency_order_days,
           sum(signed) FILTER (within(age, 30)) AS revenue_30d, sum(signed) FILTER (within(age, 90)) AS revenue_90d,
           sum(signed) FILTER (within(age, 365)) AS revenue_365d, sum(signed) AS revenue_ever,
           avg(amount) FILTER (money) AS revenue_mean, arg_max(amount, n) FILTER (money) AS revenue_last,
           sum(signed) FILTER (within(age, 180) AND NOT within(age, 90)) AS revenue_before,
           sum(signed * faded(age, 30)) AS revenue_faded_30d,
           sum(CASE WHEN money THEN margin ELSE -margin END) FILTER (within(age, 365)) AS margin_365d,
           sum(amount) FILTER (returned AND within(age, 365)) AS returns_365d,
           count(*) FILTER (returned AND within(age, 365)) AS n_returns_365d
    FROM (SELECT *, CASE WHEN money THEN amount ELSE -amount END AS signed FROM past WHERE money OR returned) GROUP BY row
)
SELECT q.row, tenure_days, recency_inbound_days, recency_outbound_days,
       coalesce(n_inbound_1d, 0) AS n_inbound_1d, coalesce(n_inbound_3d, 0) AS n_inbound_3d,
       coalesce(n_inbound_7d, 0) AS n_inbound_7d, coalesce(n_inbound_30d, 0) AS n_inbound_30d,
       coalesce(n_inbound_90d, 0) AS n_inbound_90d, coalesce(n_inbound_365d, 0) AS n_inbound_365d,
       coalesce(n_inbound_ever, 0) AS n_inbound_ever,
       coalesce(n_outbound_7d, 0) AS n_outbound_7d, coalesce(n_outbound_30d, 0) AS n_outbound_30d,
       coalesce(n_outbound_90d, 0) AS n_outbound_90d, coalesce(n_outbound_365d, 0) AS n_outbound_365d,
       over(coalesce(n_inbound_90d, 0), coalesce(n_inbound_90d, 0) + coalesce(n_outbound_90d, 0)) AS inbound_share_90d,
       coalesce(active_days_30d, 0) AS active_days_30d, coalesce(active_days_90d, 0) AS active_days_90d,
       coalesce(active_days_365d, 0) AS active_days_365d,
       coalesce(f7, 0) AS faded_inbound_7d, coalesce(f30, 0) AS faded_inbound_30d, coalesce(f90, 0) AS faded_inbound_90d,
       f7 / 7 / (f30 / 30) AS trend_7_30, f30 / 30 / (f90 / 90) AS trend_30_90,
       coalesce(n_inbound_30d - n_before_30d, 0) AS change_30d, coalesce(n_inbound_90d - n_before_90d, 0) AS change_90d,
       coalesce(n_season_30d, 0) AS n_season_30d,
       gap_mean_days, gap_std_days, gap_recent_days, gap_max_days,
       over(recency_inbound_days, gap_mean_days) AS gap_ratio, over(recency_inbound_days, gap_recent_days) AS gap_ratio_recent,
       CASE WHEN gap_std_days > 1 / 86400 THEN (recency_inbound_days - gap_mean_days) / gap_std_days END AS gap_zscore,
       coalesce(n_channels_90d, 0) AS n_channels_90d, coalesce(n_channels_ever, 0) AS n_channels_ever, main_channel_share,
       coalesce(n_kinds_ever, 0) AS n_kinds_ever, coalesce(total, 0) AS interest_total,
       coalesce(sizes[1], 0) AS interest_top_1, coalesce(sizes[2], 0) AS interest_top_2, coalesce(sizes[3], 0) AS interest_top_3,
       sizes[1] / total AS interest_focus, coalesce(n_topics_ever, 0) AS n_topics_ever, coalesce(n_topics_30d, 0) AS n_topics_30d,
       coalesce(n_topics_new_30d, 0) AS n_topics_new_30d, recency_new_topic_days,
       coalesce(rise, 0) AS interest_rise_top, coalesce(fall, 0) AS interest_fall_top,
       coalesce(n_orders_30d, 0) AS n_orders_30d, coalesce(n_orders_90d, 0) AS n_orders_90d,
       coalesce(n_orders_365d, 0) AS n_orders_365d, recency_order_days,
       coalesce(revenue_30d, 0) AS revenue_30d, coalesce(revenue_90d, 0) AS revenue_90d,
       coalesce(revenue_365d, 0) AS revenue_365d, coalesce(revenue_ever, 0) AS revenue_ever, revenue_mean, revenue_last,
       coalesce(revenue_90d, 0) - coalesce(revenue_before, 0) AS revenue_change_90d,
       coalesce(revenue_faded_30d, 0) AS revenue_faded_30d, coalesce(margin_365d, 0) AS margin_365d,
       coalesce(returns_365d, 0) AS returns_365d, coalesce(n_returns_365d, 0) AS n_returns_365d,
       coalesce(dwell_30d, 0) AS dwell_30d_seconds, coalesce(dwell_90d, 0) AS dwell_90d_seconds, dwell_mean_seconds,
       coalesce(n_answered_365d, 0) AS n_answered_365d, over(coalesce(n_answered, 0), n_outbound) AS answer_rate,
       recency_answer_days, coalesce(points, 0) AS points
FROM asked q
LEFT JOIN anything USING (row) LEFT JOIN sent USING (row) LEFT JOIN came USING (row) LEFT JOIN rhythm USING (row)
LEFT JOIN channels USING (row) LEFT JOIN topics USING (row) LEFT JOIN money USING (row);

CREATE TABLE own AS
WITH sent AS (
    SELECT q.row, count(*) AS n, days(min(age)) AS recency
    FROM asked q JOIN past p ON p.row = q.row AND p.outbound AND p.type = q.type GROUP BY q.row
), answered AS (
    SELECT q.row, count(*) AS answers, count(*) FILTER (is_first) AS n, days(min(age)) AS recency
    FROM asked q JOIN past p ON p.row = q.row AND p.sent_type = q.type GROUP BY q.row
), its AS (
    SELECT m.*, w.topic AS own_topic FROM mention m
    JOIN (SELECT row, unnest(list_distinct(topics)) AS topic FROM asked) w ON w.row = m.row AND is_about(m.topic, w.topic)
), events AS (
    SELECT row, count(*) AS n, count(*) FILTER (within(age, 30)) AS n30, count(*) FILTER (within(age, 90)) AS n90,
           days(min(age)) AS recency, count(*) FILTER (money) AS orders, count(*) FILTER (money AND within(age, 90)) AS orders90,
           sum(amount) FILTER (money AND within(age, 90)) AS revenue90
    FROM (SELECT DISTINCT row, n, age, money, amount FROM its) GROUP BY row
), matched AS (
    SELECT row, count(*) AS n, sum(faded(age, 20)) AS interest FROM (SELECT DISTINCT row, n, age, topic FROM its) GROUP BY row
), of_topic AS (
    SELECT row, max(size) AS top, count(*) AS n_distinct
    FROM (SELECT row, own_topic, sum(faded(age, 20)) AS size FROM its GROUP BY ALL) GROUP BY row
), everything AS (
    SELECT row, count(*) AS n, sum(faded(age, 20)) AS interest FROM mention GROUP BY row
), overlap AS (
    SELECT row, count(DISTINCT w.topic) AS n
    FROM (SELECT row, unnest(sent_topics) AS topic FROM past WHERE is_first) p
    JOIN (SELECT row, unnest(topics) AS topic FROM asked) w USING (row) WHERE is_about(p.topic, w.topic) GROUP BY row
)
SELECT q.row, len(list_distinct(q.topics)) AS own_n_topics,
       coalesce(s.n, 0) AS own_type_sent, coalesce(a.n, 0) AS own_type_answered, coalesce(a.answers, 0) AS own_type_answers,
       over(coalesce(a.n, 0), s.n) AS own_type_rate, s.recency AS own_type_recency_days,
       a.recency AS own_type_answer_recency_days,
       coalesce(e.n30, 0) AS own_match_n_30d, coalesce(e.n90, 0) AS own_match_n_90d, coalesce(e.n, 0) AS own_match_n_ever,
       over(coalesce(m.n, 0), t.n) AS own_match_share, coalesce(m.interest, 0) AS own_match_interest,
       over(coalesce(m.interest, 0), t.interest) AS own_match_interest_share, coalesce(d.top, 0) AS own_match_top,
       coalesce(d.n_distinct, 0) AS own_match_distinct,
       over(coalesce(d.n_distinct, 0), own_n_topics) AS own_match_cover, e.recency AS own_match_recency_days,
       coalesce(e.orders, 0) AS own_match_orders, coalesce(e.orders90, 0) AS own_match_orders_90d,
       coalesce(e.revenue90, 0) AS own_match_revenue_90d,
       over(coalesce(o.n, 0), own_n_topics) AS own_answered_overlap
FROM asked q LEFT JOIN sent s USING (row) LEFT JOIN answered a USING (row) LEFT JOIN events e USING (row)
LEFT JOIN matched m USING (row) LEFT JOIN of_topic d USING (row) LEFT JOIN everything t USING (row) LEFT JOIN overlap o USING (row);
