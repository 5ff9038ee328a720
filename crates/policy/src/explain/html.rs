//! A page as HTML that stands alone: one style sheet inside it, no script, nothing fetched. Made to WCAG 2.2, level AA.

use super::page::{Block, Manner, Page, Section, Table};

/// The style sheet of every page.
pub(crate) const STYLE: &str = include_str!("page.css");

/// The page as HTML.
pub(crate) fn render(page: &Page) -> String {
    let title = escaped(&page.title);
    let class = match page.manner {
        Manner::Close => "close",
        Manner::Easy => "easy",
    };
    let links =
        page.sections.iter().map(|s| format!("<li><a href=\"#{}\">{}</a></li>\n", s.id, escaped(&s.heading)));
    let mut tables = 0;
    let mut main = blocks(&page.lead, &mut tables);
    for section in &page.sections {
        main.push_str(&render_section(section, &mut tables));
    }
    let of = escaped(&page.of);
    format!(
        "<!doctype html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body class=\"{class}\">\n\
         <a class=\"skip\" href=\"#content\">Skip to the text</a>\n<header>\n<p>{of}</p>\n</header>\n\
         <main id=\"content\" tabindex=\"-1\">\n<h1>{title}</h1>\n<nav aria-label=\"On this page\">\n<ul>\n{}</ul>\n</nav>\n\
         {main}</main>\n<footer>\n<p>Written by the program Cairn from the policy file itself.</p>\n</footer>\n</body>\n</html>\n",
        links.collect::<String>()
    )
}

fn render_section(section: &Section, tables: &mut u32) -> String {
    let Section { id, heading, blocks: inside } = section;
    let inside = blocks(inside, tables);
    format!(
        "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>\n{inside}</section>\n",
        escaped(heading)
    )
}

fn blocks(blocks: &[Block], tables: &mut u32) -> String {
    blocks.iter().map(|b| render_block(b, tables)).collect()
}

fn render_block(block: &Block, tables: &mut u32) -> String {
    match block {
        Block::Paragraph(says) => format!("<p>{}</p>\n", linked(says)),
        Block::Items(items) => {
            let items: String = items.iter().map(|i| format!("<li>{}</li>\n", linked(i))).collect();
            format!("<ul>\n{items}</ul>\n")
        }
        Block::Terms(terms) => {
            let term = |(t, says): &(String, String)| {
                format!("<dt>{}</dt>\n<dd>{}</dd>\n", escaped(t), linked(says))
            };
            format!("<dl>\n{}</dl>\n", terms.iter().map(term).collect::<String>())
        }
        Block::Table(shown) => {
            *tables += 1;
            table(shown, *tables)
        }
        Block::Lines(name, lines) => {
            *tables += 1;
            let name = linked(name);
            let lines = escaped(lines);
            format!(
                "<p id=\"part-{tables}\">{name}</p>\n<pre role=\"region\" aria-labelledby=\"part-{tables}\" tabindex=\"0\">{lines}</pre>\n"
            )
        }
    }
}

/// Wider than a narrow screen, it scrolls inside its own part, which the keyboard reaches.
fn table(table: &Table, nth: u32) -> String {
    let head: String =
        table.columns.iter().map(|c| format!("<th scope=\"col\">{}</th>", escaped(c))).collect();
    let row = |row: &Vec<String>| {
        let cell = |(n, cell): (usize, &String)| match n {
            0 => format!("<th scope=\"row\">{}</th>", linked(cell)),
            _ => format!("<td>{}</td>", linked(cell)),
        };
        format!("<tr>{}</tr>\n", row.iter().enumerate().map(cell).collect::<String>())
    };
    let rows: String = table.rows.iter().map(row).collect();
    format!(
        "<div class=\"figures\" role=\"region\" aria-labelledby=\"table-{nth}\" tabindex=\"0\">\n<table>\n\
         <caption id=\"table-{nth}\">{}</caption>\n<thead>\n<tr>{head}</tr>\n</thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n",
        escaped(&table.caption)
    )
}

/// Escaped, with each web address as a link.
fn linked(text: &str) -> String {
    let word = |word: &str| {
        let address = word.trim_end_matches(['.', ',', ';', ':', ')']);
        if !address.starts_with("https://") {
            return escaped(word);
        }
        let shown = escaped(address);
        let after = escaped(word.get(address.len()..).unwrap_or_default());
        format!("<a href=\"{shown}\">{shown}</a>{after}")
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Safe inside a text and inside a quoted attribute.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
