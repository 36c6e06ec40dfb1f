SELECT pg_catalog.set_config('search_path', '', false);
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;
COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';
CREATE FUNCTION public.free_ticket_share() RETURNS integer
    LANGUAGE plpgsql
    AS $$ DECLARE share integer; BEGIN FOR attempt IN 0..15 LOOP share := (pg_backend_pid() + attempt) % 16; EXIT WHEN pg_try_advisory_xact_lock(1953199219, share); END LOOP; RETURN share; END $$;
CREATE FUNCTION public.keep_conversation_origin() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        INSERT INTO conversation_origins
        VALUES (NEW.id, NEW.created_at, concat_ws(E'\n', NEW.email, NEW.phone_number));
        RETURN NULL;
    END
    $$;
CREATE FUNCTION public.list_unsearchable_messages() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO '$user', 'public'
    AS $$
    BEGIN
        INSERT INTO unsearchable_messages (conversation_ids, positions)
        SELECT array_agg(conversation_id), array_agg(position)
        FROM (SELECT conversation_id, position, (row_number() OVER () - 1) / 100 AS part FROM made) AS listed
        GROUP BY part;
        RETURN NULL;
    END
    $$;
CREATE FUNCTION public.tally_tickets_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ DECLARE mine integer := free_ticket_share(); BEGIN INSERT INTO ticket_tallies AS tally (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) SELECT mine, status, priority, support_type, assigned_to IS NOT NULL, sum(times), COALESCE(sum(times) FILTER (WHERE response_time_seconds IS NOT NULL), 0), COALESCE(sum(times * response_time_seconds), 0), COALESCE(sum(times) FILTER (WHERE rating IS NOT NULL), 0), COALESCE(sum(times * rating), 0) FROM (SELECT 1 AS times, made.* FROM made UNION ALL SELECT -1, gone.* FROM gone) changed GROUP BY 2, 3, 4, 5 HAVING sum(times) <> 0 OR sum(times * response_time_seconds) <> 0 OR sum(times * rating) <> 0 OR sum(times) FILTER (WHERE response_time_seconds IS NOT NULL) <> 0 OR sum(times) FILTER (WHERE rating IS NOT NULL) <> 0 ON CONFLICT (share, status, priority, support_type, is_assigned) DO UPDATE SET tickets = tally.tickets + excluded.tickets, responded = tally.responded + excluded.responded, response_seconds = tally.response_seconds + excluded.response_seconds, rated = tally.rated + excluded.rated, stars = tally.stars + excluded.stars; INSERT INTO ticket_days AS days (day, share, tickets) SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), mine, sum(times) FROM (SELECT 1 AS times, made.* FROM made UNION ALL SELECT -1, gone.* FROM gone) changed GROUP BY 1 HAVING sum(times) <> 0 ON CONFLICT (day, share) DO UPDATE SET tickets = days.tickets + excluded.tickets; RETURN NULL; END $$;
CREATE FUNCTION public.tally_tickets_gone() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ DECLARE mine integer := free_ticket_share(); BEGIN INSERT INTO ticket_tallies AS tally (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) SELECT mine, status, priority, support_type, assigned_to IS NOT NULL, sum(times), COALESCE(sum(times) FILTER (WHERE response_time_seconds IS NOT NULL), 0), COALESCE(sum(times * response_time_seconds), 0), COALESCE(sum(times) FILTER (WHERE rating IS NOT NULL), 0), COALESCE(sum(times * rating), 0) FROM (SELECT -1 AS times, gone.* FROM gone) changed GROUP BY 2, 3, 4, 5 HAVING sum(times) <> 0 OR sum(times * response_time_seconds) <> 0 OR sum(times * rating) <> 0 OR sum(times) FILTER (WHERE response_time_seconds IS NOT NULL) <> 0 OR sum(times) FILTER (WHERE rating IS NOT NULL) <> 0 ON CONFLICT (share, status, priority, support_type, is_assigned) DO UPDATE SET tickets = tally.tickets + excluded.tickets, responded = tally.responded + excluded.responded, response_seconds = tally.response_seconds + excluded.response_seconds, rated = tally.rated + excluded.rated, stars = tally.stars + excluded.stars; INSERT INTO ticket_days AS days (day, share, tickets) SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), mine, sum(times) FROM (SELECT -1 AS times, gone.* FROM gone) changed GROUP BY 1 HAVING sum(times) <> 0 ON CONFLICT (day, share) DO UPDATE SET tickets = days.tickets + excluded.tickets; RETURN NULL; END $$;
CREATE FUNCTION public.tally_tickets_made() RETURNS trigger
    LANGUAGE plpgsql
    AS $$ DECLARE mine integer := free_ticket_share(); BEGIN INSERT INTO ticket_tallies AS tally (share, status, priority, support_type, is_assigned, tickets, responded, response_seconds, rated, stars) SELECT mine, status, priority, support_type, assigned_to IS NOT NULL, sum(times), COALESCE(sum(times) FILTER (WHERE response_time_seconds IS NOT NULL), 0), COALESCE(sum(times * response_time_seconds), 0), COALESCE(sum(times) FILTER (WHERE rating IS NOT NULL), 0), COALESCE(sum(times * rating), 0) FROM (SELECT 1 AS times, made.* FROM made) changed GROUP BY 2, 3, 4, 5 HAVING sum(times) <> 0 OR sum(times * response_time_seconds) <> 0 OR sum(times * rating) <> 0 OR sum(times) FILTER (WHERE response_time_seconds IS NOT NULL) <> 0 OR sum(times) FILTER (WHERE rating IS NOT NULL) <> 0 ON CONFLICT (share, status, priority, support_type, is_assigned) DO UPDATE SET tickets = tally.tickets + excluded.tickets, responded = tally.responded + excluded.responded, response_seconds = tally.response_seconds + excluded.response_seconds, rated = tally.rated + excluded.rated, stars = tally.stars + excluded.stars; INSERT INTO ticket_days AS days (day, share, tickets) SELECT to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD'), mine, sum(times) FROM (SELECT 1 AS times, made.* FROM made) changed GROUP BY 1 HAVING sum(times) <> 0 ON CONFLICT (day, share) DO UPDATE SET tickets = days.tickets + excluded.tickets; RETURN NULL; END $$;
