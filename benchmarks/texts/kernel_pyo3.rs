// rustimport:pyo3
//! What the peer needs beside the kernel: two rows, and the constant that every edit changes.

use pyo3::prelude::*;

#[pyfunction]
fn dot(a: Vec<f32>, b: Vec<f32>) -> f32 {
    a.iter().zip(&b).map(|(x, y)| x * y).sum::<f32>() + NUMBER as f32
}
