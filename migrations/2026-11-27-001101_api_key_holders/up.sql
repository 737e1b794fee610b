-- Who was shown a secret of which key, and so may ask with it: four eyes take the two for one person. Whoever was one stays one:
-- what the key asked for before is his, too. Of keys made or rotated by command nobody is known.
CREATE TABLE api_key_holders (
    api_key_id uuid NOT NULL REFERENCES api_keys (id),
    -- an operator, by his own row among the keys, or a key that made or rotated this one
    holder_id uuid NOT NULL REFERENCES api_keys (id),
    since timestamptz NOT NULL,
    PRIMARY KEY (api_key_id, holder_id),
    CONSTRAINT api_key_holders_another CHECK (api_key_id <> holder_id)
);
CREATE TRIGGER api_key_holders_append_only BEFORE UPDATE OR DELETE ON api_key_holders
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER api_key_holders_no_truncate BEFORE TRUNCATE ON api_key_holders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of the keys that there are, the audit trail knows it.
INSERT INTO api_key_holders (api_key_id, holder_id, since)
SELECT k.id, h.id, min(line.at)
FROM (
    SELECT at, principal, action, result, changes FROM audit_trail
    UNION ALL
    SELECT at, principal, action, result, changes FROM audit_inbox
) AS line
CROSS JOIN LATERAL json_array_elements(line.changes) AS change
JOIN api_keys AS k ON k.id::text = change ->> 'api_key'
JOIN api_keys AS h ON line.principal IN ('operator:' || h.id::text, 'api_key:' || h.id::text)
WHERE line.action IN ('create_key', 'rotate_key', 'sign_key') AND line.result = 'committed' AND k.id <> h.id
GROUP BY k.id, h.id;

GRANT SELECT, INSERT ON api_key_holders TO switchyard_api;
GRANT SELECT ON api_key_holders TO switchyard_worker;
