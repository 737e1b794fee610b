//! Somebody with enough money, who pays whom the admin names: a transaction signed and pooled like anybody else's, so that
//! blocks carry it with its fees and logs.

use chain::TronAddress;
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction, trc20};

use crate::chain::Disposal;
use crate::error::DevnetError;
use crate::forwarder;
use crate::node::{Node, check_amount};
use crate::wire::Signed;

/// What a payment may cost: a memo, the opening of an account, and the energy of a token's call, all burned.
const FEES_SUN: i64 = 200_000_000;
const LASTS_MS: i64 = 3_600_000;
/// As long as a memo that is kept.
const MAX_MEMO: usize = 200;

/// What is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payment {
    /// Sun.
    Trx(i64),
    /// Sun, through a contract that sends it on.
    TrxByContract(i64),
    /// Micro-USDT.
    Usdt(i64),
}

impl Node {
    /// Pays from an account that exists for this payment; answers the transaction's id. The next block carries it.
    pub(crate) fn pay(&self, to: TronAddress, payment: Payment, memo: &str) -> Result<String, DevnetError> {
        let (Payment::Trx(amount) | Payment::TrxByContract(amount) | Payment::Usdt(amount)) = payment;
        check_amount(amount)?;
        if memo.len() > MAX_MEMO {
            return Err(DevnetError::Invalid(format!("a memo has at most {MAX_MEMO} bytes")));
        }
        let key = PrivateKey::generate().map_err(invalid)?;
        let owner = key.address();
        self.credit(owner, FEES_SUN)?;
        let contract = match payment {
            Payment::Trx(amount_sun) => {
                self.credit(owner, amount_sun)?;
                ContractBody::Transfer { owner, to, amount_sun }
            }
            Payment::TrxByContract(amount_sun) => {
                self.credit(owner, amount_sun)?;
                let (contract, data) = forwarder::forwarding(to);
                ContractBody::TriggerSmart {
                    owner,
                    contract,
                    call_value_sun: amount_sun,
                    data,
                }
            }
            Payment::Usdt(micro) => {
                self.mint(owner, micro)?;
                let call = trc20::Call::Transfer {
                    to,
                    amount: trc20::amount256(micro.unsigned_abs().into()),
                };
                ContractBody::TriggerSmart {
                    owner,
                    contract: self.chain().params().usdt,
                    call_value_sun: 0,
                    data: call.encode(),
                }
            }
        };
        self.send(contract, memo, &key)
    }

    fn send(&self, contract: ContractBody, memo: &str, key: &PrivateKey) -> Result<String, DevnetError> {
        let mut chain = self.chain();
        let solid = chain.block(chain.solid());
        let solid = solid.map(|block| hex::encode(block.id)).unwrap_or_default();
        let now_ms = chain.head_ms();
        let unsigned = UnsignedTx {
            contract,
            reference: BlockReference::from_block_id(&solid).map_err(invalid)?,
            timestamp_ms: now_ms,
            expiration_ms: now_ms + LASTS_MS,
            fee_limit_sun: FEES_SUN,
            memo: memo.as_bytes().to_vec(),
            permission_id: 0,
        };
        let bytes = sign_transaction(unsigned.encode(), key).bytes;
        let signed = Signed::decode(&bytes).map_err(DevnetError::Invalid)?;
        let signed = signed.map_err(|(_, refusal)| DevnetError::Invalid(refusal.message()))?;
        let txid = hex::encode(signed.txid);
        let taken = chain.broadcast(signed, Disposal::Pool);
        taken.map_err(|refusal| DevnetError::Invalid(refusal.message()))?;
        drop(chain);
        self.wake();
        Ok(txid)
    }
}

fn invalid(error: tron::TronError) -> DevnetError {
    DevnetError::Invalid(error.to_string())
}
