//! The one HPKE suite (RFC 9180) that sealed imports use, and what a seal is bound to. Both halves take it from here.

use kernel::WalletId;

/// Key encapsulation: DHKEM(X25519, HKDF-SHA256).
pub type Kem = hpke::kem::X25519HkdfSha256;
/// Key derivation: HKDF-SHA256.
pub type Kdf = hpke::kdf::HkdfSha256;
/// Encryption: AES-256-GCM.
pub type Aead = hpke::aead::AesGcm256;

/// The purpose that the seal of a wallet's key states; a seal made for anything else does not open as one.
pub const INFO: &[u8] = b"switchyard/wallet-import/v1";

/// What a seal is bound to: the bytes of the wallet's id. Moved to another wallet's row, it does not open.
#[must_use]
pub const fn associated_data(wallet_id: WalletId) -> [u8; 16] {
    *wallet_id.0.as_bytes()
}

/// The purpose of a sealed webhook secret.
pub const WEBHOOK_INFO: &[u8] = b"switchyard/webhook-secret/v1";
