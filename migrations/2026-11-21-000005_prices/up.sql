-- What energy costs. A version is published whole and never changed; the newest one published counts.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE price_versions (
    id uuid PRIMARY KEY,
    note text NOT NULL CHECK (length(note) <= 500),
    actor text NOT NULL CHECK (length(actor) <= 200),
    published_at timestamptz NOT NULL
);
CREATE INDEX price_versions_newest ON price_versions (published_at DESC, id DESC);

CREATE TABLE price_bands (
    version_id uuid NOT NULL REFERENCES price_versions (id),
    energy_min bigint NOT NULL CHECK (energy_min > 0),
    energy_max bigint NOT NULL,
    duration_min_s integer NOT NULL CHECK (duration_min_s > 0),
    duration_max_s integer NOT NULL,
    -- thousandths of a sun for one unit of energy over the whole rental
    price_millisun_per_energy bigint NOT NULL CHECK (price_millisun_per_energy BETWEEN 1 AND 1000000000),
    PRIMARY KEY (version_id, energy_min, duration_min_s),
    CHECK (energy_max >= energy_min AND duration_max_s >= duration_min_s),
    -- one energy and duration has one price
    CONSTRAINT price_bands_disjoint EXCLUDE USING gist (
        version_id WITH =,
        int8range(energy_min, energy_max, '[]') WITH &&,
        int4range(duration_min_s, duration_max_s, '[]') WITH &&)
);
CREATE TRIGGER price_versions_append_only BEFORE UPDATE OR DELETE ON price_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_bands_append_only BEFORE UPDATE OR DELETE ON price_bands
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
