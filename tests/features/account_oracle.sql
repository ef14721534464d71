-- The columns about the account once more, by joins and aggregates: what the compiled kernel must agree with.
-- Given: ev (touchpoints), asked (row, identity, as_of), known (identity, known_at, says_account, account, says_role, role).

CREATE MACRO days(us) AS us / 86400e6;
CREATE MACRO faded(age, half_life_days) AS pow(0.5, age / (half_life_days * 86400e6));
CREATE MACRO within(age, n_days) AS age <= n_days * 86400000000;
CREATE MACRO over(part, whole) AS CASE WHEN whole > 0 THEN part / whole END;

-- What was known last holds until something else is known.
CREATE TABLE belongs AS
SELECT * FROM (
    SELECT identity, account, known_at AS from_us,
           lead(known_at, 1, 9223372036854775807) OVER (PARTITION BY identity ORDER BY known_at) AS to_us
    FROM known WHERE says_account
) WHERE account IS NOT NULL;

CREATE TABLE plays AS
SELECT * FROM (
    SELECT identity, role, known_at AS from_us,
           lead(known_at, 1, 9223372036854775807) OVER (PARTITION BY identity ORDER BY known_at) AS to_us
    FROM known WHERE says_role
) WHERE role IS NOT NULL;

CREATE TABLE told AS
SELECT *, row_number() OVER (PARTITION BY identity ORDER BY ts, id) AS n FROM ev;

-- Which inbound touchpoints answer an outbound one of the same contact.
CREATE TABLE answer AS
SELECT DISTINCT a.identity, a.n FROM told a JOIN told s
ON a.identity = s.identity AND a.decision = s.decision AND s.n < a.n WHERE NOT a.outbound AND s.outbound
UNION
SELECT c.identity, c.n FROM (
    SELECT a.identity, a.n, a.ts, max(s.n) AS sent FROM told a JOIN told s
    ON a.identity = s.identity AND a.channel = s.channel AND s.n < a.n
    WHERE NOT a.outbound AND s.outbound AND a.decision IS NULL GROUP BY ALL
) c JOIN told s ON s.identity = c.identity AND s.n = c.sent WHERE within(c.ts - s.ts, 14);

CREATE TABLE member AS
SELECT q.row, q.as_of, q.identity AS me, m.identity AS who
FROM asked q
JOIN belongs b ON b.identity = q.identity AND b.from_us < q.as_of AND q.as_of <= b.to_us
JOIN belongs m ON m.account = b.account AND m.from_us < q.as_of AND q.as_of <= m.to_us;

CREATE TABLE past AS
SELECT m.row, m.as_of, m.me, m.who, m.as_of - e.ts AS age, e.*, a.n IS NOT NULL AS answers
FROM member m JOIN told e ON e.identity = m.who AND e.ts < m.as_of
LEFT JOIN answer a ON a.identity = e.identity AND a.n = e.n;

CREATE TABLE each_member AS
SELECT m.row, m.me, m.who, count(p.n) AS n, max(p.age) FILTER (NOT outbound) AS first_age,
       min(p.age) FILTER (NOT outbound) AS last_age
FROM member m LEFT JOIN past p ON p.row = m.row AND p.who = m.who GROUP BY ALL;

CREATE TABLE mention AS
SELECT row, me, who, age, topic FROM (SELECT *, unnest(topics) AS topic FROM past WHERE NOT outbound);

