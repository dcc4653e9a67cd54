//! How long the counter takes: `rustc -O counter_benchmark.rs && ./counter_benchmark`. The median of several rounds, one
//! line a function: name, nanoseconds, of what.

#[allow(dead_code)]
#[path = "counter.rs"]
mod counter;

use counter::State;
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 15;
const LENGTH: usize = 1 << 16;

fn main() {
    let numbers: Vec<u32> = (0..LENGTH).map(|i| (i as u32).wrapping_mul(2_654_435_761)).collect();
    let values: Vec<f64> = numbers.iter().map(|&n| f64::from(n)).collect();
    let mut state = State::default();
    let one_by_one = median(|| {
        for i in 0..LENGTH as u64 {
            // Else the whole loop is one addition.
            counter::add(black_box(&mut state), i).unwrap();
        }
    });
    let all = median(|| {
        counter::add_all(&mut state, black_box(&numbers)).unwrap();
    });
    let above = median(|| {
        black_box(counter::above(black_box(&values), 1e9));
    });
    println!("add {one_by_one:.3} a call\nadd_all {all:.3} a number\nabove {above:.3} a value");
    assert_ne!(counter::value(&state), 0, "nothing was counted");
}

fn median(mut work: impl FnMut()) -> f64 {
    let mut found: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work();
            began.elapsed().as_nanos() as f64 / LENGTH as f64
        })
        .collect();
    found.sort_by(f64::total_cmp);
    found[ROUNDS / 2]
}
