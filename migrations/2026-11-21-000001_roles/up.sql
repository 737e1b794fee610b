-- The least-privilege roles that the processes log in through. Roles belong to the whole cluster, databases come and
-- go: so they are made only where missing, and down.sql leaves them. Login users are members of one of these.
DO $$
DECLARE wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['switchyard_api', 'switchyard_worker'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- made already, perhaps by a migration of another database at this very moment
        END;
    END LOOP;
END $$;

-- Raised by append-only tables on any attempt to change or remove a row.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
