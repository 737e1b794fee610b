ALTER TABLE findings DROP COLUMN action_zh;
