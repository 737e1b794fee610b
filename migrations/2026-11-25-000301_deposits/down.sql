DROP TABLE incoming_transfers;
DROP FUNCTION incoming_transfers_guard();
DROP TABLE deposits;
DROP FUNCTION deposits_guard();
DROP TABLE deposit_addresses;
DROP FUNCTION deposit_addresses_guard();
DROP SEQUENCE deposit_address_index;
