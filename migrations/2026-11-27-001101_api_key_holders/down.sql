DROP TABLE api_key_holders;
