//! A page as plain text, 100 columns wide.

use super::page::{Block, Manner, Page, Section, Table};
use crate::letters::one_line;

/// Columns of a line.
pub(crate) const WIDTH: usize = 100;

/// The page as text; ends with a line end.
pub(crate) fn render(page: &Page) -> String {
    let title = one_line(&page.title);
    let rule = "=".repeat(title.chars().count().min(WIDTH));
    let mut text = format!("{title}\n{rule}\n\n");
    text.push_str(&blocks(&page.lead, page.manner));
    for section in &page.sections {
        text.push('\n');
        text.push_str(&render_section(section, page.manner));
    }
    text
}

fn render_section(section: &Section, manner: Manner) -> String {
    let heading = one_line(&section.heading);
    let heading = match manner {
        Manner::Close if heading.ends_with('?') => format!("{}\n", capitals(&heading)),
        Manner::Close => format!("{}:\n", capitals(&heading)),
        Manner::Easy => format!("{heading}\n{}\n\n", "-".repeat(heading.chars().count())),
    };
    heading + &blocks(&section.blocks, manner)
}

/// The heading up to its first comma in capitals: `NEVER LEAVES, in any form`.
fn capitals(heading: &str) -> String {
    match heading.split_once(',') {
        Some((first, rest)) => format!("{},{rest}", first.to_uppercase()),
        None => heading.to_uppercase(),
    }
}

fn blocks(blocks: &[Block], manner: Manner) -> String {
    let mut text = String::new();
    for (n, block) in blocks.iter().enumerate() {
        let before = n.checked_sub(1).and_then(|n| blocks.get(n));
        let apart = before.is_some_and(|b| {
            manner == Manner::Easy || matches!((b, block), (Block::Paragraph(_), Block::Paragraph(_)))
        });
        if apart {
            text.push('\n');
        }
        text.push_str(&render_block(block));
    }
    text
}

fn render_block(block: &Block) -> String {
    match block {
        Block::Paragraph(says) => wrapped(says, "  ", "  "),
        Block::Items(items) => items.iter().map(|i| wrapped(i, "  * ", "    ")).collect(),
        Block::Terms(terms) => {
            terms.iter().map(|(term, says)| wrapped(&format!("{term}: {says}"), "  * ", "    ")).collect()
        }
        Block::Table(shown) => table(shown),
        Block::Lines(name, lines) => {
            let kept = |l: &str| if l.is_empty() { "\n".to_owned() } else { format!("    {l}\n") };
            wrapped(name, "  ", "  ") + &lines.lines().map(kept).collect::<String>()
        }
    }
}

/// Columns beside each other; where that is too wide, one item a row.
fn table(table: &Table) -> String {
    let all: Vec<&Vec<String>> = std::iter::once(&table.columns).chain(&table.rows).collect();
    let width = |n: usize| all.iter().filter_map(|r| r.get(n)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let whole: usize = widths.iter().map(|w| w + 2).sum();
    let mut text = wrapped(&table.caption, "  ", "  ");
    if whole + 2 > WIDTH {
        text.extend(table.rows.iter().map(|row| wrapped(&row_in_words(&table.columns, row), "  * ", "    ")));
        return text;
    }
    for row in all {
        let cells = row.iter().zip(&widths).map(|(c, w)| format!("{c:<w$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(&format!("    {}\n", line.trim_end()));
    }
    text
}

/// The cells of a row after its name. A table of two columns needs no name for its second; an empty cell is not said.
fn row_in_words(columns: &[String], row: &[String]) -> String {
    let cells = columns.iter().zip(row).skip(1).filter(|(_, cell)| !cell.is_empty());
    let cells = cells.map(|(column, cell)| match columns.len() {
        2 => cell.clone(),
        _ => format!("{column}: {cell}"),
    });
    let name = row.first().map(String::as_str).unwrap_or_default();
    let after = if name.ends_with(['?', '.']) { "" } else { "." };
    format!("{name}{after} {}.", cells.collect::<Vec<_>>().join("; "))
}

/// Wraps at [`WIDTH`], the first line after `first` and the others after `rest`; ends with a line end.
fn wrapped(text: &str, first: &str, rest: &str) -> String {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    lines.push(line);
    lines.join("\n") + "\n"
}
