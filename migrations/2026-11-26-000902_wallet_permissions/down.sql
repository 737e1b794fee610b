DROP TABLE wallet_permissions;
