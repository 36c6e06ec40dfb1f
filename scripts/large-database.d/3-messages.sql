-- Messages, in the order of their primary key: most have one or two sentences, some a reference of their own.
SET synchronous_commit = off;
SET session_replication_role = replica;
SET work_mem = '256MB';
ALTER TABLE messages DROP CONSTRAINT messages_pkey;

INSERT INTO messages (conversation_id, position, id, seq, body, is_internal, is_from_user, sender, sender_id, client_message_id, created_at)
SELECT made.id, m + 1, md5(made.g || '/' || m)::uuid, CASE WHEN m % 17 <> 0 THEN m - m / 17 END,
  one.sentence || CASE WHEN (made.g + m) % 3 = 0 THEN ' ' || two.sentence ELSE '' END
    || CASE WHEN (made.g + m) % 5 = 0 THEN ' TX' || upper(substr(md5(m || '-' || made.g), 1, 8)) ELSE '' END,
  m % 17 = 0, m % 2 = 1, 'account:user-' || made.g % 97, 'user-' || made.g % 97, CASE WHEN m = 1 THEN 'first-' || made.g END,
  made.created_at + m * interval '3 minutes'
FROM made CROSS JOIN LATERAL generate_series(1, messages) m
JOIN made_sentences one ON one.id = (made.g * 101::bigint + m * 7919) % 100000
JOIN made_sentences two ON two.id = (made.g * 37::bigint + m * 104729) % 100000;
