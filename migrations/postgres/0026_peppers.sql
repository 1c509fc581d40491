-- A pepper may go into the hash of a key's secret, made here or elsewhere: which one, by its version and its mark, is told with it.
-- What the database keeps of such a key is found by the gates that have the pepper, and can't be tried out without it. As ever the
-- program brings the hash; the server never sees a secret, and so no pepper either.

ALTER TABLE key_auth DROP CONSTRAINT IF EXISTS key_auth_scheme_known;
ALTER TABLE key_auth ADD CONSTRAINT key_auth_scheme_known CHECK (length(imported_from) BETWEEN 1 AND 100
    AND (scheme = 'sha256' OR scheme IN ('sha512', 'prefixed') AND imported_from IS NOT NULL
        OR scheme ~ '^hmac-sha256 pepper v[1-9][0-9]{0,4} [0-9a-f]{16}$')) NOT VALID;

-- Which peppers living keys need is told from this alone; other keys are not in it.
CREATE INDEX IF NOT EXISTS auth_by_pepper ON key_auth (scheme, ends_at) WHERE substr(scheme, 1, 5) = 'hmac-';

-- As 0024 has it, but that each key is looked up by its id, whatever the planner knows of tables that grow meanwhile; and where
-- the server's clock was set back, time goes on at the audit's newest row.
CREATE OR REPLACE FUNCTION keyrack_imported(those uuid[], present timestamptz) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    bad record;
    a record;
    newest timestamptz := coalesce((SELECT r.at FROM audit r JOIN audit_head h ON h.seq = r.seq), present);
BEGIN
    -- What an account and its policy say is read once for all of its keys.
    FOR a IN SELECT o.slug, o.standing, o.issuer, (i.policy -> 'caps' ->> 'active-keys')::bigint AS most,
            (i.policy -> 'expiry' ->> 'max-days')::bigint * 86400 + 172800 AS longest,
            ARRAY(SELECT coalesce(f ->> 'prefix', '') || '••••••••' FROM jsonb_array_elements(coalesce(i.policy -> 'format' -> 'former', '[]')) AS f)
                || ARRAY(SELECT f || '••••••••' FROM jsonb_array_elements_text(coalesce(i.policy -> 'format' -> 'former-prefixes', '[]')) AS f)
                || ((i.policy -> 'format' ->> 'prefix') || '••••••••') AS heads,
            EXISTS (SELECT FROM holds h WHERE h.kind = 'creation' AND h.lifted_at IS NULL AND h.until > present
                AND coalesce(h.account = o.slug, true) AND coalesce(h.issuer = o.issuer, true)) AS stopped
            FROM accounts o JOIN issuers i ON i.slug = o.issuer
            WHERE o.slug IN (SELECT DISTINCT k.account FROM unnest(those) AS t (id) JOIN key_auth k ON k.id = t.id) LOOP
        SELECT k.id, CASE
                WHEN k.odd OR n.odd THEN 'it is odd'
                WHEN a.standing <> 'good' THEN 'the account is suspended'
                WHEN a.stopped THEN 'creation is stopped'
                WHEN k.issuer <> a.issuer THEN 'the account has another issuer'
                WHEN n.created_by <> session_user OR k.claim_by <> k.created_at + interval '10 minutes'
                    OR NOT (k.created_at BETWEEN transaction_timestamp() - interval '1 minute' AND present + interval '1 second'
                        OR k.created_at > present AND k.created_at <= newest) THEN 'it is imported by who is logged in, and now'
                WHEN k.acknowledged_at IS DISTINCT FROM k.created_at OR num_nonnulls(k.revoked_at, k.not_before, k.revoke_at, k.paused_until,
                    n.successor, n.predecessor) > 0 THEN 'an imported key works at once'
                WHEN k.first_used_at > k.created_at OR NOT isfinite(k.first_used_at) THEN 'it was used later than now'
                WHEN k.expires_at <= k.created_at OR NOT isfinite(k.expires_at) THEN 'it would have ended'
                WHEN a.longest < coalesce(extract(epoch FROM k.expires_at - k.created_at), 1e15) THEN 'it would live longer than its policy allows'
                WHEN left(n.preview, strpos(n.preview, '••••••••') + 7) <> ALL (a.heads) THEN 'its policy has no such form'
            END AS why
            -- Found by the key, never by walking over all that its account has.
            INTO bad FROM unnest(those) AS t (id), LATERAL (SELECT * FROM key_auth WHERE id = t.id OFFSET 0) AS k,
                LATERAL (SELECT * FROM keys WHERE id = t.id OFFSET 0) AS n
            WHERE k.account = a.slug ORDER BY why LIMIT 1;
        IF bad.why IS NOT NULL THEN
            RAISE EXCEPTION 'key % can''t be imported: %', bad.id, bad.why;
        END IF;
        IF a.most IS NOT NULL THEN
            PERFORM 1 FROM key_auth c WHERE c.account = a.slug AND c.ends_at > present OFFSET a.most LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'account % can''t have so many keys', a.slug;
            END IF;
        END IF;
    END LOOP;
END $$;

-- As 0024 has it, but that the key is looked up by its id alone.
CREATE OR REPLACE FUNCTION keyrack_use_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    used record;
    present timestamptz := keyrack_now();
    before timestamptz;
BEGIN
    IF TG_OP = 'DELETE' OR TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'keys are revoked, never deleted';
    END IF;
    -- What another product knew of a key's last use comes with the key, which tells it already.
    IF TG_OP = 'INSERT' THEN
        SELECT k.imported_from IS NOT NULL AND k.first_used_at = NEW.last_used_at
            AND k.created_at >= transaction_timestamp() - interval '1 minute' AS moved INTO used FROM key_auth k WHERE k.id = NEW.id;
        IF used.moved THEN
            RETURN NEW;
        END IF;
    END IF;
    IF keyrack_is_superuser() THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        before := OLD.last_used_at;
        IF NEW.id <> OLD.id THEN
            RAISE EXCEPTION 'a key''s identity never changes';
        END IF;
    END IF;
    -- A demo tells of a past; else only gates know of uses.
    IF (SELECT coalesce(demo_by = session_user AND demo_until > present, false) FROM audit_head) THEN
        RETURN NEW;
    END IF;
    IF NOT has_table_privilege(session_user, 'gates', 'INSERT') THEN
        RAISE EXCEPTION 'uses are counted by gates' USING ERRCODE = 'insufficient_privilege';
    END IF;
    SELECT created_at, first_used_at INTO used FROM key_auth WHERE id = NEW.id;
    IF used.first_used_at IS NULL THEN
        RAISE EXCEPTION 'a key''s last use comes after its first';
    END IF;
    IF NOT isfinite(NEW.last_used_at) OR NEW.last_used_at < before OR NEW.last_used_at < used.created_at - interval '1 hour'
        OR NEW.last_used_at > present + interval '1 hour' THEN
        RAISE EXCEPTION 'a key''s last use lies between the one before and now';
    END IF;
    NEW.last_used_at := least(greatest(NEW.last_used_at, used.created_at), greatest(present, before));
    RETURN NEW;
END $$;

-- Of thousands of keys that move in together the planner knows nothing yet: none of these may walk over all that there are.
ALTER FUNCTION keyrack_keys_added() SET enable_seqscan = off;
ALTER FUNCTION keyrack_audit_end() SET enable_seqscan = off;

-- As in 0010.
DO $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ARRAY['keyrack_imported(uuid[], timestamptz)', 'keyrack_use_guard()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', one, current_schema());
        EXECUTE format('ALTER FUNCTION %s SET jit = off', one);
    END LOOP;
END $$;
