-- What to do about a finding is told in Chinese, too. Null where a release that did not know that found it.
ALTER TABLE findings ADD COLUMN action_zh text CHECK (length(action_zh) BETWEEN 1 AND 500);
