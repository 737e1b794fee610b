REVOKE UPDATE (reserved_sun) ON supplier_wallets FROM switchyard_api;
DROP TABLE stock_holds;
