//! The books of a run, recomputed from the transfers as no process of the product does it.

use anyhow::{Result, bail};

use crate::services::{DATABASE, Services};

/// Sums over the whole ledger, computed from the transfers and compared with what is cached; then what waits for people.
const BOOKS: &str = "
    WITH legs AS (
        SELECT credit_account AS code, amount FROM ledger_transfers
        UNION ALL SELECT debit_account, -amount FROM ledger_transfers),
    moved AS (
        SELECT a.code, a.balance, COALESCE(s.net, 0) AS net
        FROM ledger_accounts a LEFT JOIN (SELECT code, sum(amount) AS net FROM legs GROUP BY code) s USING (code))
    SELECT (SELECT count(*) FROM moved WHERE balance <> net),
        (SELECT COALESCE(sum(COALESCE(balance, net)), 0) FROM moved),
        (SELECT COALESCE(sum(net), 0) FROM moved WHERE code LIKE 'house:escrow:%'),
        (SELECT COALESCE(sum(net), 0) FROM moved WHERE code = 'house:revenue:TRX'),
        (SELECT COALESCE(-sum(net), 0) FROM moved WHERE code LIKE 'house:deposits:%:TRX'),
        (SELECT COALESCE(-sum(net), 0) FROM moved WHERE code LIKE 'house:deposits:%:USDT'),
        (SELECT count(*) FROM jobs WHERE state = 'dead'),
        (SELECT count(*) FROM findings WHERE resolved_at IS NULL AND severity = 'critical')";

/// What the ledger and the operators' lists say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) differing_accounts: i64,
    /// Credits minus debits over all accounts.
    pub(crate) net: i64,
    pub(crate) escrow_sun: i64,
    pub(crate) revenue_sun: i64,
    /// What came in on chain: sun, and micro-USDT.
    pub(crate) deposited: (i64, i64),
    pub(crate) dead_jobs: i64,
    pub(crate) critical_findings: i64,
}

impl Books {
    /// Reads them as the owner.
    pub(crate) fn read(services: &Services) -> Result<Self> {
        Self::parse(&services.psql()?.run(DATABASE, BOOKS)?)
    }

    fn parse(row: &str) -> Result<Self> {
        let fields: Vec<i64> = row.trim().split('\t').map(str::parse).collect::<Result<_, _>>()?;
        let [
            differing_accounts,
            net,
            escrow_sun,
            revenue_sun,
            deposited_sun,
            deposited_micro,
            dead_jobs,
            critical_findings,
        ] = fields[..]
        else {
            bail!("the books have {} figures", fields.len());
        };
        Ok(Self {
            differing_accounts,
            net,
            escrow_sun,
            revenue_sun,
            deposited: (deposited_sun, deposited_micro),
            dead_jobs,
            critical_findings,
        })
    }

    pub(crate) fn balanced(&self) -> bool {
        self.differing_accounts == 0 && self.net == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_that_differ_are_not_balanced() {
        let books = Books::parse("0\t0\t0\t5\t7\t8\t0\t0\n").unwrap();
        assert!(books.balanced());
        assert_eq!((books.revenue_sun, books.deposited), (5, (7, 8)));
        assert!(!Books::parse("1\t0\t0\t5\t0\t0\t0\t0").unwrap().balanced());
        assert!(!Books::parse("0\t-1\t0\t5\t0\t0\t0\t0").unwrap().balanced());
        assert!(Books::parse("0\t0").is_err());
        assert!(Books::parse("").is_err());
    }
}
