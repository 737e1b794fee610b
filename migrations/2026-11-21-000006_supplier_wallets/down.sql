DROP TABLE wallet_keys, master_keys, wallet_imports, supplier_wallets;
