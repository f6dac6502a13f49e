//! Tables in Markdown.

/// The cell of a case without a target or figure.
pub(crate) const NONE: &str = "–";

/// Prints a headline and a table. All columns except the first are aligned to the right.
pub(crate) fn print<const COLUMNS: usize>(headline: &str, head: [&str; COLUMNS], rows: &[[String; COLUMNS]]) {
    let head = head.map(str::to_owned);
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().chain([&head]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    println!("\n## {headline}\n");
    print_row(&head, &widths);
    let rule = std::array::from_fn(|column| match column {
        0 => "-".repeat(widths[0]),
        _ => "-".repeat(widths[column] - 1) + ":",
    });
    print_row(&rule, &widths);
    for row in rows {
        print_row(row, &widths);
    }
}

fn print_row<const COLUMNS: usize>(row: &[String; COLUMNS], widths: &[usize; COLUMNS]) {
    let cells = row.iter().zip(widths).enumerate().map(|(column, (cell, width))| {
        if column == 0 {
            format!(" {cell:<width$} |")
        } else {
            format!(" {cell:>width$} |")
        }
    });
    println!("|{}", cells.collect::<String>());
}
