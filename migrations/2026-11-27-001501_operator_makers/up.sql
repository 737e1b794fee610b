-- Who was shown a password of which operator, and so may have signed in as him: four eyes take these two for one person, and nobody
-- else whom either of them made. Whoever was one stays one. Of operators made or reset by command nobody is known.
CREATE TABLE operator_makers (
    operator_id uuid NOT NULL REFERENCES operators (id),
    -- an operator, by his own row among the keys
    maker_id uuid NOT NULL REFERENCES api_keys (id),
    since timestamptz NOT NULL,
    PRIMARY KEY (operator_id, maker_id),
    CONSTRAINT operator_makers_another CHECK (operator_id <> maker_id)
);
CREATE TRIGGER operator_makers_append_only BEFORE UPDATE OR DELETE ON operator_makers
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER operator_makers_no_truncate BEFORE TRUNCATE ON operator_makers
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of the operators that there are, their rows and the audit trail know it.
INSERT INTO operator_makers (operator_id, maker_id, since)
SELECT made.operator_id, m.id, min(made.at)
FROM (
    SELECT id AS operator_id, created_by AS principal, created_at AS at FROM operators
    UNION ALL
    SELECT o.id, line.principal, line.at
    FROM (
        SELECT at, principal, action, result, changes FROM audit_trail
        UNION ALL
        SELECT at, principal, action, result, changes FROM audit_inbox
    ) AS line
    CROSS JOIN LATERAL json_array_elements(line.changes) AS change
    JOIN operators AS o ON o.id::text = change ->> 'operator'
    WHERE line.action = 'reset_operator_password' AND line.result = 'committed'
) AS made
JOIN operators AS m ON made.principal = 'operator:' || m.id::text
WHERE made.operator_id <> m.id
GROUP BY made.operator_id, m.id;

GRANT SELECT, INSERT ON operator_makers TO switchyard_api;
GRANT SELECT ON operator_makers TO switchyard_worker;
