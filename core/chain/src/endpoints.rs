//! To be written: endpoint list, health, rate limit, failover.
