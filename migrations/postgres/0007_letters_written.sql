-- A letter that became a file is written, not sent. And what a clock that ran ahead once sent may be sent again: only then
-- does a delivery's last change lie before the one that it had.
ALTER TABLE sweeps ADD COLUMN written bigint NOT NULL DEFAULT 0;      -- letters

ALTER TABLE reminders DROP CONSTRAINT reminders_state_check;
ALTER TABLE reminders ADD CONSTRAINT reminders_state_check
    CHECK (state IN ('pending', 'sending', 'sent', 'written', 'failed', 'ambiguous', 'superseded', 'cancelled'));
ALTER TABLE deliveries DROP CONSTRAINT deliveries_state_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_check
    CHECK (state IN ('pending', 'sending', 'sent', 'written', 'failed', 'ambiguous', 'superseded', 'cancelled'));

-- A mail server's answer begins with its code.
ALTER TABLE deliveries DISABLE TRIGGER deliveries_guard;
UPDATE deliveries SET state = 'written' WHERE state = 'sent' AND answer LIKE 'written to %';
ALTER TABLE deliveries ENABLE TRIGGER deliveries_guard;
UPDATE reminders SET state = 'written' WHERE state = 'sent'
    AND EXISTS (SELECT 1 FROM deliveries d WHERE d.reminder = reminders.id AND d.state = 'written');
UPDATE sweeps SET written = sent, sent = 0
    WHERE EXISTS (SELECT 1 FROM deliveries d WHERE d.sweep = sweeps.id AND d.state = 'written');

CREATE INDEX deliveries_written ON deliveries (expires_at, reminder, recipient) WHERE state = 'written';

CREATE OR REPLACE FUNCTION keyrack_deliveries_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state = 'sent' AND NEW.state <> 'sent' AND NEW.changed_at >= OLD.changed_at)
        OR NEW.reminder <> OLD.reminder OR NEW.recipient <> OLD.recipient THEN
        RAISE EXCEPTION 'a reminder that was sent stays sent';
    END IF;
    RETURN NEW;
END $$;
