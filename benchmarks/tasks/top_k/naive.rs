use o::{View2, ViewMut2};

const MOST: usize = 16;

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (x, y) in a.iter().zip(b) {
        sum += x * y;
    }
    sum
}

#[derive(Debug)]
pub struct Shape;

/// For each query the rows of the largest cosine similarity, best first. `scale` holds 1 / |row|.
pub fn nearest(rows: View2<f32>, scale: &[f32], queries: View2<f32>, mut found: ViewMut2<u32>) -> Result<(), Shape> {
    let k = found.cols();
    if k == 0 || k > MOST || rows.cols() != queries.cols() {
        return Err(Shape);
    }
    if found.rows() != queries.rows() || scale.len() != rows.rows() {
        return Err(Shape);
    }
    for q in 0..queries.rows() {
        let mut best = [f32::NEG_INFINITY; MOST];
        let mut places = [0u32; MOST];
        for row in 0..rows.rows() {
            let score = dot(rows.row(row), queries.row(q)) * scale[row];
            if !(score > best[k - 1]) {
                continue;
            }
            let mut i = k - 1;
            while i > 0 && score > best[i - 1] {
                best[i] = best[i - 1];
                places[i] = places[i - 1];
                i -= 1;
            }
            best[i] = score;
            places[i] = row as u32;
        }
        found.row_mut(q).copy_from_slice(&places[..k]);
    }
    Ok(())
}
