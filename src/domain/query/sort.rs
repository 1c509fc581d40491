//! An order as people write it: `name`, `used:asc`.

use std::fmt;
use std::str::FromStr;

use strum::VariantNames;

use super::{Column, Direction, Sort};

/// Why a text is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SortError {
    #[error("{0:?} isn't a column: columns are {columns}", columns = Column::VARIANTS.join(", "))]
    Column(String),
    #[error("{0:?} isn't a direction: write asc or desc")]
    Direction(String),
}

impl FromStr for Sort {
    type Err = SortError;

    /// Reads a column, with `:asc` or `:desc` where another direction than its natural one is wanted.
    fn from_str(text: &str) -> Result<Self, SortError> {
        let (word, direction) =
            text.split_once(':').map_or((text, None), |(word, direction)| (word, Some(direction)));
        let column: Column = word.parse().map_err(|_| SortError::Column(word.to_owned()))?;
        let direction = match direction {
            None => column.natural(),
            Some("asc") => Direction::Ascending,
            Some("desc") => Direction::Descending,
            Some(other) => return Err(SortError::Direction(other.to_owned())),
        };
        Ok(Self { column, direction })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = if self.direction == Direction::Ascending { "asc" } else { "desc" };
        write!(f, "{}:{way}", self.column.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_has_a_natural_direction_unless_told() {
        let of = |column, direction| Ok(Sort { column, direction });
        assert_eq!("name".parse(), of(Column::Name, Direction::Ascending));
        assert_eq!("created".parse(), of(Column::Created, Direction::Descending));
        assert_eq!("created:asc".parse(), of(Column::Created, Direction::Ascending));
        let wrong = |text: &str| text.parse::<Sort>().unwrap_err().to_string();
        assert!(wrong("nmae").contains("columns are status, name"));
        assert!(wrong("name:down").contains("asc or desc"));
        for column in Column::ALL {
            for direction in [Direction::Ascending, Direction::Descending] {
                let sort = Sort { column: *column, direction };
                assert_eq!(sort.to_string().parse(), Ok(sort));
            }
        }
    }
}
