DROP TABLE switches, findings;
