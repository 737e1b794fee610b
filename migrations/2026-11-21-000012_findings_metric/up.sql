-- A finding names the metric that shows it; one that was closed by hand says why. The default serves workers that do not
-- know the column yet.
ALTER TABLE findings
    ADD COLUMN metric text NOT NULL DEFAULT 'switchyard_findings_open' CHECK (length(metric) BETWEEN 1 AND 200),
    ADD COLUMN resolved_reason text CHECK (length(resolved_reason) BETWEEN 1 AND 500);

-- Findings are closed over the API too.
GRANT UPDATE (resolved_at, resolved_by, resolved_reason) ON findings TO switchyard_api;
