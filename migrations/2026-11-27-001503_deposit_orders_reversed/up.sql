-- An operator who takes a payment back, over the API as well, ends the order that it was to buy.
GRANT UPDATE (state, reason_code, updated_at) ON deposit_orders TO switchyard_api;
