//! What every target asks for beside its own properties: memory and work in proportion to the input.

/// The most bytes that are in use at once, and the most allocations: so many, and so many for each byte of the input.
///
/// A length that lies, of 64 MiB in a packet of ten bytes, is beyond it; so is work that grows with the square.
struct Budget {
    bytes: u64,
    bytes_each: u64,
    allocations: u64,
    allocations_each: u64,
}

const BUDGET: Budget = Budget {
    bytes: 256 << 10,
    bytes_each: 512,
    allocations: 4096,
    allocations_each: 64,
};

/// Runs a target on one input.
///
/// # Panics
/// When one of its properties does not hold, and when it takes more memory or work than the input is worth.
pub fn check(data: &[u8], target: fn(&[u8])) {
    let used = allocation_counter::measure(|| target(data));
    let size = data.len() as u64;
    let bytes = BUDGET.bytes + BUDGET.bytes_each * size;
    assert!(
        used.bytes_max <= bytes,
        "{} bytes in use for an input of {size}",
        used.bytes_max
    );
    let allocations = BUDGET.allocations + BUDGET.allocations_each * size;
    assert!(
        used.count_total <= allocations,
        "{} allocations for an input of {size}",
        used.count_total
    );
}

/// A fuzz target: the function of a crate that holds one input to its properties.
#[macro_export]
macro_rules! target {
    ($target:path) => {
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::check(data, $target));
    };
}
