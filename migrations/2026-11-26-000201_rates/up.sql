-- What TRX a USDT is worth, in sun: each round of answers, whether it was accepted or not, and what operators set by hand.
CREATE TABLE rates (
    id uuid PRIMARY KEY,
    -- when it was asked for, or set
    at timestamptz NOT NULL,
    -- 'market': a round of answers. 'manual': set by an operator, and used until ends_at. 'cleared': takes the manual one
    -- before it back
    kind text NOT NULL CHECK (kind IN ('market', 'manual', 'cleared')),
    -- sun for one USDT; of a refused round what it would have been, if it was anything
    sun_per_usdt bigint CHECK (sun_per_usdt > 0),
    -- why a round is not used: 'too_few', 'band', 'spread', 'step'
    refused_as text CHECK (refused_as IN ('too_few', 'band', 'spread', 'step')),
    -- what each source said: its name, the text as it was sent, the rate that it makes or why it makes none
    answers jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(answers) = 'array'),
    ends_at timestamptz,
    -- 'operator:<name>', and why
    actor text CHECK (length(actor) BETWEEN 1 AND 200),
    note text CHECK (length(note) BETWEEN 1 AND 500),
    CONSTRAINT rates_kinds CHECK (CASE kind
        WHEN 'market' THEN (refused_as IS NOT NULL OR sun_per_usdt IS NOT NULL)
            AND num_nonnulls(ends_at, actor, note) = 0
        WHEN 'manual' THEN sun_per_usdt IS NOT NULL AND refused_as IS NULL AND num_nonnulls(ends_at, actor, note) = 3
            AND ends_at > at
        ELSE sun_per_usdt IS NULL AND refused_as IS NULL AND ends_at IS NULL AND num_nonnulls(actor, note) = 2
    END)
);
-- Serves the rate in use: the newest round that enough sources answered, and the newest accepted one.
CREATE INDEX rates_of_market ON rates (at DESC, id DESC) WHERE kind = 'market';
CREATE INDEX rates_accepted ON rates (at DESC, id DESC) WHERE kind = 'market' AND refused_as IS NULL;
-- Serves the same: what was set by hand.
CREATE INDEX rates_by_hand ON rates (at DESC, id DESC) WHERE kind <> 'market';

CREATE TRIGGER rates_append_only BEFORE UPDATE OR DELETE ON rates FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rates_no_truncate BEFORE TRUNCATE ON rates FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A rate is set by hand for a reason.
ALTER TABLE operator_actions ADD CONSTRAINT operator_actions_rates_reason
    CHECK (action NOT LIKE 'rates.%' OR reason IS NOT NULL) NOT VALID;
ALTER TABLE operator_actions VALIDATE CONSTRAINT operator_actions_rates_reason;

GRANT SELECT ON rates TO switchyard_api, switchyard_worker;
GRANT INSERT ON rates TO switchyard_worker;
