-- People, conversations, their events and tickets. Two in a hundred conversations are open.
SET synchronous_commit = off;
SET session_replication_role = replica; -- No triggers: what they keep is made below, all at once.
SET work_mem = '256MB';
SET maintenance_work_mem = '1GB';

-- Indexes are made after the rows.
CREATE UNLOGGED TABLE made_indexes AS
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = current_schema AND tablename IN ('conversations', 'messages', 'conversation_origins', 'conversation_events',
    'searchable_texts', 'search_texts', 'tickets', 'users')
  AND indexname NOT IN (SELECT conname FROM pg_constraint);
SELECT format('DROP INDEX %I', indexname) FROM made_indexes \gexec

INSERT INTO users (id, is_agent, role, email, first_name, last_name, name, phone_number, smipay_tag, created_at, last_seen_at)
SELECT 'user-' || g, g < 100, CASE WHEN g < 100 THEN 'admin' ELSE 'user' END, first || '.' || last || g || '@mail.test',
  CASE WHEN g % 10 <> 0 THEN initcap(first) END, CASE WHEN g % 10 <> 0 THEN initcap(last) END,
  CASE WHEN g % 10 = 0 THEN initcap(first || ' ' || last) END, '+23480' || lpad((g * 7919 % 100000000)::text, 8, '0'),
  '@' || first || g, now() - interval '1 year', now()
FROM generate_series(0, :conversations / 5) g
CROSS JOIN LATERAL (SELECT word AS first FROM made_words WHERE language = 5 AND number = g * 13 % 20000) AS one
CROSS JOIN LATERAL (SELECT word AS last FROM made_words WHERE language = 5 AND number = (g * 17 + 5) % 20000) AS two;

-- Id and size of each; the age grows with the number.
CREATE UNLOGGED TABLE made AS
SELECT g, created_at, messages, (hex || '7' || substr(hash, 1, 3) || 'a' || substr(hash, 5, 15))::uuid AS id,
  created_at + messages * interval '3 minutes' AS last_at, messages / 17 AS notes
FROM generate_series(1, :conversations::bigint) g
CROSS JOIN LATERAL (
  SELECT date_trunc('milliseconds', now() - g * (interval '365 days' / :conversations)) AS created_at, md5(g::text) AS hash,
    -- A few are long; the others have half to one and a half times the mean.
    CASE WHEN g % (:conversations / 10) = 7 THEN 5000
      ELSE greatest(1, (:messages / :conversations) / 2 + (g * 7919) % (:messages / :conversations + 1)) END::int AS messages
) AS drawn
CROSS JOIN LATERAL (SELECT lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') AS hex) AS time;
ALTER TABLE made ADD PRIMARY KEY (g);
ANALYZE made;

INSERT INTO conversations (id, channel, user_id, email, phone_number, status, assigned_to, assigned_name, assigned_at, version,
  last_seq, message_count, last_message, last_message_is_from_user, last_message_at, ticket_id, created_at, updated_at, last_event_at)
SELECT id, CASE WHEN g % 200 = 7 THEN 'help_center' ELSE 'support' END,
  CASE WHEN g % 200 = 7 THEN 'visitor-' || g WHEN g % 20 <> 3 THEN 'user-' || (g * 31 % (:conversations / 5)) END, 'user-' || (g * 31 % (:conversations / 5)) || '@mail.test',
  CASE WHEN g % 3 = 0 THEN '+23481' || lpad((g::bigint * 104729 % 100000000)::text, 8, '0') END,
  status, CASE WHEN g % 200 <> 1 THEN 'user-' || g % 97 END, CASE WHEN g % 200 <> 1 THEN 'Agent' END, created_at,
  messages + 2 + (status = 'closed')::int, messages - notes, messages, 'Hello', true, last_at,
  CASE WHEN g % 10 = 5 THEN md5('ticket' || g)::uuid END, created_at, last_at, last_at
FROM made
CROSS JOIN LATERAL (
  SELECT CASE WHEN g % 200 = 1 THEN 'waiting_support' WHEN g % 200 = 2 THEN 'active' WHEN g % 200 IN (3, 4) THEN 'waiting_user'
    ELSE 'closed' END AS status
) AS chosen
ORDER BY g DESC;

INSERT INTO conversation_events (conversation_id, position, id, type, actor_id, data, created_at)
SELECT id, position, md5(g || ' ' || position)::uuid, type, 'user-' || g % 97, '{}', at
FROM made CROSS JOIN LATERAL (VALUES (1, 'created', created_at), (messages + 2, 'claimed', last_at), (messages + 3, 'closed', last_at))
  AS event (position, type, at)
WHERE type <> 'closed' OR g % 200 NOT IN (1, 2, 3, 4)
ORDER BY g DESC, position;

INSERT INTO tickets (id, ticket_number, conversation_id, is_of_conversation, user_id, email, phone_number, subject, description,
  support_type, status, priority, priority_rank, assigned_to, created_at, updated_at)
SELECT conversations.ticket_id, 'SMI-' || extract(year FROM made.created_at) || '-' || lpad(made.g::text, 6, '0'), made.id, true,
  user_id, email, phone_number, left('About ' || one.sentence, 200), one.sentence || ' ' || two.sentence,
  (ARRAY['TRANSACTION_ISSUE', 'CARD_ISSUE', 'OTHER', 'ACCOUNT_ISSUE'])[1 + (made.g % 4)::int],
  CASE WHEN conversations.status = 'closed' THEN 'closed' ELSE (ARRAY['pending', 'in_progress', 'escalated'])[1 + (made.g % 3)::int] END,
  (ARRAY['low', 'medium', 'high', 'urgent'])[1 + (made.g / 10 % 4)::int], 1 + made.g / 10 % 4, assigned_to, made.created_at, last_at
FROM made JOIN conversations USING (id)
JOIN made_sentences one ON one.id = made.g * 3 % 100000 JOIN made_sentences two ON two.id = made.g * 11 % 100000
WHERE conversations.ticket_id IS NOT NULL;
