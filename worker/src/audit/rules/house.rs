//! The house as a whole: the ledger, escrow, reservations, what is left to do and what waits for an operator.

use crate::audit::complaint::{Complaint, Rule};
use crate::audit::evidence::{Books, House, Rigour};

/// A network that was not heard of for so long is not read.
const SILENT_S: i64 = 120;

pub(super) fn of_books(books: &Books, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints = of_money(&books.house);
    complaints.extend(of_networks(books, rigour));
    let jobs = books.house.jobs.iter();
    complaints.extend(jobs.map(|job| Complaint::new(Rule::JobLeft, "jobs", format!("job left: {job}"))));
    let expected = |line: &&String| {
        let kind = line.split(' ').next().unwrap_or_default();
        !rigour.expected_findings.contains(kind)
    };
    let findings = books.house.findings.iter().filter(expected);
    complaints.extend(findings.map(|line| Complaint::new(Rule::Finding, "findings", format!("finding: {line}"))));
    complaints
}

fn of_money(house: &House) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for row in &house.imbalances {
        let text = format!("all accounts together are {}, not zero", row.total);
        complaints.push(Complaint::new(
            Rule::LedgerBalanced,
            format!("asset:{}", row.asset),
            text,
        ));
    }
    for row in &house.differences {
        let text = format!("the kept balance is {}, its transfers say {}", row.kept, row.replayed);
        let subject = format!("account:{}", row.account.code());
        complaints.push(Complaint::new(Rule::LedgerReplays, subject, text));
    }
    let escrow = house.escrow;
    if escrow.escrow != escrow.open_orders {
        let text = format!("it holds {}, open orders cost {}", escrow.escrow, escrow.open_orders);
        complaints.push(Complaint::new(
            Rule::EscrowIsOpenOrders,
            "account:house:escrow:TRX",
            text,
        ));
    }
    for row in house.payouts.iter().filter(|row| row.set_aside != row.open) {
        let text = format!("it holds {}, open payouts are of {}", row.set_aside, row.open);
        let subject = format!("account:house:payouts:{}", row.asset);
        complaints.push(Complaint::new(Rule::SetAsideIsOpenPayouts, subject, text));
    }
    for row in &house.deposits {
        let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
        let (recorded, posted) = (said(&row.recorded), said(&row.posted));
        let text = format!("the transfer says {recorded}, the ledger {posted}");
        complaints.push(Complaint::new(Rule::DepositMoney, format!("event:{}", row.event), text));
    }
    for row in &house.exchanges {
        let said = |what: &Option<String>| what.clone().unwrap_or_else(|| "nothing".to_owned());
        let (recorded, posted) = (said(&row.recorded), said(&row.posted));
        let text = format!("the exchange says {recorded}, the ledger {posted}");
        complaints.push(Complaint::new(
            Rule::ExchangeMoney,
            format!("event:{}", row.event),
            text,
        ));
    }
    for row in &house.undecided {
        let text = format!("nobody decided about it, though block {} is solid", row.block_number);
        complaints.push(Complaint::new(
            Rule::DepositInTime,
            format!("transfer:{}:{}", row.network, row.txid),
            text,
        ));
    }
    for row in &house.reservations {
        let text = format!("{} sun are reserved, its delegations say {}", row.kept, row.counted);
        complaints.push(Complaint::new(
            Rule::WalletReservation,
            format!("wallet:{}", row.wallet),
            text,
        ));
    }
    complaints
}

/// A halted network is one at rest, too: nothing on it comes to an end. One that is merely silent is judged live only,
/// for nobody needs to read it any more where all is at rest.
fn of_networks(books: &Books, rigour: &Rigour) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (name, cursor) in &books.networks {
        let subject = format!("network:{name}");
        if let Some(reason) = &cursor.halted_reason {
            complaints.push(Complaint::new(Rule::ChainRead, subject, format!("halted: {reason}")));
            continue;
        }
        let silent = books.silent_s.get(name).copied().unwrap_or_default();
        if !rigour.at_rest && silent > SILENT_S {
            let text = format!("nothing was heard of it for {silent} s");
            complaints.push(Complaint::new(Rule::ChainRead, subject, text));
        }
    }
    complaints
}
