//! Finding out that a part of the screen only moved up or down.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ratatui::buffer::{Buffer, Cell};

use super::same::{looks_same, row};

/// Fewer cells than this are not worth a move.
const WORTH: isize = 60;

/// The rows `top..=bottom` move up by `by` lines, or down if negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    pub top: u16,
    pub bottom: u16,
    pub by: i32,
}

/// The move that saves most, if one does.
pub fn find(shown: &Buffer, next: &Buffer) -> Option<Shift> {
    let height = i32::from(next.area.height);
    let hash =
        |buffer: &Buffer| -> Vec<u64> { (0..buffer.area.height).map(|y| digest(row(buffer, y))).collect() };
    let (old, new) = (hash(shown), hash(next));
    if old == new {
        return None;
    }
    let by = vote(&old, &new)?;
    let row_of = |y: i32| u16::try_from(y).unwrap_or(0);
    // What the rows of `next` would cost if nothing moved, and if the rows moved.
    let still = |y: i32| differing(row(shown, row_of(y)), row(next, row_of(y)));
    let moved = |y: i32| differing(row(shown, row_of(y + by)), row(next, row_of(y)));
    let inside = |y: i32| (0..height).contains(&y) && (0..height).contains(&(y + by));
    // The longest run of rows that the move brings nearer to what they shall be.
    let mut best: Option<(isize, i32, i32)> = None;
    let mut run: Option<(isize, i32)> = None;
    for y in 0..=height {
        let gain = if inside(y) {
            if new[y as usize] == old[(y + by) as usize] { still(y) } else { still(y) - moved(y) }
        } else {
            isize::MIN
        };
        if gain < 0 || !inside(y) {
            run = None;
            continue;
        }
        let (sum, from) = run.map_or((gain, y), |(sum, from)| (sum + gain, from));
        run = Some((sum, from));
        if best.is_none_or(|(most, ..)| sum > most) {
            best = Some((sum, from, y));
        }
    }
    let (gain, from, to) = best?;
    // The rows at the end that come out blank have to be drawn whole.
    let (top, bottom) = if by > 0 { (from, to + by) } else { (from + by, to) };
    let blank = if by > 0 { to + 1..=bottom } else { top..=from - 1 };
    let loss: isize = blank.map(|y| filled(row(next, row_of(y))) - still(y)).sum();
    (gain - loss > WORTH).then(|| Shift { top: row_of(top), bottom: row_of(bottom), by })
}

/// The distance that most of the rows that changed have moved by.
fn vote(old: &[u64], new: &[u64]) -> Option<i32> {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
    for (y, hash) in old.iter().enumerate() {
        places.entry(*hash).or_default().push(y);
    }
    let mut votes: HashMap<i32, u32> = HashMap::new();
    for (y, hash) in new.iter().enumerate().filter(|(y, hash)| old[*y] != **hash) {
        let from = places.get(hash).map_or(&[][..], Vec::as_slice);
        // A row that stands there many times, such as an empty one, says nothing.
        if from.len() <= 3 {
            for place in from {
                let by = i32::try_from(*place).unwrap_or(0) - i32::try_from(y).unwrap_or(0);
                *votes.entry(by).or_default() += 1;
            }
        }
    }
    votes
        .into_iter()
        .filter(|(by, _)| *by != 0)
        .max_by_key(|(by, count)| (*count, -by.abs(), *by))
        .map(|(by, _)| by)
}

/// Does to the model what the terminal does.
pub fn apply(shown: &mut Buffer, shift: &Shift) {
    let width = usize::from(shown.area.width);
    let region = &mut shown.content[usize::from(shift.top) * width..(usize::from(shift.bottom) + 1) * width];
    let cells = shift.by.unsigned_abs() as usize * width;
    if shift.by > 0 {
        region.rotate_left(cells);
        let from = region.len() - cells;
        region[from..].fill(Cell::default());
    } else {
        region.rotate_right(cells);
        region[..cells].fill(Cell::default());
    }
}

fn digest(row: &[Cell]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for cell in row {
        cell.symbol().hash(&mut hasher);
        (cell.fg, cell.bg, cell.modifier).hash(&mut hasher);
    }
    hasher.finish()
}

fn differing(a: &[Cell], b: &[Cell]) -> isize {
    let count = a.iter().zip(b).filter(|(a, b)| !looks_same(a, b)).count();
    isize::try_from(count).unwrap_or(isize::MAX)
}

fn filled(row: &[Cell]) -> isize {
    let blank = Cell::default();
    isize::try_from(row.iter().filter(|cell| !looks_same(cell, &blank)).count()).unwrap_or(isize::MAX)
}
