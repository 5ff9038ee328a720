//! A page as plain data: what every renderer is given. No markup stands in any text.

/// A page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Page {
    pub(crate) title: String,
    /// One line over the title of the printed page: whose it is, and of which policy.
    pub(crate) of: String,
    pub(crate) manner: Manner,
    /// Before the first section.
    pub(crate) lead: Vec<Block>,
    pub(crate) sections: Vec<Section>,
}

/// How a page is set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Manner {
    /// Close, as a board's paper is.
    Close,
    /// Large type and room between the lines, as Easy Read is.
    Easy,
}

/// A part of a page under a heading.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Section {
    /// What a link names it by; unique on its page.
    pub(crate) id: &'static str,
    pub(crate) heading: String,
    pub(crate) blocks: Vec<Block>,
}

/// A piece of a section.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Block {
    Paragraph(String),
    Items(Vec<String>),
    /// Words, each with what it means.
    Terms(Vec<(String, String)>),
    Table(Table),
    /// Lines that are kept as they are, under a name.
    Lines(String, String),
}

/// Figures. The first cell of a row names the row.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Section {
    pub(crate) fn new(id: &'static str, heading: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { id, heading: heading.into(), blocks }
    }

    /// Whether there is anything under its heading.
    pub(crate) fn says_something(&self) -> bool {
        self.blocks.iter().any(|b| !matches!(b, Block::Items(items) if items.is_empty()))
    }
}

impl Block {
    pub(crate) fn says(text: impl Into<String>) -> Self {
        Self::Paragraph(text.into())
    }

    pub(crate) fn items<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Items(items.into_iter().map(Into::into).collect())
    }
}

impl Table {
    pub(crate) fn new<const N: usize>(
        caption: impl Into<String>,
        columns: [&str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.map(str::to_owned).to_vec(),
            rows: rows.into_iter().map(Vec::from).collect(),
        }
    }
}
