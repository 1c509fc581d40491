-- Where keys are tried from after their end, and for what: counted by the hour, so many places an hour and key at most.
CREATE TABLE late_tries (
    key      BLOB NOT NULL CHECK (length(key) = 16),
    hour     INTEGER NOT NULL,                       -- the hour's beginning
    network  TEXT NOT NULL,                          -- /24 of IPv4, /48 of IPv6; '' where nobody said, '*' for all that are too many
    endpoint TEXT NOT NULL,                          -- by the name of its route; '' where there is none
    tries    INTEGER NOT NULL CHECK (tries >= 0),
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (key, hour, network, endpoint)
) STRICT, WITHOUT ROWID;
-- whoever forgets those that are too old.
CREATE INDEX late_by_hour ON late_tries (hour);
