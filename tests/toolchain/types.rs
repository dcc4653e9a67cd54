//! A function for every mapped type; its twins are in types.zig and test_types.py.

#[derive(Clone, Copy)]
#[allow(non_camel_case_types)]
pub enum Color { red, green, blue }
#[allow(non_camel_case_types)]
#[repr(i16)]
pub enum Level { low = -300, high = 300 }
#[derive(Clone, Copy)]
pub struct Particle { x: f32, id: u64, v: [f32; 3], on: bool }
pub struct Pair { low: f64, high: f64 }
pub struct Inner { pair: Pair, name: String, maybe: Option<i32> }
#[derive(Debug)]
pub enum Trouble { Missing, Off, Negative }
pub fn negate(a: bool) -> bool { !a }
pub fn half(a: o::F16) -> o::F16 { a }
pub fn single(a: f32) -> f32 { a }
pub fn double(a: f64) -> f64 { a }
pub fn nothing() {}
pub fn shout(a: &[u8]) -> &[u8] { &a[..a.len().min(3)] }
pub fn grow(a: &[u8]) -> Result<String, Trouble> { Ok(String::from_utf8([a, a].concat()).unwrap()) }
pub fn total(v: o::View<f64, 2>) -> f64 {
    let mut sum = 0.0;
    for i in 0..v.shape()[0] { for j in 0..v.shape()[1] { sum = sum * 3.0 + v[[i, j]]; } }
    sum
}
pub fn stamp(mut v: o::ViewMut<i16, 3>) -> usize {
    let [a, b, c] = v.shape();
    for i in 0..a { for j in 0..b { for k in 0..c { v[[i, j, k]] = (100 * i + 10 * j + k) as i16; } } }
    v.count()
}
pub fn rows(m: o::View2<f32>) -> f32 { m.iter().flatten().fold(0.0, |sum, x| sum * 2.0 + x) }
pub fn dot(a: [f64; 3], b: [f64; 3]) -> f64 { a[0] * b[0] + a[1] * b[1] + a[2] * b[2] }
pub fn cross(a: [f64; 3]) -> [f64; 3] { [a[1], a[2], a[0]] }
pub fn swap(p: Pair) -> Pair { Pair { low: p.high, high: p.low } }
pub fn inner(d: Inner) -> Inner { d }
pub fn both(t: (i32, bool)) -> (bool, i32) { (t.1, t.0) }
pub fn next(c: Color) -> Color {
    match c { Color::red => Color::green, Color::green => Color::blue, Color::blue => Color::red }
}
pub fn level(a: Option<Level>) -> Option<Level> { a }
pub fn ids(p: &[Particle]) -> u64 { p.iter().filter(|q| q.on).map(|q| q.id).sum() }
pub fn r#move(p: &mut [Particle], dx: f32) { for q in p { q.x += dx; q.v[2] = dx; } }
pub fn cloud(n: usize) -> Vec<Particle> {
    (0..n).map(|i| Particle { x: 0.5, id: i as u64, v: [1.0, 2.0, 3.0], on: i % 2 == 0 }).collect()
}
pub fn pick(p: &[Particle], i: usize) -> Result<Particle, Trouble> {
    let q = p.get(i).ok_or(Trouble::Missing)?;
    if q.on { Ok(*q) } else { Err(Trouble::Off) }
}
pub fn centre(p: &[[f64; 3]]) -> [f64; 3] {
    p.iter().fold([0.0; 3], |sum, row| [sum[0] + row[0], sum[1] + row[1], sum[2] + row[2]])
}
pub fn shift(p: &mut [[i16; 2]], by: i16) { for row in p { row[1] = row[1].wrapping_add(by); } }
pub fn above(p: Vec<[u8; 4]>, least: u8) -> Vec<[bool; 4]> { p.iter().map(|row| row.map(|x| x > least)).collect() }
pub fn corners(p: Option<&[[f32; 2]]>) -> Option<&[[f32; 2]]> { p }
pub fn root(a: f64) -> Result<Option<f64>, Trouble> {
    if a < 0.0 { Err(Trouble::Negative) } else { Ok((a != 0.0).then(|| a.sqrt())) }
}
pub fn first(a: Option<&[f64]>) -> Option<f64> { a?.first().copied() }
pub fn range(n: u32) -> Vec<u32> { (0..n).collect() }
