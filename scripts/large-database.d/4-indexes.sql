-- What the triggers would have kept, and the indexes.
SET synchronous_commit = off;
SET maintenance_work_mem = '1GB';
SET work_mem = '256MB';
ALTER TABLE messages ADD CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, position);
INSERT INTO conversation_origins SELECT id, created_at, concat_ws(E'\n', email, phone_number) FROM conversations;
INSERT INTO tallies (share, closed) SELECT 1000, count(*) FROM conversations WHERE status = 'closed';
INSERT INTO ticket_tallies (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars)
SELECT 0, status, priority, support_type, assigned_to IS NOT NULL, count(*), 0, 0, 0, 0 FROM tickets GROUP BY 2, 3, 4, 5;
INSERT INTO ticket_days (day, share, tickets)
SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), 0, count(*) FROM tickets GROUP BY 1;
SELECT indexdef FROM made_indexes WHERE indexdef NOT LIKE '%searchable_texts%' AND indexdef NOT LIKE '% search_texts %' \gexec
