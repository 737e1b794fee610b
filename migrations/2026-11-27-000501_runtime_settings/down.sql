DROP TABLE setting_versions;
