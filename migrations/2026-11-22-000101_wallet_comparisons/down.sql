DROP INDEX delegations_undone;
DROP TABLE wallet_comparisons;
