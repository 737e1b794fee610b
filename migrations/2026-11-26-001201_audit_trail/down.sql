DROP FUNCTION audit_seal(integer);
DROP TABLE audit_inbox;
DROP FUNCTION audit_inbox_leave();
DROP TABLE audit_trail;
DROP FUNCTION audit_field(text);
