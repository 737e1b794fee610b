//! The bare loop: build a delegation, hash it, sign it. What no worker can be faster than on one core.

use std::time::{Duration, Instant};

use anyhow::Result;
use tron::proto::ResourceCode;
use tron::{BlockReference, ContractBody, PrivateKey, UnsignedTx, sign_transaction};

use crate::address;

/// How many delegations a second one thread builds and signs.
pub(crate) fn per_second(seconds: f64) -> Result<f64> {
    let key = PrivateKey::generate()?;
    let reference = BlockReference::from_block_id(&"ab".repeat(32))?;
    let (owner, receiver) = (key.address(), address(0));
    let limit = Duration::from_secs_f64(seconds);
    let begin = Instant::now();
    let (mut count, mut bytes) = (0_u32, 0_usize);
    while begin.elapsed() < limit {
        let unsigned = UnsignedTx {
            contract: ContractBody::Delegate {
                owner,
                receiver,
                balance_sun: 6_900_000_000,
                resource: ResourceCode::Energy,
                lock: false,
                lock_period_blocks: 0,
            },
            reference,
            timestamp_ms: 1_700_000_000_000 + i64::from(count),
            expiration_ms: 1_700_000_060_000,
            fee_limit_sun: 0,
            memo: Vec::new(),
            permission_id: 0,
        };
        bytes += sign_transaction(unsigned.encode(), &key).bytes.len();
        count += 1;
    }
    anyhow::ensure!(bytes > 0, "nothing was signed");
    Ok(f64::from(count) / begin.elapsed().as_secs_f64())
}
