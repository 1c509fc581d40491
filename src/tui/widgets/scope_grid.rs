//! Scopes as a grid: a row for each resource, a cell for each of its actions.

use ratatui::text::{Line, Span};

use super::super::styles::Styles;
use super::fit;
use crate::config::theme::Role;
use crate::domain::issuer::ScopeRule;
use crate::domain::scope::Scopes;

/// A policy's scopes, laid out, with what is ticked and where the cursor is. Nothing is ticked at first (VP-08).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeGrid {
    rows: Vec<Resource>,
    row: usize,
    cell: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    name: String,
    cells: Vec<Cell>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cell {
    action: String,
    description: String,
    ticked: bool,
}

impl ScopeGrid {
    pub fn new(rules: &[ScopeRule]) -> Self {
        let mut rows: Vec<Resource> = Vec::new();
        for rule in rules {
            let (resource, action) = rule.name.split_once(':').unwrap_or((&rule.name, ""));
            let cell =
                Cell { action: action.to_owned(), description: rule.description.clone(), ticked: false };
            match rows.iter_mut().find(|row| row.name == resource) {
                Some(row) => row.cells.push(cell),
                None => rows.push(Resource { name: resource.to_owned(), cells: vec![cell] }),
            }
        }
        Self { rows, row: 0, cell: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row that the cursor is in.
    pub fn row(&self) -> usize {
        self.row
    }

    #[cfg(test)]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// What is ticked.
    pub fn scopes(&self) -> Scopes {
        self.rows
            .iter()
            .flat_map(|row| {
                row.cells
                    .iter()
                    .filter(|cell| cell.ticked)
                    .map(|cell| format!("{}:{}", row.name, cell.action))
            })
            .collect()
    }

    /// Ticks these and nothing else, as far as they are in it.
    pub fn tick(&mut self, scopes: &Scopes) {
        for row in &mut self.rows {
            for cell in &mut row.cells {
                cell.ticked = scopes.contains(&format!("{}:{}", row.name, cell.action));
            }
        }
    }

    /// Those of these scopes that it shows.
    pub fn known(&self, scopes: &Scopes) -> Scopes {
        let mut grid = self.clone();
        grid.tick(scopes);
        grid.scopes()
    }

    /// Moves the cursor down, or up if negative. Answers whether there was room.
    pub fn move_row(&mut self, by: isize) -> bool {
        match self.row.checked_add_signed(by) {
            Some(row) if row < self.rows.len() => {
                self.row = row;
                self.cell = self.cell.min(self.rows[row].cells.len().saturating_sub(1));
                true
            }
            _ => false,
        }
    }

    pub fn move_cell(&mut self, by: isize) {
        let last = self.rows.get(self.row).map_or(0, |row| row.cells.len().saturating_sub(1));
        self.cell = self.cell.saturating_add_signed(by).min(last);
    }

    /// Puts the cursor into the first or the last row, for arriving from above or below.
    pub fn enter(&mut self, from_below: bool) {
        self.row = if from_below { self.rows.len().saturating_sub(1) } else { 0 };
        self.move_cell(0);
    }

    pub fn toggle(&mut self) {
        if let Some(cell) = self.rows.get_mut(self.row).and_then(|row| row.cells.get_mut(self.cell)) {
            cell.ticked = !cell.ticked;
        }
    }

    /// The scope under the cursor and what it permits.
    pub fn under_cursor(&self) -> Option<(String, &str)> {
        let row = self.rows.get(self.row)?;
        let cell = row.cells.get(self.cell)?;
        Some((format!("{}:{}", row.name, cell.action), &cell.description))
    }

    /// One line for each resource; actions of the same name stand below each other. `focus`: whether the cursor is here.
    pub fn lines(&self, styles: &Styles, focus: bool) -> Vec<Line<'static>> {
        let name = self.rows.iter().map(|row| fit::width(&row.name)).max().unwrap_or(0);
        // The actions in the order in which most rows have them: read before write before what only one has.
        let mut actions: Vec<&str> = Vec::new();
        for cell in self.rows.iter().flat_map(|row| &row.cells) {
            if !actions.contains(&cell.action.as_str()) {
                actions.push(&cell.action);
            }
        }
        self.rows
            .iter()
            .enumerate()
            .map(|(y, row)| {
                let here = focus && y == self.row;
                let label = if here { Role::LabelFocus } else { Role::Text };
                let mut spans = vec![Span::styled(fit::pad(&row.name, name + 2), styles.of(label))];
                for action in &actions {
                    let Some(x) = row.cells.iter().position(|cell| cell.action == *action) else {
                        spans.push(Span::raw(" ".repeat(fit::width(action) + 6)));
                        continue;
                    };
                    let cell = &row.cells[x];
                    let role = match (here && x == self.cell, cell.ticked) {
                        (true, _) => Role::ButtonFocus,
                        (false, true) => Role::Accent,
                        (false, false) => Role::Text,
                    };
                    let tick = if cell.ticked { "[x]" } else { "[ ]" };
                    spans.push(Span::styled(format!("{tick} {}", cell.action), styles.of(role)));
                    spans.push(Span::raw("  "));
                }
                Line::from(spans)
            })
            .collect()
    }
}
