//! Codes round trip, and nothing else reads as an account.

use proptest::prelude::*;

use super::*;

fn accounts() -> impl Strategy<Value = Account> {
    let asset = prop_oneof![Just(Asset::Trx), Just(Asset::Usdt)];
    let network = "[a-z0-9-]{1,40}".prop_map(|name| name.parse::<NetworkName>().unwrap());
    (0..7_u8, any::<i64>(), asset, network).prop_map(|(kind, user, asset, network)| match kind {
        0 => Account::User {
            user: UserId(user),
            asset,
        },
        1 => Account::Escrow(asset),
        2 => Account::Revenue(asset),
        3 => Account::Adjustments(asset),
        4 => Account::Deposits { network, asset },
        5 => Account::Fees { network },
        _ => Account::Exchange(asset),
    })
}

proptest! {
    #[test]
    fn a_code_reads_back_as_its_account(account in accounts()) {
        let code = account.code();
        prop_assert!(code.ends_with(account.asset().code()));
        prop_assert_eq!(code.parse::<Account>(), Ok(account));
    }

    #[test]
    fn what_reads_as_an_account_is_its_code(code in "(user|house):[a-z0-9+-]{1,12}(:[a-z0-9-]{0,3})?:(TRX|USDT|BTC)") {
        if let Ok(account) = code.parse::<Account>() {
            prop_assert_eq!(account.code(), code);
        }
    }
}

#[test]
fn codes_are_what_the_database_expects() {
    let nile: NetworkName = "nile".parse().unwrap();
    let user = Account::User {
        user: UserId(7),
        asset: Asset::Usdt,
    };
    let deposits = Account::Deposits {
        network: nile.clone(),
        asset: Asset::Usdt,
    };
    assert_eq!(user.code(), "user:7:USDT");
    assert_eq!(Account::Escrow(Asset::Trx).code(), "house:escrow:TRX");
    assert_eq!(deposits.code(), "house:deposits:nile:USDT");
    assert_eq!(Account::Fees { network: nile }.code(), "house:fees:nile:TRX");
}

#[test]
fn refuses_what_is_no_account() {
    let bad = [
        "",
        "TRX",
        "user:7",
        "user:07:TRX",
        "user:+7:TRX",
        "user::TRX",
        "user:7:trx",
        "house:fees:nile:USDT",
        "house:fees:TRX",
        "house:escrow:nile:TRX",
        "house:deposits:Nile:TRX",
        "house:deposits::TRX",
        "house:gifts:TRX",
        " user:7:TRX",
    ];
    for code in bad {
        assert_eq!(code.parse::<Account>(), Err(UnknownAccount), "{code:?}");
    }
    assert!("a".repeat(41).parse::<NetworkName>().is_err());
}
