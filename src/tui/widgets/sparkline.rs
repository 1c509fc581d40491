//! How a number went over time, in one line.

const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same for terminals that have only ASCII: the more ink, the more.
const PLAIN: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '%', '#'];

/// The values as `cells` columns, several values summed in each; the highest column fills its cell, and what is not zero
/// can be seen. `cells` must divide the number of values; else what is left over is left out.
pub fn text(values: &[u64], cells: usize, ascii: bool) -> String {
    let sums = sums(values, cells);
    let highest = sums.iter().copied().max().unwrap_or(0).max(1);
    let steps = if ascii { PLAIN } else { EIGHTHS };
    let step = |value: u64| (u128::from(value) * 8).div_ceil(u128::from(highest)) as usize;
    sums.iter().map(|value| steps[step(*value).min(8)]).collect()
}

/// The values summed up to `cells` numbers.
pub fn sums(values: &[u64], cells: usize) -> Vec<u64> {
    let each = (values.len() / cells.max(1)).max(1);
    values
        .chunks_exact(each)
        .take(cells)
        .map(|some| some.iter().fold(0, |a: u64, b| a.saturating_add(*b)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_fills_its_cell_and_a_single_request_can_be_seen() {
        assert_eq!(text(&[0, 1, 500, 1000], 4, false), " ▁▄█");
        assert_eq!(text(&[0, 1, 500, 1000], 4, true), " .=#");
        assert_eq!(text(&[0, 0], 2, false), "  ");
        assert_eq!(text(&[u64::MAX, u64::MAX], 2, false), "██");
    }

    #[test]
    fn several_values_are_summed_in_one_cell() {
        assert_eq!(text(&[0, 0, 3, 5, 1, 0], 3, false), " █▁");
        assert_eq!(sums(&[1; 48], 8), [6; 8]);
    }
}
