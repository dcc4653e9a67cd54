//! The counter against a naive twin, any calls in any order: `rustc -O --test counter_fuzz.rs && ./counter_fuzz`, with
//! another seed each time; `SEED=1234 ./counter_fuzz` repeats one, which a failure prints.

#[path = "counter.rs"]
mod counter;

use counter::{Error, State};

const STEPS: usize = 200_000;

/// xorshift64*: enough for a fuzzer, and without a crate.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: u64) -> u64 {
        (self.next() >> 33) % end
    }
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    std::env::var("SEED").map_or(now, |text| text.parse().expect("SEED is a number")) | 1
}

/// It has room for every sum, so it needs no care.
#[derive(Default)]
struct Twin {
    sum: u128,
    calls: u64,
}

impl Twin {
    fn check(&mut self, n: u128, found: Result<u64, Error>) {
        if self.sum + n > u128::from(u64::MAX) {
            return assert_eq!(found, Err(Error::Overflow));
        }
        self.sum += n;
        self.calls += 1;
        assert_eq!(found, Ok(self.sum as u64));
    }
}

#[test]
fn the_counter_does_what_a_naive_twin_does() {
    let seed = seed();
    println!("SEED={seed}");
    let mut random = Random(seed);
    let (mut state, mut twin) = (State::default(), Twin::default());
    for _ in 0..STEPS {
        match random.below(8) {
            0..=2 => {
                let n = match random.below(4) {
                    0 => random.below(10),
                    1 => random.next() >> 32,
                    2 => u64::MAX - random.below(3),
                    _ => random.next(),
                };
                twin.check(u128::from(n), counter::add(&mut state, n));
            }
            3..=5 => {
                let numbers: Vec<u32> = (0..random.below(41)).map(|_| random.next() as u32).collect();
                let n = numbers.iter().map(|&x| u128::from(x)).sum();
                twin.check(n, counter::add_all(&mut state, &numbers));
            }
            6 if random.below(50) == 0 => {
                assert_eq!(u128::from(counter::reset(&mut state)), twin.sum);
                twin = Twin::default();
            }
            _ => {}
        }
        assert_eq!((u128::from(counter::value(&state)), counter::calls(&state)), (twin.sum, twin.calls));
    }
}

#[test]
fn nothing_is_above_a_limit_that_is_no_number_and_no_number_is_above_anything() {
    assert_eq!(counter::above(&[1.0, 2.0], f64::NAN), 0);
    assert_eq!(counter::above(&[f64::NAN, 2.0], 1.0), 1);
    assert_eq!(counter::above(&[], 1.0), 0);
}
