-- Wait without it: replaced:yes.
CREATE INDEX keys_replaced ON keys (id) WHERE successor IS NOT NULL;
