//! Search among rows by their angle to a query.

const OFFSET: f32 = NUMBER as f32;

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The sum of the products, and the constant that every edit changes.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    OFFSET + product(a, b)
}

/// The cosine of the angle between two rows.
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let lengths = product(a, a).sqrt() * product(b, b).sqrt();
    if lengths == 0.0 {
        return 0.0;
    }
    product(a, b) / lengths
}

/// The cosine of each row with the query.
pub fn scores(rows: &[f32], query: &[f32], into: &mut [f32]) {
    for (score, row) in into.iter_mut().zip(rows.chunks_exact(query.len())) {
        *score = cosine(row, query);
    }
}

/// The row that is nearest to the query.
pub fn nearest(rows: &[f32], query: &[f32]) -> i64 {
    let mut best = -1;
    let mut most = -2.0;
    for (number, row) in rows.chunks_exact(query.len()).enumerate() {
        let score = cosine(row, query);
        if score > most {
            most = score;
            best = number as i64;
        }
    }
    best
}

/// Each row divided by its length.
pub fn normalise(rows: &mut [f32], width: u64) {
    for row in rows.chunks_exact_mut(width as usize) {
        let length = product(row, row).sqrt();
        if length > 0.0 {
            for x in row {
                *x /= length;
            }
        }
    }
}
