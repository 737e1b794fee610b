//! What was stored once must open for ever: stored forms made by an independent implementation (Python's
//! `cryptography` and `hashlib`, HPKE by hand after RFC 9180). A change that breaks these needs a new version, not
//! new vectors.

use kernel::WalletId;
use vault::ImportSecret;
use zeroize::Zeroizing;

use crate::{Derivation, ImportPrivateKey, KeyOwner, MasterKey, MasterKeySource, Pbkdf2, WrappedKey};
use crate::{open_import, resolve};

const WALLET: &str = "0190163d-8694-7000-8000-00000000000a";
const PRIVATE_KEY: &str = "b5a4cea271ff424d7c31dc12a3e43e401df7a40d7412a15750f3f0b6b5449a28";
const ADDRESS: &str = "TUEZSdKsoDHQMeZwihtdoBiN46zxhGWYdH";
/// RFC 7748, section 6.1: Alice's secret is the workers' import key, Bob's made the encapsulated key.
const IMPORT_KEY: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const SEALED_KEY: &str = concat!(
    "01de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4fd41b293adc58aa8ac64036106cf35223e1fa1a7efe",
    "498c0d5345d8ea351abb88ccfbe32283b19826d915ff2529f2106769"
);
const SEALED_WORDS: &str = concat!(
    "01de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4fd7ae8df4772908a9e95d69a8113e967cc38683be9c",
    "53becd6674457eecc1df738615762e322de881035e2d4d24164ac74dbb1ca7aabe013b796f1aa82b982233e279de4d34face9b5d9daf",
    "d755ae0be7d8a1d161e929b0ab1ae09d374bc14b3dd6307666618fa0d0ceb992cf1335ebf727534484"
);
const WRAPPED_DATA_KEY: &str = concat!(
    "6465666768696a6b6c6d6e6fe4c8ea0e5ddd4690803304bee76f7b4800952de8091d096601b92e6e1afff7b8f96aba21e90a977cce38",
    "a907ebe282a3"
);
const CIPHERTEXT: &str = concat!(
    "c8c9cacbcccdcecfd0d1d2d3a4dcaf79f733b96d080dc3acbde2d554fd7048a570790973bd5acb576fd531c1d8e5d6536943008e26af",
    "6debbe663674"
);
const CHECK_VALUE: &str = concat!(
    "6465666768696a6b6c6d6e6f97be81793ab039f6fa5e21d88a11012262a9549e6427694036c35c1065898cc3e9aa52462389e827a728",
    "bf44083ed8b5"
);

fn wallet() -> WalletId {
    WALLET.parse().unwrap()
}

fn master() -> MasterKey {
    MasterKey::new(
        3,
        &MasterKeySource::Raw(Zeroizing::new("07".repeat(32))),
        &Derivation::Raw,
    )
    .unwrap()
}

fn opened(sealed: &str) -> ImportSecret {
    let key: ImportPrivateKey = IMPORT_KEY.parse().unwrap();
    open_import(&key, wallet(), &hex::decode(sealed).unwrap()).unwrap()
}

#[test]
fn a_stored_key_opens() {
    let wrapped = WrappedKey {
        master_key_id: 3,
        wrapped_data_key: hex::decode(WRAPPED_DATA_KEY).unwrap(),
        ciphertext: hex::decode(CIPHERTEXT).unwrap(),
    };
    let owner = KeyOwner::of_account(wallet(), ADDRESS.parse().unwrap());
    let key = wrapped.open(&master(), &owner).unwrap();
    assert_eq!(hex::encode(*key.expose_bytes()), PRIVATE_KEY);
}

#[test]
fn a_stored_check_value_is_recognised() {
    master().verify(&hex::decode(CHECK_VALUE).unwrap()).unwrap();
}

#[test]
fn a_passphrase_makes_the_known_key() {
    let derivation = Derivation::Pbkdf2(Pbkdf2::new(vec![3; 16], 600_000).unwrap());
    let source = MasterKeySource::Passphrase(Zeroizing::new("correct horse battery".to_owned()));
    let key = MasterKey::new(1, &source, &derivation).unwrap();
    assert_eq!(
        hex::encode(key.bytes()),
        "976d6c9031650f009fd36ed1c774baba1216d8d8ada59e7c31c50e95b12e4a48"
    );
}

#[test]
fn sealed_imports_open() {
    assert_eq!(
        opened(SEALED_KEY),
        ImportSecret::from_private_key_hex(PRIVATE_KEY).unwrap()
    );
    assert_eq!(resolve(opened(SEALED_KEY)).unwrap().address().to_string(), ADDRESS);
    let tenth = resolve(opened(SEALED_WORDS)).unwrap().address();
    assert_eq!(tenth.to_string(), "TCukLhQtEGXSSq3b43TQJp3QuhTieUqhfb");
}
