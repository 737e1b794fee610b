DROP TABLE price_bands, price_versions;
DROP EXTENSION btree_gist;
