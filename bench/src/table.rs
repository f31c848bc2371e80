//! Rows as a table on a terminal.

use crate::row::{HEADINGS, Row, columns};

/// At least; what is wider widens its column.
const WIDTHS: [usize; 7] = [43, 11, 11, 11, 6, 13, 6];

/// The table of one group.
pub(crate) fn render(title: &str, rows: &[Row]) -> String {
    let lines: Vec<[String; 7]> =
        std::iter::once(HEADINGS.map(str::to_owned)).chain(rows.iter().map(Row::cells)).collect();
    let mut widths = WIDTHS;
    for cells in &lines {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let columns = columns(rows);
    lines.iter().fold(format!("{title}\n"), |text, cells| text + &line(cells, &widths, &columns[1..]))
}

/// What is told at the left, figures at the right of their columns.
fn line(cells: &[String; 7], widths: &[usize; 7], columns: &[usize]) -> String {
    let mut text = format!("  {:<width$}", cells[0], width = widths[0]);
    for &column in columns {
        text.push_str(&format!(" {:>width$}", cells[column], width = widths[column]));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::{Both, Target, Unit};

    #[test]
    fn columns_stand_below_each_other() {
        let figures = Both { keepalived: 610.3, tanist: 1.0 };
        let row = Row::new("v2 1 s, median", Unit::Milliseconds, figures, Target::AtMost(5.0));
        let expected = "\
Stop
                                               keepalived      Tanist  ratio        target
  v2 1 s, median                                   610 ms     1.00 ms  0.002     ≤ 5.00 ms    met
";
        assert_eq!(render("Stop", &[row]), expected);
    }
}
