//! A float of 16 bits, as numpy's float16. The language's own is not stable yet.

use core::fmt;

/// A number to store; compute with `f32::from(x)`.
#[derive(Clone, Copy, Default, PartialEq)]
#[repr(transparent)]
pub struct F16(u16);

const EXPONENT_BITS: u32 = 5;
const FRACTION_BITS: u32 = 10;
const INFINITY: u64 = 0x7c00;

impl F16 {
    /// The number with these bits.
    pub const fn from_bits(bits: u16) -> F16 {
        F16(bits)
    }

    /// Its bits.
    pub const fn to_bits(self) -> u16 {
        self.0
    }
}

impl From<F16> for f64 {
    fn from(half: F16) -> f64 {
        let bits = half.0 as u64;
        let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
        let exponent = bits >> FRACTION_BITS & ((1 << EXPONENT_BITS) - 1);
        let fraction = (bits & ((1 << FRACTION_BITS) - 1)) as f64 / (1 << FRACTION_BITS) as f64;
        sign * match exponent {
            0 => fraction * 2f64.powi(-14),
            31 if fraction == 0.0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1.0 + fraction) * 2f64.powi(exponent as i32 - 15),
        }
    }
}

impl From<F16> for f32 {
    fn from(half: F16) -> f32 {
        f64::from(half) as f32 // exact: every half is a single
    }
}

/// Rounded to the nearest, and to the even one of two that are as near.
impl From<f64> for F16 {
    fn from(number: f64) -> F16 {
        let bits = number.to_bits();
        let sign = (bits >> 48 & 0x8000) as u16;
        let exponent = (bits >> 52 & 0x7ff) as i64 - 1023;
        let fraction = bits & ((1 << 52) - 1);
        if exponent == 1024 {
            let quiet = if fraction == 0 { 0 } else { 0x200 };
            return F16(sign | INFINITY as u16 | quiet);
        }
        // What lies below the smallest normal number loses one more bit for each power of two.
        let lost = 42 + (-14 - exponent).clamp(0, 12) as u32;
        let whole = if exponent < -26 { 0 } else { fraction | 1 << 52 };
        let half = 1u64 << (lost - 1);
        let kept = whole >> lost;
        let rest = whole & ((1 << lost) - 1);
        let rounded = kept + (rest > half || (rest == half && kept & 1 == 1)) as u64;
        // The implicit first bit of a normal number adds one to the exponent, and a carry does so again.
        let biased = if exponent < -14 { 0 } else { ((exponent + 14) as u64) << FRACTION_BITS };
        F16(sign | (biased + rounded).min(INFINITY) as u16)
    }
}

impl From<f32> for F16 {
    fn from(number: f32) -> F16 {
        F16::from(number as f64)
    }
}

impl PartialOrd for F16 {
    fn partial_cmp(&self, other: &F16) -> Option<core::cmp::Ordering> {
        f64::from(*self).partial_cmp(&f64::from(*other))
    }
}

impl fmt::Debug for F16 {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        f64::from(*self).fmt(out)
    }
}
