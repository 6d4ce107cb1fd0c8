//! Standard base64, by the widest instructions that the processor has.

use std::sync::LazyLock;

use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Engine = base64::engine::Simd;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Engine = base64::engine::GeneralPurpose;

/// Requires padding and, as Go, does not care about the unused bits before it.
const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
    .with_decode_allow_trailing_bits(true);

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) static STANDARD: LazyLock<Engine> = LazyLock::new(|| Engine::standard(CONFIG));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) static STANDARD: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(&base64::alphabet::STANDARD, CONFIG));