CREATE TABLE per_account AS
WITH people AS (
    SELECT row, count(*) AS n_contacts, count(*) FILTER (within(last_age, 30)) AS a30,
           count(*) FILTER (within(last_age, 90)) AS a90, count(*) FILTER (within(last_age, 365)) AS a365,
           count(*) FILTER (within(first_age, 30)) AS new30,
           count(*) FILTER (within(last_age, 30) AND who <> me) AS others30,
           min(last_age) FILTER (who <> me) AS others_last, max(first_age) FILTER (who = me) AS my_first
    FROM each_member GROUP BY row
), arrival AS (
    SELECT p.row, count(*) FILTER (e.first_age > p.my_first) + 1 AS place
    FROM people p JOIN each_member e ON e.row = p.row WHERE p.my_first IS NOT NULL GROUP BY p.row
), roles AS (
    SELECT m.row, count(DISTINCT role) AS n
    FROM member m JOIN plays r ON r.identity = m.who AND r.from_us < m.as_of AND m.as_of <= r.to_us GROUP BY m.row
), done AS (
    SELECT row, max(age) AS oldest, count(*) AS n, count(*) FILTER (who = me) AS mine,
           count(*) FILTER (NOT outbound AND within(age, 7)) AS i7, count(*) FILTER (NOT outbound AND within(age, 30)) AS i30,
           count(*) FILTER (NOT outbound AND within(age, 90)) AS i90,
           count(*) FILTER (NOT outbound AND within(age, 365)) AS i365,
           count(*) FILTER (outbound AND within(age, 7)) AS o7, count(*) FILTER (outbound AND within(age, 30)) AS o30,
           count(*) FILTER (outbound AND within(age, 90)) AS o90, count(*) FILTER (outbound AND within(age, 365)) AS o365,
           min(age) FILTER (NOT outbound) AS last_in, min(age) FILTER (outbound) AS last_out,
           min(age) FILTER (money) AS last_order, min(age) FILTER (answers) AS last_answer,
           count(*) FILTER (money AND within(age, 365)) AS orders,
           sum(CASE WHEN money THEN amount WHEN returned THEN -abs(amount) END) FILTER (within(age, 365)) AS revenue,
           count(*) FILTER (NOT outbound AND who <> me AND within(age, 30)) AS others_in,
           count(*) FILTER (NOT outbound AND who <> me AND within(age, 60) AND NOT within(age, 30)) AS others_before,
           count(*) FILTER (NOT outbound AND who = me AND within(age, 90)) AS mine90
    FROM past GROUP BY row
), topics AS (
    SELECT row, topic, sum(faded(age, 20)) AS size, sum(faded(age, 20)) FILTER (who = me) AS mine
    FROM mention GROUP BY ALL
), wanted AS (
    SELECT row, sum(size) AS total, list(size ORDER BY size DESC) AS sizes, count(*) AS n, sum(mine) AS mine FROM topics GROUP BY row
), overlap AS (
    SELECT row, sum(least(t.mine / w.mine, t.size / w.total)) AS part
    FROM topics t JOIN wanted w USING (row) WHERE t.mine IS NOT NULL GROUP BY row
)
SELECT q.row, n_contacts AS account_n_contacts, CASE WHEN n_contacts > 0 THEN coalesce(r.n, 0) END AS account_n_roles,
       a30 AS account_n_active_30d, a90 AS account_n_active_90d, a365 AS account_n_active_365d,
       over(a90, n_contacts) AS account_active_share_90d, new30 AS account_n_new_30d,
       coalesce(i7, z) AS account_n_inbound_7d, coalesce(i30, z) AS account_n_inbound_30d,
       coalesce(i90, z) AS account_n_inbound_90d, coalesce(i365, z) AS account_n_inbound_365d,
       coalesce(o7, z) AS account_n_outbound_7d, coalesce(o30, z) AS account_n_outbound_30d,
       coalesce(o90, z) AS account_n_outbound_90d, coalesce(o365, z) AS account_n_outbound_365d,
       days(oldest) AS account_tenure_days, days(last_in) AS account_recency_inbound_days,
       days(last_out) AS account_recency_outbound_days, days(last_order) AS account_recency_order_days,
       days(last_answer) AS account_recency_answer_days, coalesce(orders, z) AS account_n_orders_365d,
       coalesce(revenue, z) AS account_revenue_365d, coalesce(w.total, z) AS account_interest_total,
       coalesce(sizes[1], z) AS account_interest_top_1, coalesce(sizes[2], z) AS account_interest_top_2,
       coalesce(sizes[3], z) AS account_interest_top_3, coalesce(w.n, z) AS account_n_topics_ever,
       part AS account_interest_overlap, coalesce(w.total - coalesce(w.mine, 0), z) AS account_others_interest,
       others30 AS account_n_others_active_30d, coalesce(others_in, z) AS account_n_others_inbound_30d,
       coalesce(others_in - others_before, z) AS account_others_change, days(others_last) AS account_others_recency_days,
       over(d.mine, d.n) AS account_own_share, over(mine90, i90) AS account_own_share_90d,
       place AS account_arrival_rank, CASE WHEN place = 1 THEN 1 ELSE z END AS account_is_first
FROM asked q
LEFT JOIN (SELECT *, 0 AS z FROM people) USING (row) LEFT JOIN arrival USING (row) LEFT JOIN roles r USING (row)
LEFT JOIN done d USING (row) LEFT JOIN wanted w USING (row) LEFT JOIN overlap USING (row)
ORDER BY q.row;