CREATE TABLE public.conversation_events (
    conversation_id uuid NOT NULL,
    "position" bigint NOT NULL,
    id uuid NOT NULL,
    type text NOT NULL,
    actor_id text,
    actor_name text,
    data json NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.conversation_origins (
    conversation_id uuid NOT NULL,
    created_at timestamp with time zone NOT NULL,
    contact text NOT NULL
);
CREATE TABLE public.conversations (
    id uuid NOT NULL,
    channel text NOT NULL,
    user_id text,
    email text,
    phone_number text,
    status text NOT NULL,
    assigned_to text,
    assigned_name text,
    assigned_at timestamp with time zone,
    version bigint NOT NULL,
    last_seq bigint NOT NULL,
    message_count bigint NOT NULL,
    last_message text,
    last_message_is_from_user boolean,
    last_message_sender_name text,
    last_message_at timestamp with time zone NOT NULL,
    rating smallint,
    feedback text,
    device_metadata json,
    ip_address text,
    user_agent text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    last_event_at timestamp with time zone NOT NULL,
    ticket_id uuid,
    pending_handover_id uuid
);
CREATE TABLE public.handovers (
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    from_id text NOT NULL,
    from_name text NOT NULL,
    to_id text NOT NULL,
    to_name text NOT NULL,
    reason text,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    responded_at timestamp with time zone
);
CREATE TABLE public.messages (
    conversation_id uuid NOT NULL,
    "position" bigint NOT NULL,
    id uuid NOT NULL,
    seq bigint,
    body text NOT NULL,
    is_internal boolean NOT NULL,
    is_from_user boolean NOT NULL,
    sender text NOT NULL,
    sender_id text,
    sender_name text,
    sender_email text,
    client_message_id text,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.nonces (
    nonce text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.seaql_migrations (
    version character varying NOT NULL,
    applied_at bigint NOT NULL
);
CREATE TABLE public.searchable_texts (
    id bigint NOT NULL,
    conversation_id uuid NOT NULL,
    text text NOT NULL
);
ALTER TABLE public.searchable_texts ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.searchable_texts_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.tallies (
    share integer NOT NULL,
    closed bigint NOT NULL
);
CREATE TABLE public.ticket_counters (
    year integer NOT NULL,
    last bigint NOT NULL
);
CREATE TABLE public.ticket_days (
    day text NOT NULL,
    share integer NOT NULL,
    tickets bigint NOT NULL
);
CREATE TABLE public.ticket_tallies (
    share integer NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    support_type text NOT NULL,
    is_assigned boolean NOT NULL,
    tickets bigint NOT NULL,
    responded bigint NOT NULL,
    response_seconds bigint NOT NULL,
    rated bigint NOT NULL,
    stars bigint NOT NULL
);
CREATE TABLE public.tickets (
    id uuid NOT NULL,
    ticket_number text NOT NULL,
    conversation_id uuid NOT NULL,
    is_of_conversation boolean NOT NULL,
    user_id text,
    email text,
    phone_number text,
    subject text NOT NULL,
    description text NOT NULL,
    support_type text NOT NULL,
    status text NOT NULL,
    priority text NOT NULL,
    priority_rank smallint NOT NULL,
    assigned_to text,
    assigned_name text,
    resolved_at timestamp with time zone,
    resolved_by text,
    resolved_by_name text,
    resolution_notes text,
    related_transaction_id text,
    session_id text,
    first_response_at timestamp with time zone,
    last_response_at timestamp with time zone,
    response_time_seconds bigint,
    rating smallint,
    feedback text,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);
CREATE TABLE public.unsearchable_messages (
    id bigint NOT NULL,
    conversation_ids uuid[] NOT NULL,
    positions bigint[] NOT NULL
);
ALTER TABLE public.unsearchable_messages ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.unsearchable_messages_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE VIEW public.unsearchable_texts AS
 SELECT messages.conversation_id,
    messages.body AS text
   FROM ((public.unsearchable_messages listed
     CROSS JOIN LATERAL UNNEST(listed.conversation_ids, listed.positions) message(conversation_id, "position"))
     JOIN public.messages USING (conversation_id, "position"));
CREATE TABLE public.users (
    id text NOT NULL,
    is_agent boolean NOT NULL,
    role text NOT NULL,
    email text,
    first_name text,
    last_name text,
    name text,
    phone_number text,
    smipay_tag text,
    picture text,
    created_at timestamp with time zone NOT NULL,
    last_seen_at timestamp with time zone NOT NULL
);
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 1, '01a22e36-dbe3-75d6-b91f-29bd7af5ff9f', 'created', 'john', 'John Doe', '{"channel":"support"}', '2026-11-30 20:47:56.899+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 4, '01a22e36-dbfb-750c-89d7-f1762f007460', 'claimed', 'sarah', 'Sarah Johnson', '{}', '2026-11-30 20:47:56.923+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 8, '01a22e36-dc20-71de-8109-af1ff411bd1f', 'ticket_created', 'sarah', 'Sarah Johnson', '{"subject": "Transfer stuck", "ticket_id": "01a22e36-dc20-71de-8109-af1ebcd31d43"}', '2026-11-30 20:47:56.96+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 9, '01a22e36-dc3e-76f6-87ff-2f3d59bbb42b', 'ticket_priority_changed', 'sarah', 'Sarah Johnson', '{"priority": "urgent"}', '2026-11-30 20:47:56.99+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 10, '01a22e36-dc4f-76b8-a2c2-984ff5f1f1ac', 'ticket_assigned', 'sarah', 'Sarah Johnson', '{"assigned_to": "mike", "assigned_admin_name": "Mike Śliwa"}', '2026-11-30 20:47:57.007+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 11, '01a22e36-dc61-734d-864b-eadd61f7044e', 'ticket_status_changed', 'mike', 'Mike Śliwa', '{"new_status": "escalated", "old_status": "in_progress", "resolution_notes": null}', '2026-11-30 20:47:57.025+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 12, '01a22e36-dc70-74e9-a9ca-5ddf2e42705c', 'ticket_status_changed', 'mike', 'Mike Śliwa', '{"new_status": "resolved", "old_status": "escalated", "resolution_notes": "Paid out by hand."}', '2026-11-30 20:47:57.04+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 14, '01a22e36-dc88-77d9-af03-ecd0e4c72f68', 'closed', 'sarah', 'Sarah Johnson', '{}', '2026-11-30 20:47:57.064+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 15, '01a22e36-dc93-707a-a777-ea9dedcedc7e', 'rated', 'john', 'John Doe', '{"feedback":"Quick & kind","rating":5}', '2026-11-30 20:47:57.075+00');
INSERT INTO public.conversation_events VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 16, '01a22e36-dca2-7284-a8bd-043c7cbc1e6d', 'ticket_rated', 'john', 'John Doe', '{"rating": 4, "feedback": null}', '2026-11-30 20:47:57.09+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dcb3-72a4-ab56-3558d9548eff', 1, '01a22e36-dcb3-72a4-ab56-3559287f165d', 'created', 'john', 'John Doe', '{"channel":"support"}', '2026-11-30 20:47:57.107+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dccf-76e7-91c0-d40a1de0dc40', 1, '01a22e36-dcd0-7122-9cf3-9785e5a3ee77', 'created', 'auth0|eve-01', NULL, '{"channel":"support"}', '2026-11-30 20:47:57.136+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 1, '01a22e36-dcdc-76b4-bbac-f2373e1ce5ef', 'created', 'ada', 'Ada Lovelace', '{"channel":"support"}', '2026-11-30 20:47:57.148+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 3, '01a22e36-dceb-702d-a2cf-f6e3d967a2e4', 'claimed', 'sarah', 'Sarah Johnson', '{}', '2026-11-30 20:47:57.163+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 4, '01a22e36-dcf6-745f-8828-8ad3172712c7', 'handover_requested', 'sarah', 'Sarah Johnson', '{"reason": "Cards are Mike''s", "handover_id": "01a22e36-dcf6-745f-8828-8ad2e4c0be50", "to_admin_id": "mike", "to_admin_name": "Mike Śliwa"}', '2026-11-30 20:47:57.174+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 5, '01a22e36-dd0c-7263-bde7-bfe163e87dc6', 'handover_accepted', 'mike', 'Mike Śliwa', '{"handover_id": "01a22e36-dcf6-745f-8828-8ad2e4c0be50", "from_admin_id": "sarah"}', '2026-11-30 20:47:57.196+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 1, '01a22e36-dd3b-71e1-917a-15f92a7cb298', 'created', 'ada', 'Ada Lovelace', '{"channel":"support"}', '2026-11-30 20:47:57.242+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 3, '01a22e36-dd47-7486-b48f-faf277234ae0', 'claimed', 'mike', 'Mike Śliwa', '{}', '2026-11-30 20:47:57.255+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 4, '01a22e36-dd56-7018-9a99-82eea685225d', 'handover_requested', 'mike', 'Mike Śliwa', '{"reason": null, "handover_id": "01a22e36-dd56-7018-9a99-82ed48a0f0c2", "to_admin_id": "kim", "to_admin_name": "Kim"}', '2026-11-30 20:47:57.27+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 5, '01a22e36-dd5e-705f-a3f1-7da0714e5b1c', 'handover_rejected', 'kim', 'Kim', '{"handover_id": "01a22e36-dd56-7018-9a99-82ed48a0f0c2", "from_admin_id": "mike"}', '2026-11-30 20:47:57.278+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 6, '01a22e36-dd70-765d-8b0d-f21c098c3cea', 'handover_requested', 'mike', 'Mike Śliwa', '{"reason": "Lunch", "handover_id": "01a22e36-dd70-765d-8b0d-f21b6bd31321", "to_admin_id": "sarah", "to_admin_name": "Sarah Johnson"}', '2026-11-30 20:47:57.296+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 7, '01a22e36-dd80-7148-a7ca-b29581177dcb', 'handover_accepted', 'sarah', 'Sarah Johnson', '{"handover_id": "01a22e36-dd70-765d-8b0d-f21b6bd31321", "from_admin_id": "mike"}', '2026-11-30 20:47:57.312+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 1, '01a22e36-dd8b-765f-a046-b255c1e650bb', 'created', 'ada', 'Ada Lovelace', '{"channel":"support"}', '2026-11-30 20:47:57.323+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 3, '01a22e36-dd9f-7191-b4a2-81c48c71c5b5', 'claimed', 'kim', 'Kim', '{}', '2026-11-30 20:47:57.343+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 4, '01a22e36-ddb0-7395-9bd4-789695f243ba', 'handover_requested', 'kim', 'Kim', '{"reason": "Holiday", "handover_id": "01a22e36-ddb0-7395-9bd4-7895fb276c2d", "to_admin_id": "sarah", "to_admin_name": "Sarah Johnson"}', '2026-11-30 20:47:57.36+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 5, '01a22e36-ddbb-7708-a8a1-4ff7998290c8', 'handover_rejected', 'kim', 'Kim', '{"handover_id": "01a22e36-ddb0-7395-9bd4-7895fb276c2d", "from_admin_id": "kim"}', '2026-11-30 20:47:57.371+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 6, '01a22e36-ddbb-7708-a8a1-4ff88a39a807', 'closed', 'kim', 'Kim', '{}', '2026-11-30 20:47:57.371+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 7, '01a22e36-ddc7-7315-b0fc-81574ea9fe74', 'rated', 'ada', 'Ada Lovelace', '{"feedback":"Too slow","rating":1}', '2026-11-30 20:47:57.383+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 1, '01a22e36-ddd1-7569-9ccd-5a59dba1f712', 'created', 'ada', 'Ada Lovelace', '{"channel":"support"}', '2026-11-30 20:47:57.393+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 3, '01a22e36-dde0-726b-81ba-f8b79a1c4bdd', 'claimed', 'sarah', 'Sarah Johnson', '{}', '2026-11-30 20:47:57.408+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 4, '01a22e36-ddf4-72ef-8d75-cbbb8f2afd17', 'handover_requested', 'sarah', 'Sarah Johnson', '{"reason": "End of shift", "handover_id": "01a22e36-ddf4-72ef-8d75-cbba34cf7af7", "to_admin_id": "kim", "to_admin_name": "Kim"}', '2026-11-30 20:47:57.428+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 1, '01a22e36-de0e-776d-b121-abfa209d4c0d', 'created', 'john', 'John Doe', '{"channel":"support"}', '2026-11-30 20:47:57.454+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 3, '01a22e36-de26-77f6-bdae-fbaf6bed234c', 'claimed', 'mike', 'Mike Śliwa', '{}', '2026-11-30 20:47:57.478+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 4, '01a22e36-de3d-7167-9dba-c2b3c4c404ea', 'handover_requested', 'mike', 'Mike Śliwa', '{"reason": null, "handover_id": "01a22e36-de3d-7167-9dba-c2b28251d477", "to_admin_id": "sarah", "to_admin_name": "Sarah Johnson"}', '2026-11-30 20:47:57.501+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 5, '01a22e36-de54-7155-adc0-5dcc6d833ed2', 'handover_rejected', 'sarah', 'Sarah Johnson', '{"handover_id": "01a22e36-de3d-7167-9dba-c2b28251d477", "from_admin_id": "mike"}', '2026-11-30 20:47:57.524+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 6, '01a22e36-de6a-77ae-be29-b73032c0b1d4', 'closed', 'mike', 'Mike Śliwa', '{}', '2026-11-30 20:47:57.546+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 1, '01a22e36-de77-738b-87e7-968fcb31f412', 'created', NULL, NULL, '{"channel":"support"}', '2026-11-30 20:47:57.559+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 4, '01a22e36-de93-7493-94ff-031136298a94', 'claimed', 'sarah', 'Sarah Johnson', '{}', '2026-11-30 20:47:57.587+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-deb7-74bd-adb9-ed6e04581571', 1, '01a22e36-deb7-74bd-adb9-ed6f14d4283d', 'created', NULL, NULL, '{"channel":"support"}', '2026-11-30 20:47:57.623+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 1, '01a22e36-dec3-7647-895f-faa4b8945aae', 'created', 'john', 'John Doe', '{"channel": "ticket"}', '2026-11-30 20:47:57.635+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 2, '01a22e36-dec3-7647-895f-faa54c47bcd8', 'ticket_created', NULL, NULL, '{"subject": "Feature wish", "ticket_id": "01a22e36-dec3-7647-895f-faa232d1b2a4"}', '2026-11-30 20:47:57.635+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 6, '01a22e36-defc-7201-afb8-94b091749fb7', 'ticket_status_changed', 'kim', 'Kim', '{"new_status": "in_progress", "old_status": "pending", "resolution_notes": null}', '2026-11-30 20:47:57.692+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 8, '01a22e36-df20-76a7-9ba3-bc384514781a', 'ticket_assigned', 'kim', 'Kim', '{"assigned_to": "kim", "assigned_admin_name": "Kim"}', '2026-11-30 20:47:57.728+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 9, '01a22e36-df2d-7431-b993-25aed88b0f00', 'ticket_status_changed', 'kim', 'Kim', '{"new_status": "closed", "old_status": "in_progress", "resolution_notes": "On the list."}', '2026-11-30 20:47:57.741+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 10, '01a22e36-df3f-7122-b52c-65acc09a9d2b', 'ticket_rated', 'john', 'John Doe', '{"rating": 3, "feedback": "Fine"}', '2026-11-30 20:47:57.759+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-df57-72b1-92e1-3f3f73914c81', 1, '01a22e36-df57-72b1-92e1-3f405ee5520c', 'created', 'ada', 'Ada Lovelace', '{"channel": "ticket"}', '2026-11-30 20:47:57.783+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-df57-72b1-92e1-3f3f73914c81', 2, '01a22e36-df57-72b1-92e1-3f415f9eb36a', 'ticket_created', NULL, NULL, '{"subject": "Login", "ticket_id": "01a22e36-df57-72b1-92e1-3f3e2c4636d4"}', '2026-11-30 20:47:57.783+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 1, '01a22e36-df63-779e-91ee-fbbfdbaa074f', 'created', NULL, NULL, '{"channel": "ticket"}', '2026-11-30 20:47:57.795+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 2, '01a22e36-df63-779e-91ee-fbc065054174', 'ticket_created', NULL, NULL, '{"subject": "Registration", "ticket_id": "01a22e36-df63-779e-91ee-fbbd24a833ed"}', '2026-11-30 20:47:57.795+00');
INSERT INTO public.conversation_events VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 5, '01a22e36-df7f-739b-90f4-df72eed6164b', 'ticket_status_changed', 'mike', 'Mike Śliwa', '{"new_status": "in_progress", "old_status": "pending", "resolution_notes": null}', '2026-11-30 20:47:57.823+00');
INSERT INTO public.conversation_events VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 1, '01a22e36-dfb5-77e7-9761-5aa9a319ef53', 'created', 'ada', 'Ada Lovelace', '{"channel":"help_center"}', '2026-11-30 20:47:57.877+00');
INSERT INTO public.conversation_events VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 6, '01a22e36-e006-72df-9b54-edc67e2ef7a3', 'claimed', 'mike', 'Mike Śliwa', '{}', '2026-11-30 20:47:57.958+00');
INSERT INTO public.conversation_events VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 8, '01a22e36-e01b-71e6-a76d-0a0e2ef06ecd', 'closed', 'mike', 'Mike Śliwa', '{}', '2026-11-30 20:47:57.979+00');
INSERT INTO public.conversation_events VALUES ('a573ee48-97ab-8a35-a370-fe27ad48120c', 1, '01a22e36-e923-73e9-866a-8926f277b555', 'created', 'auth0|eve-01', NULL, '{"channel":"help_center"}', '2026-11-30 20:48:00.291+00');
INSERT INTO public.conversation_events VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 9, '01a22e36-e024-701b-b491-c4c45b5dbcb9', 'reopened', 'ada', 'Ada Lovelace', '{}', '2026-11-30 20:47:57.988+00');
INSERT INTO public.conversation_events VALUES ('ccdd5b1e-192a-8b86-ba84-cb876203f9e5', 1, '01a22e36-e035-706b-a7dd-6eb831307495', 'created', 'john', 'John Doe', '{"channel":"help_center"}', '2026-11-30 20:47:58.005+00');
INSERT INTO public.conversation_origins VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', '2026-11-30 20:47:56.899+00', 'john@example.com
+2348012345678');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dcb3-72a4-ab56-3558d9548eff', '2026-11-30 20:47:57.107+00', 'john@example.com
+2348012345678');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dccf-76e7-91c0-d40a1de0dc40', '2026-11-30 20:47:57.136+00', '');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', '2026-11-30 20:47:57.148+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', '2026-11-30 20:47:57.242+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', '2026-11-30 20:47:57.323+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', '2026-11-30 20:47:57.393+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', '2026-11-30 20:47:57.454+00', 'john@example.com
+2348012345678');
INSERT INTO public.conversation_origins VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', '2026-11-30 20:47:57.559+00', 'guest@example.com
08012345678');
INSERT INTO public.conversation_origins VALUES ('01a22e36-deb7-74bd-adb9-ed6e04581571', '2026-11-30 20:47:57.623+00', 'other@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', '2026-11-30 20:47:57.635+00', 'john@example.com
+2348012345678');
INSERT INTO public.conversation_origins VALUES ('01a22e36-df57-72b1-92e1-3f3f73914c81', '2026-11-30 20:47:57.783+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', '2026-11-30 20:47:57.795+00', 'guest@example.com
08012345678');
INSERT INTO public.conversation_origins VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', '2026-11-30 20:47:57.877+00', 'Ada.Lovelace@example.com');
INSERT INTO public.conversation_origins VALUES ('ccdd5b1e-192a-8b86-ba84-cb876203f9e5', '2026-11-30 20:47:58.005+00', 'john@example.com
+2348012345678');
INSERT INTO public.conversation_origins VALUES ('a573ee48-97ab-8a35-a370-fe27ad48120c', '2026-11-30 20:48:00.291+00', '');
INSERT INTO public.conversations VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 'support', 'john', 'john@example.com', '+2348012345678', 'closed', 'sarah', 'Sarah Johnson', '2026-11-30 20:47:56.923+00', 16, 5, 6, 'It is paid out.', false, 'Sarah Johnson', '2026-11-30 20:47:57.049+00', 5, 'Quick & kind', '{"app_version":"2.1.0","nested":{"a":[1,null,true]},"platform":"ios"}', '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:56.899+00', '2026-11-30 20:47:57.09+00', '2026-11-30 20:47:57.09+00', '01a22e36-dc20-71de-8109-af1ebcd31d43', NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dcb3-72a4-ab56-3558d9548eff', 'support', 'john', 'john@example.com', '+2348012345678', 'waiting_support', NULL, NULL, NULL, 3, 2, 2, 'Still there?', true, 'John Doe', '2026-11-30 20:47:57.125+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.107+00', '2026-11-30 20:47:57.125+00', '2026-11-30 20:47:57.125+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dccf-76e7-91c0-d40a1de0dc40', 'support', 'auth0|eve-01', NULL, NULL, 'active', NULL, NULL, NULL, 2, 1, 1, 'No name, no address', true, NULL, '2026-11-30 20:47:57.136+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.136+00', '2026-11-30 20:47:57.136+00', '2026-11-30 20:47:57.136+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 'support', 'ada', 'Ada.Lovelace@example.com', NULL, 'waiting_user', 'mike', 'Mike Śliwa', '2026-11-30 20:47:57.196+00', 6, 2, 2, 'Unblocked.', false, 'Mike Śliwa', '2026-11-30 20:47:57.215+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.148+00', '2026-11-30 20:47:57.215+00', '2026-11-30 20:47:57.215+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 'support', 'ada', 'Ada.Lovelace@example.com', NULL, 'active', 'sarah', 'Sarah Johnson', '2026-11-30 20:47:57.312+00', 7, 1, 1, 'Wrong fee', true, 'Ada Lovelace', '2026-11-30 20:47:57.242+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.242+00', '2026-11-30 20:47:57.312+00', '2026-11-30 20:47:57.312+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 'ticket', 'john', 'john@example.com', '+2348012345678', 'waiting_user', NULL, NULL, NULL, 10, 3, 4, 'Noted.', false, 'Kim', '2026-11-30 20:47:57.692+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.635+00', '2026-11-30 20:47:57.759+00', '2026-11-30 20:47:57.759+00', '01a22e36-dec3-7647-895f-faa232d1b2a4', NULL);
INSERT INTO public.conversations VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 'support', 'ada', 'Ada.Lovelace@example.com', NULL, 'closed', 'kim', 'Kim', '2026-11-30 20:47:57.343+00', 7, 1, 1, 'Close it over a handover', true, 'Ada Lovelace', '2026-11-30 20:47:57.323+00', 1, 'Too slow', NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.323+00', '2026-11-30 20:47:57.383+00', '2026-11-30 20:47:57.383+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 'support', 'ada', 'Ada.Lovelace@example.com', NULL, 'active', 'sarah', 'Sarah Johnson', '2026-11-30 20:47:57.408+00', 4, 1, 1, 'A handover waits here', true, 'Ada Lovelace', '2026-11-30 20:47:57.393+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.393+00', '2026-11-30 20:47:57.408+00', '2026-11-30 20:47:57.428+00', NULL, '01a22e36-ddf4-72ef-8d75-cbba34cf7af7');
INSERT INTO public.conversations VALUES ('01a22e36-df57-72b1-92e1-3f3f73914c81', 'ticket', 'ada', 'Ada.Lovelace@example.com', NULL, 'active', NULL, NULL, NULL, 3, 1, 1, 'The code never arrives.', true, 'Ada Lovelace', '2026-11-30 20:47:57.783+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.783+00', '2026-11-30 20:47:57.783+00', '2026-11-30 20:47:57.783+00', '01a22e36-df57-72b1-92e1-3f3e2c4636d4', NULL);
INSERT INTO public.conversations VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 'support', 'john', 'john@example.com', '+2348012345678', 'closed', 'mike', 'Mike Śliwa', '2026-11-30 20:47:57.478+00', 6, 1, 1, 'Rejected, then closed', true, 'John Doe', '2026-11-30 20:47:57.454+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.454+00', '2026-11-30 20:47:57.546+00', '2026-11-30 20:47:57.546+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 'support', NULL, 'guest@example.com', '08012345678', 'waiting_user', 'sarah', 'Sarah Johnson', '2026-11-30 20:47:57.587+00', 5, 3, 3, 'Try again now.', false, 'Sarah Johnson', '2026-11-30 20:47:57.603+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.559+00', '2026-11-30 20:47:57.603+00', '2026-11-30 20:47:57.603+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-deb7-74bd-adb9-ed6e04581571', 'support', NULL, 'other@example.com', NULL, 'active', NULL, NULL, NULL, 2, 1, 1, 'Only an address', true, NULL, '2026-11-30 20:47:57.623+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.623+00', '2026-11-30 20:47:57.623+00', '2026-11-30 20:47:57.623+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 'ticket', NULL, 'guest@example.com', '08012345678', 'waiting_user', NULL, NULL, NULL, 6, 3, 3, 'We look into it.', false, 'Mike Śliwa', '2026-11-30 20:47:57.849+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.795+00', '2026-11-30 20:47:57.849+00', '2026-11-30 20:47:57.849+00', '01a22e36-df63-779e-91ee-fbbd24a833ed', NULL);
INSERT INTO public.conversations VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 'help_center', 'ada', 'Ada.Lovelace@example.com', NULL, 'waiting_support', NULL, NULL, NULL, 11, 7, 7, 'And last year''s?', true, 'Ada Lovelace', '2026-11-30 20:47:57.988+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:57.877+00', '2026-11-30 20:47:57.988+00', '2026-11-30 20:47:57.988+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('ccdd5b1e-192a-8b86-ba84-cb876203f9e5', 'help_center', 'john', 'john@example.com', '+2348012345678', 'active', NULL, NULL, NULL, 3, 2, 2, 'Hello from John', true, 'John Doe', '2026-11-30 20:47:58.005+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:47:58.005+00', '2026-11-30 20:47:58.005+00', '2026-11-30 20:47:58.005+00', NULL, NULL);
INSERT INTO public.conversations VALUES ('a573ee48-97ab-8a35-a370-fe27ad48120c', 'help_center', 'auth0|eve-01', NULL, NULL, 'active', NULL, NULL, NULL, 1, 0, 0, NULL, NULL, NULL, '2026-11-30 20:48:00.291+00', NULL, NULL, NULL, '127.0.0.1', 'upgrade-fixture/1.0', '2026-11-30 20:48:00.291+00', '2026-11-30 20:48:00.291+00', '2026-11-30 20:48:00.291+00', NULL, NULL);
INSERT INTO public.handovers VALUES ('01a22e36-dcf6-745f-8828-8ad2e4c0be50', '01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 'sarah', 'Sarah Johnson', 'mike', 'Mike Śliwa', 'Cards are Mike''s', 'accepted', '2026-11-30 20:47:57.174+00', '2026-11-30 20:47:57.196+00');
INSERT INTO public.handovers VALUES ('01a22e36-dd56-7018-9a99-82ed48a0f0c2', '01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 'mike', 'Mike Śliwa', 'kim', 'Kim', NULL, 'rejected', '2026-11-30 20:47:57.27+00', '2026-11-30 20:47:57.278+00');
INSERT INTO public.handovers VALUES ('01a22e36-dd70-765d-8b0d-f21b6bd31321', '01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 'mike', 'Mike Śliwa', 'sarah', 'Sarah Johnson', 'Lunch', 'accepted', '2026-11-30 20:47:57.296+00', '2026-11-30 20:47:57.312+00');
INSERT INTO public.handovers VALUES ('01a22e36-ddb0-7395-9bd4-7895fb276c2d', '01a22e36-dd8b-765f-a046-b254c27a3526', 'kim', 'Kim', 'sarah', 'Sarah Johnson', 'Holiday', 'rejected', '2026-11-30 20:47:57.36+00', '2026-11-30 20:47:57.371+00');
INSERT INTO public.handovers VALUES ('01a22e36-ddf4-72ef-8d75-cbba34cf7af7', '01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 'sarah', 'Sarah Johnson', 'kim', 'Kim', 'End of shift', 'pending', '2026-11-30 20:47:57.428+00', NULL);
INSERT INTO public.handovers VALUES ('01a22e36-de3d-7167-9dba-c2b28251d477', '01a22e36-de0e-776d-b121-abf99eea5bf4', 'mike', 'Mike Śliwa', 'sarah', 'Sarah Johnson', NULL, 'rejected', '2026-11-30 20:47:57.501+00', '2026-11-30 20:47:57.524+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 2, '01a22e36-dbe3-75d6-b91f-29be7fd3e27f', 1, 'My transfer is stuck 👋
Please ''help'' \ "me"', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', 'first-send', '2026-11-30 20:47:56.899+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 3, '01a22e36-dbf0-716f-a2b1-e7b02c3dd98a', 2, 'Anyone there?', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', 'second-send', '2026-11-30 20:47:56.912+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 5, '01a22e36-dc03-758e-bcae-6173a74e2aa4', 3, 'Hello John, let me look.', false, false, 'account:sarah', 'sarah', 'Sarah Johnson', 'sarah@support.example.com', 'reply-1', '2026-11-30 20:47:56.931+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 6, '01a22e36-dc0a-7558-81ef-767a2c08c90b', NULL, 'He wrote last week, too.', true, false, 'account:mike', 'mike', 'Mike Śliwa', 'mike@support.example.com', NULL, '2026-11-30 20:47:56.938+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 7, '01a22e36-dc11-720f-95a3-c280302e2f47', 4, 'Thank you', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:56.945+00');
INSERT INTO public.messages VALUES ('995c6b65-41ba-89c4-a322-ec3dd144dde7', 13, '01a22e36-dc79-71fd-9e2c-1e718e417320', 5, 'It is paid out.', false, false, 'account:sarah', 'sarah', 'Sarah Johnson', 'sarah@support.example.com', NULL, '2026-11-30 20:47:57.049+00');
INSERT INTO public.messages VALUES ('01a22e36-dcb3-72a4-ab56-3558d9548eff', 2, '01a22e36-dcb3-72a4-ab56-355a2295c824', 1, 'Second question', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:57.107+00');
INSERT INTO public.messages VALUES ('01a22e36-dcb3-72a4-ab56-3558d9548eff', 3, '01a22e36-dcc5-7614-8d7b-2884416e71d9', 2, 'Still there?', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:57.125+00');
INSERT INTO public.messages VALUES ('01a22e36-dccf-76e7-91c0-d40a1de0dc40', 2, '01a22e36-dcd0-7122-9cf3-9786355e1f55', 1, 'No name, no address', false, true, 'account:auth0|eve-01', 'auth0|eve-01', NULL, NULL, NULL, '2026-11-30 20:47:57.136+00');
INSERT INTO public.messages VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 2, '01a22e36-dcdc-76b4-bbac-f23821c8bb14', 1, 'My card is blocked', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.148+00');
INSERT INTO public.messages VALUES ('01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 6, '01a22e36-dd1f-75fc-9100-e04fa94fb270', 2, 'Unblocked.', false, false, 'account:mike', 'mike', 'Mike Śliwa', 'mike@support.example.com', NULL, '2026-11-30 20:47:57.215+00');
INSERT INTO public.messages VALUES ('01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 2, '01a22e36-dd3b-71e1-917a-15fa07aef26e', 1, 'Wrong fee', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.242+00');
INSERT INTO public.messages VALUES ('01a22e36-dd8b-765f-a046-b254c27a3526', 2, '01a22e36-dd8b-765f-a046-b256698c8280', 1, 'Close it over a handover', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.323+00');
INSERT INTO public.messages VALUES ('01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 2, '01a22e36-ddd1-7569-9ccd-5a5abe2693b8', 1, 'A handover waits here', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.393+00');
INSERT INTO public.messages VALUES ('01a22e36-de0e-776d-b121-abf99eea5bf4', 2, '01a22e36-de0e-776d-b121-abfb86937308', 1, 'Rejected, then closed', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:57.454+00');
INSERT INTO public.messages VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 2, '01a22e36-de77-738b-87e7-9690b624627d', 1, 'I cannot register', false, true, 'guest:guest@example.com', NULL, NULL, 'guest@example.com', NULL, '2026-11-30 20:47:57.559+00');
INSERT INTO public.messages VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 3, '01a22e36-de7f-7757-83a7-a47e10f386dc', 2, 'Hello?', false, true, 'guest:guest@example.com', NULL, NULL, 'guest@example.com', 'gggggggggggggggggggggggggggggggg', '2026-11-30 20:47:57.567+00');
INSERT INTO public.messages VALUES ('01a22e36-de77-738b-87e7-968eaa20fd3a', 5, '01a22e36-dea3-738e-8029-d1706f33e3a7', 3, 'Try again now.', false, false, 'account:sarah', 'sarah', 'Sarah Johnson', 'sarah@support.example.com', NULL, '2026-11-30 20:47:57.603+00');
INSERT INTO public.messages VALUES ('01a22e36-deb7-74bd-adb9-ed6e04581571', 2, '01a22e36-deb7-74bd-adb9-ed70e813c0e5', 1, 'Only an address', false, true, 'guest:other@example.com', NULL, NULL, 'other@example.com', NULL, '2026-11-30 20:47:57.623+00');
INSERT INTO public.messages VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 3, '01a22e36-dec3-7647-895f-faa64ff182fb', 1, 'Dark mode, please.', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:57.635+00');
INSERT INTO public.messages VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 4, '01a22e36-def0-7659-91ef-4044fbdbdac7', 2, 'And blue.', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:57.68+00');
INSERT INTO public.messages VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 5, '01a22e36-defc-7201-afb8-94af77798d49', 3, 'Noted.', false, false, 'account:kim', 'kim', 'Kim', NULL, NULL, '2026-11-30 20:47:57.692+00');
INSERT INTO public.messages VALUES ('01a22e36-dec3-7647-895f-faa33ac0532a', 7, '01a22e36-df10-7549-81d2-465a65659e59', NULL, 'For us only.', true, false, 'account:kim', 'kim', 'Kim', NULL, NULL, '2026-11-30 20:47:57.712+00');
INSERT INTO public.messages VALUES ('01a22e36-df57-72b1-92e1-3f3f73914c81', 3, '01a22e36-df57-72b1-92e1-3f420489ba66', 1, 'The code never arrives.', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.783+00');
INSERT INTO public.messages VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 3, '01a22e36-df63-779e-91ee-fbc1189d5b0d', 1, 'Step 3 fails.', false, true, 'guest:guest@example.com', NULL, NULL, 'guest@example.com', NULL, '2026-11-30 20:47:57.795+00');
INSERT INTO public.messages VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 4, '01a22e36-df6d-74f6-b7e8-aadc918bf878', 2, 'Step 4, too.', false, true, 'guest:guest@example.com', NULL, NULL, 'guest@example.com', NULL, '2026-11-30 20:47:57.805+00');
INSERT INTO public.messages VALUES ('01a22e36-df63-779e-91ee-fbbe884b748b', 6, '01a22e36-df99-7131-9608-26effd1e391f', 3, 'We look into it.', false, false, 'account:mike', 'mike', 'Mike Śliwa', 'mike@support.example.com', NULL, '2026-11-30 20:47:57.849+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 2, '01a22e36-dfb5-77e7-9761-5aaab64ddf78', 1, 'Where is my statement?', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.877+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 3, '01a22e36-dfb5-77e7-9761-5aabe0bd56b3', 2, 'Thanks for your message! Our team has received it and will answer here as soon as possible.', false, false, 'auto-reply', NULL, 'Support', NULL, NULL, '2026-11-30 20:47:57.877+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 4, '01a22e36-dff2-7293-9c93-d6fc46a51481', 3, 'It is urgent', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.938+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 5, '01a22e36-dff2-7293-9c93-d6fd1e211438', 4, 'Thanks for your message! Our team has received it and will answer here as soon as possible.', false, false, 'auto-reply', NULL, 'Support', NULL, NULL, '2026-11-30 20:47:57.938+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 7, '01a22e36-e00f-7668-80e3-798dff873fa0', 5, 'Under Profile, Statements.', false, false, 'account:mike', 'mike', 'Mike Śliwa', 'mike@support.example.com', NULL, '2026-11-30 20:47:57.967+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 10, '01a22e36-e024-701b-b491-c4c5015af8df', 6, 'And last year''s?', false, true, 'account:ada', 'ada', 'Ada Lovelace', 'Ada.Lovelace@example.com', NULL, '2026-11-30 20:47:57.988+00');
INSERT INTO public.messages VALUES ('380d8329-5ec5-8198-a398-b90d749fc2f0', 11, '01a22e36-e024-701b-b491-c4c6ee98e2b3', 7, 'Thanks for your message! Our team has received it and will answer here as soon as possible.', false, false, 'auto-reply', NULL, 'Support', NULL, NULL, '2026-11-30 20:47:57.988+00');
INSERT INTO public.messages VALUES ('ccdd5b1e-192a-8b86-ba84-cb876203f9e5', 2, '01a22e36-e035-706b-a7dd-6eb927528b75', 1, 'Hello from John', false, true, 'account:john', 'john', 'John Doe', 'john@example.com', NULL, '2026-11-30 20:47:58.005+00');
INSERT INTO public.messages VALUES ('ccdd5b1e-192a-8b86-ba84-cb876203f9e5', 3, '01a22e36-e035-706b-a7dd-6eba392b31de', 2, 'Thanks for your message! Our team has received it and will answer here as soon as possible.', false, false, 'auto-reply', NULL, 'Support', NULL, NULL, '2026-11-30 20:47:58.005+00');
INSERT INTO public.seaql_migrations VALUES ('m20261123_000001_conversations', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000002_people', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000003_nonces', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000004_tickets', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000005_lists', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000006_ticket_lists', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000007_help_center', 1796071674);
INSERT INTO public.seaql_migrations VALUES ('m20261123_000008_searchable_texts', 1796071674);
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (1, '01a22e36-dcb3-72a4-ab56-3558d9548eff', 'Second questionStill there?');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (2, '01a22e36-dccf-76e7-91c0-d40a1de0dc40', 'No name, no address');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (3, '01a22e36-dcdb-764c-ad9b-3f8e88e039bd', 'My card is blockedUnblocked.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (4, '01a22e36-dd3a-7548-80fc-7ffd3a9361c2', 'Wrong fee');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (5, '01a22e36-dd8b-765f-a046-b254c27a3526', 'Close it over a handover');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (6, '01a22e36-ddd1-7569-9ccd-5a58cf93eeb2', 'A handover waits here');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (7, '01a22e36-de0e-776d-b121-abf99eea5bf4', 'Rejected, then closed');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (8, '01a22e36-de77-738b-87e7-968eaa20fd3a', 'I cannot registerHello?Try again now.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (9, '01a22e36-deb7-74bd-adb9-ed6e04581571', 'Only an address');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (10, '01a22e36-dec3-7647-895f-faa33ac0532a', 'Dark mode, please.And blue.Noted.For us only.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (11, '01a22e36-df57-72b1-92e1-3f3f73914c81', 'The code never arrives.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (12, '01a22e36-df63-779e-91ee-fbbe884b748b', 'Step 3 fails.Step 4, too.We look into it.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (13, '380d8329-5ec5-8198-a398-b90d749fc2f0', 'Where is my statement?Thanks for your message! Our team has received it and will answer here as soon as possible.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (14, '995c6b65-41ba-89c4-a322-ec3dd144dde7', 'My transfer is stuck 👋
Please ''help'' \ "me"Anyone there?Hello John, let me look.He wrote last week, too.Thank youIt is paid out.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (15, '380d8329-5ec5-8198-a398-b90d749fc2f0', 'It is urgentThanks for your message! Our team has received it and will answer here as soon as possible.Under Profile, Statements.And last year''s?Thanks for your message! Our team has received it and will answer here as soon as possible.');
INSERT INTO public.searchable_texts OVERRIDING SYSTEM VALUE VALUES (16, 'ccdd5b1e-192a-8b86-ba84-cb876203f9e5', 'Hello from JohnThanks for your message! Our team has received it and will answer here as soon as possible.');
INSERT INTO public.tallies VALUES (0, 0);
INSERT INTO public.tallies VALUES (58, 3);
INSERT INTO public.ticket_counters VALUES (2026, 4);
INSERT INTO public.ticket_days VALUES ('2026-11-30', 10, 2);
INSERT INTO public.ticket_days VALUES ('2026-11-30', 4, 2);
INSERT INTO public.ticket_tallies VALUES (4, 'in_progress', 'medium', 'TRANSACTION_ISSUE', true, 0, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'in_progress', 'urgent', 'TRANSACTION_ISSUE', true, 0, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'escalated', 'urgent', 'TRANSACTION_ISSUE', true, 0, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'resolved', 'urgent', 'TRANSACTION_ISSUE', true, 1, 1, 0, 1, 4);
INSERT INTO public.ticket_tallies VALUES (10, 'in_progress', 'low', 'FEATURE_REQUEST', false, 1, 1, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (10, 'pending', 'low', 'FEATURE_REQUEST', false, 0, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'in_progress', 'low', 'FEATURE_REQUEST', false, -1, -1, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'in_progress', 'low', 'FEATURE_REQUEST', true, 1, 1, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (10, 'in_progress', 'low', 'FEATURE_REQUEST', true, -1, -1, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (10, 'closed', 'low', 'FEATURE_REQUEST', true, 1, 1, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'closed', 'low', 'FEATURE_REQUEST', true, 0, 0, 0, 1, 3);
INSERT INTO public.ticket_tallies VALUES (10, 'pending', 'high', 'LOGIN_ISSUE', false, 1, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'in_progress', 'high', 'REGISTRATION_ISSUE', false, 1, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (4, 'pending', 'high', 'REGISTRATION_ISSUE', false, 0, 0, 0, 0, 0);
INSERT INTO public.ticket_tallies VALUES (10, 'in_progress', 'high', 'REGISTRATION_ISSUE', false, 0, 1, 0, 0, 0);
INSERT INTO public.tickets VALUES ('01a22e36-dc20-71de-8109-af1ebcd31d43', 'SMI-2026-000001', '995c6b65-41ba-89c4-a322-ec3dd144dde7', true, 'john', 'john@example.com', '+2348012345678', 'Transfer stuck', 'A transfer of 5000 is pending.', 'TRANSACTION_ISSUE', 'resolved', 'urgent', 4, 'mike', 'Mike Śliwa', '2026-11-30 20:47:57.04+00', 'mike', 'Mike Śliwa', 'Paid out by hand.', 'tx-77', NULL, '2026-11-30 20:47:57.049+00', '2026-11-30 20:47:57.049+00', 0, 4, NULL, '2026-11-30 20:47:56.96+00', '2026-11-30 20:47:57.09+00');
INSERT INTO public.tickets VALUES ('01a22e36-dec3-7647-895f-faa232d1b2a4', 'SMI-2026-000002', '01a22e36-dec3-7647-895f-faa33ac0532a', false, 'john', 'john@example.com', '+2348012345678', 'Feature wish', 'Dark mode, please.', 'FEATURE_REQUEST', 'closed', 'low', 1, 'kim', 'Kim', '2026-11-30 20:47:57.741+00', 'kim', 'Kim', 'On the list.', NULL, NULL, '2026-11-30 20:47:57.692+00', '2026-11-30 20:47:57.692+00', 0, 3, 'Fine', '2026-11-30 20:47:57.635+00', '2026-11-30 20:47:57.759+00');
INSERT INTO public.tickets VALUES ('01a22e36-df57-72b1-92e1-3f3e2c4636d4', 'SMI-2026-000003', '01a22e36-df57-72b1-92e1-3f3f73914c81', false, 'ada', 'Ada.Lovelace@example.com', NULL, 'Login', 'The code never arrives.', 'LOGIN_ISSUE', 'pending', 'high', 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 20:47:57.783+00', '2026-11-30 20:47:57.783+00');
INSERT INTO public.tickets VALUES ('01a22e36-df63-779e-91ee-fbbd24a833ed', 'SMI-2026-000004', '01a22e36-df63-779e-91ee-fbbe884b748b', false, NULL, 'guest@example.com', '08012345678', 'Registration', 'Step 3 fails.', 'REGISTRATION_ISSUE', 'in_progress', 'high', 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 20:47:57.849+00', '2026-11-30 20:47:57.849+00', 0, NULL, NULL, '2026-11-30 20:47:57.795+00', '2026-11-30 20:47:57.849+00');
INSERT INTO public.users VALUES ('sarah', true, 'admin', 'sarah@support.example.com', 'Sarah', 'Johnson', NULL, NULL, NULL, NULL, '2026-11-30 20:47:54.849+00', '2026-11-30 20:47:54.849+00');
INSERT INTO public.users VALUES ('mike', true, 'admin', 'mike@support.example.com', NULL, NULL, 'Mike Śliwa', NULL, NULL, NULL, '2026-11-30 20:47:54.881+00', '2026-11-30 20:47:54.881+00');
INSERT INTO public.users VALUES ('kim', true, 'admin', NULL, NULL, NULL, 'Kim', NULL, NULL, NULL, '2026-11-30 20:47:54.891+00', '2026-11-30 20:47:54.891+00');
INSERT INTO public.users VALUES ('john', false, 'user', 'john@example.com', 'John', 'Doe', NULL, '+2348012345678', 'johnny', NULL, '2026-11-30 20:47:56.898+00', '2026-11-30 20:47:56.898+00');
INSERT INTO public.users VALUES ('auth0|eve-01', false, 'user', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-30 20:47:57.135+00', '2026-11-30 20:47:57.135+00');
INSERT INTO public.users VALUES ('ada', false, 'user', 'Ada.Lovelace@example.com', NULL, NULL, 'Ada Lovelace', NULL, NULL, 'https://example.com/ada.png', '2026-11-30 20:47:57.147+00', '2026-11-30 20:47:57.147+00');
SELECT pg_catalog.setval('public.searchable_texts_id_seq', 16, true);
SELECT pg_catalog.setval('public.unsearchable_messages_id_seq', 32, true);
ALTER TABLE ONLY public.conversation_events
    ADD CONSTRAINT conversation_events_pkey PRIMARY KEY (conversation_id, "position");
ALTER TABLE ONLY public.conversation_origins
    ADD CONSTRAINT conversation_origins_pkey PRIMARY KEY (conversation_id);
ALTER TABLE ONLY public.conversations
    ADD CONSTRAINT conversations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.handovers
    ADD CONSTRAINT handovers_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (conversation_id, "position");
ALTER TABLE ONLY public.nonces
    ADD CONSTRAINT nonces_pkey PRIMARY KEY (nonce);
ALTER TABLE ONLY public.seaql_migrations
    ADD CONSTRAINT seaql_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.searchable_texts
    ADD CONSTRAINT searchable_texts_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.tallies
    ADD CONSTRAINT tallies_pkey PRIMARY KEY (share);
ALTER TABLE ONLY public.ticket_counters
    ADD CONSTRAINT ticket_counters_pkey PRIMARY KEY (year);
ALTER TABLE ONLY public.ticket_days
    ADD CONSTRAINT ticket_days_pkey PRIMARY KEY (day, share);
ALTER TABLE ONLY public.ticket_tallies
    ADD CONSTRAINT ticket_tallies_pkey PRIMARY KEY (share, status, priority, support_type, is_assigned);
ALTER TABLE ONLY public.tickets
    ADD CONSTRAINT tickets_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.unsearchable_messages
    ADD CONSTRAINT unsearchable_messages_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX conversation_origins_created_at ON public.conversation_origins USING btree (created_at, conversation_id);
CREATE INDEX conversation_origins_trigrams ON public.conversation_origins USING gin (contact public.gin_trgm_ops);
CREATE UNIQUE INDEX conversations_help_center_user_id ON public.conversations USING btree (user_id) WHERE (channel = 'help_center'::text);
CREATE INDEX conversations_listed_closed ON public.conversations USING btree (assigned_to, last_message_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0) AND (status = 'closed'::text));
CREATE INDEX conversations_listed_help_center ON public.conversations USING btree (last_message_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0) AND (channel = 'help_center'::text));
CREATE INDEX conversations_listed_last_message_at ON public.conversations USING btree (last_message_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0));
CREATE INDEX conversations_listed_open ON public.conversations USING btree (assigned_to, status) WHERE ((channel <> 'ticket'::text) AND (message_count > 0) AND (status <> 'closed'::text));
CREATE INDEX conversations_listed_status ON public.conversations USING btree (status, last_message_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0));
CREATE INDEX conversations_listed_ticket ON public.conversations USING btree (last_message_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0) AND (ticket_id IS NOT NULL));
CREATE INDEX conversations_listed_updated_at ON public.conversations USING btree (updated_at, id) WHERE ((channel <> 'ticket'::text) AND (message_count > 0));
CREATE INDEX conversations_user_id_updated_at ON public.conversations USING btree (user_id, updated_at);
CREATE INDEX handovers_conversation_id_created_at ON public.handovers USING btree (conversation_id, created_at);
CREATE UNIQUE INDEX handovers_pending ON public.handovers USING btree (conversation_id) WHERE (status = 'pending'::text);
CREATE UNIQUE INDEX messages_sender_client_message_id ON public.messages USING btree (sender, client_message_id) WHERE (client_message_id IS NOT NULL);
CREATE INDEX nonces_expires_at ON public.nonces USING btree (expires_at);
CREATE INDEX searchable_texts_trigrams ON public.searchable_texts USING gin (text public.gin_trgm_ops) WITH (fastupdate='on', gin_pending_list_limit='65536');
CREATE INDEX tickets_assigned_to ON public.tickets USING btree (assigned_to, created_at, id);
CREATE UNIQUE INDEX tickets_conversation_id ON public.tickets USING btree (conversation_id);
CREATE INDEX tickets_created_at ON public.tickets USING btree (created_at, id);
CREATE INDEX tickets_priority_rank ON public.tickets USING btree (priority_rank, created_at, id);
CREATE INDEX tickets_search ON public.tickets USING gin (ticket_number public.gin_trgm_ops, subject public.gin_trgm_ops, email public.gin_trgm_ops, phone_number public.gin_trgm_ops, description public.gin_trgm_ops);
CREATE INDEX tickets_status ON public.tickets USING btree (status, created_at, id);
CREATE INDEX tickets_support_type ON public.tickets USING btree (support_type, created_at, id);
CREATE UNIQUE INDEX tickets_ticket_number ON public.tickets USING btree (ticket_number);
CREATE INDEX tickets_updated_at ON public.tickets USING btree (updated_at, id);
CREATE INDEX tickets_user_id ON public.tickets USING btree (user_id, created_at, id);
CREATE INDEX users_agents ON public.users USING btree (id) WHERE is_agent;
CREATE INDEX users_trigrams ON public.users USING gin ((((((((((COALESCE(first_name, ''::text) || ' '::text) || COALESCE(last_name, ''::text)) || '
'::text) || COALESCE(email, ''::text)) || '
'::text) || COALESCE(phone_number, ''::text)) || '
'::text) || COALESCE(smipay_tag, ''::text))) public.gin_trgm_ops);
CREATE TRIGGER keep_conversation_origin AFTER INSERT ON public.conversations FOR EACH ROW EXECUTE FUNCTION public.keep_conversation_origin();
CREATE TRIGGER messages_unsearchable AFTER INSERT ON public.messages REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.list_unsearchable_messages();
CREATE TRIGGER tickets_changed AFTER UPDATE ON public.tickets REFERENCING OLD TABLE AS gone NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.tally_tickets_changed();
CREATE TRIGGER tickets_gone AFTER DELETE ON public.tickets REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION public.tally_tickets_gone();
CREATE TRIGGER tickets_made AFTER INSERT ON public.tickets REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION public.tally_tickets_made();
