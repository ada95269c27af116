CREATE TABLE parcels (
    number text PRIMARY KEY,
    handed_in_at timestamptz NOT NULL DEFAULT now()
);
