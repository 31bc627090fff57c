//! Tables for people: columns as wide as their widest cell.

/// A heading line and rows, two spaces between columns; numbers stand to the right.
#[must_use]
pub(super) fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(index, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            let widest = cells.map(|cell| cell.chars().count()).max();
            widest.unwrap_or_default().max(heading.chars().count())
        })
        .collect();
    let numeric: Vec<bool> = (0..columns.len())
        .map(|index| {
            let mut cells = rows.iter().filter_map(|row| row.get(index));
            cells.all(|cell| {
                cell.bytes()
                    .all(|byte| byte.is_ascii_digit() || b"-.?%".contains(&byte))
            })
        })
        .collect();
    let line = |cells: &[&str]| {
        let padded = cells.iter().zip(&widths).zip(&numeric);
        let padded = padded.map(|((cell, width), is_number)| {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            if *is_number {
                format!("{gap}{cell}")
            } else {
                format!("{cell}{gap}")
            }
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = line(columns);
    for row in rows {
        let cells: Vec<&str> = row.iter().map(String::as_str).collect();
        text.push('\n');
        text.push_str(&line(&cells));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = vec![
            vec!["btc".to_owned(), "12.5".to_owned()],
            vec!["eth_long".to_owned(), "3".to_owned()],
        ];
        let text = table(&["name", "edge"], &rows);
        assert_eq!(text, "name      edge\nbtc       12.5\neth_long     3");
    }
}
