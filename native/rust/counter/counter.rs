//! A counter: the smallest module that has a state. Where the sum would overflow nothing is counted, and the error says
//! so.

/// What stays while the build is swapped.
#[derive(Default)]
pub struct State {
    sum: u64,
    calls: u64,
}

#[derive(Debug, PartialEq)]
pub enum Error {
    Overflow,
}

/// Count `n` more; the sum.
pub fn add(state: &mut State, n: u64) -> Result<u64, Error> {
    let sum = state.sum.checked_add(n).ok_or(Error::Overflow)?;
    *state = State { sum, calls: state.calls + 1 };
    Ok(sum)
}

/// Count each of the numbers, all or none of them; the sum.
pub fn add_all(state: &mut State, numbers: &[u32]) -> Result<u64, Error> {
    // More than 2^32 numbers fit into no memory, so this sum does not overflow.
    add(state, numbers.iter().map(|&n| u64::from(n)).sum())
}

/// The sum.
pub fn value(state: &State) -> u64 {
    state.sum
}

/// How often something was counted.
pub fn calls(state: &State) -> u64 {
    state.calls
}

/// Begin anew; what the sum was.
pub fn reset(state: &mut State) -> u64 {
    core::mem::take(state).sum
}

/// How many of the values are above `limit`. It needs no state.
pub fn above(values: &[f64], limit: f64) -> usize {
    values.iter().filter(|&&x| x > limit).count()
}
