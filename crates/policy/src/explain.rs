//! A policy in words: for its board, for the people it is about, and in Easy Read; as text and as HTML.
//!
//! Each page is made of one [`model::Model`], so that no two of them can say different things. None depends on a brake, a
//! clock or a record. What is said, and the sources of every figure: docs/reference/explain.md.

pub(crate) mod board;
mod easy;
mod everyday;
pub(crate) mod html;
pub(crate) mod model;
mod noise;
mod notice;
pub(crate) mod page;
pub(crate) mod share;
pub(crate) mod text;
pub(crate) mod wording;

use std::num::NonZeroU32;

use model::{COUNCILS, Model};

use crate::layers::Layers;

/// The policy in plain English, as a board reads it: what never leaves comes first; 100 columns wide. This is the text whose
/// SHA-256 stands in an approval note.
///
/// A national figure is said for Scotland's 32 councils.
#[must_use]
pub fn explain(layers: &Layers) -> String {
    explain_among(layers, COUNCILS)
}

/// [`explain`], with national figures for another number of partners.
#[must_use]
pub fn explain_among(layers: &Layers, partners: NonZeroU32) -> String {
    text::render(&board::page(&Model::of(layers, partners)))
}

/// What [`explain`] says, as an HTML page that stands alone.
#[must_use]
pub fn explain_html(layers: &Layers) -> String {
    html::render(&board::page(&Model::of(layers, COUNCILS)))
}

/// The policy in Easy Read: short sentences, everyday words, each hard word explained.
#[must_use]
pub fn easy_read(layers: &Layers) -> String {
    text::render(&easy::page(&Model::of(layers, COUNCILS)))
}

/// What [`easy_read`] says, as an HTML page in large type that stands alone.
#[must_use]
pub fn easy_read_html(layers: &Layers) -> String {
    html::render(&easy::page(&Model::of(layers, COUNCILS)))
}

/// The notice to the people whom the records are about.
#[must_use]
pub fn notice(layers: &Layers) -> String {
    text::render(&notice::page(&Model::of(layers, COUNCILS)))
}

/// What [`notice`] says, as an HTML page that stands alone, for the partner's website.
#[must_use]
pub fn notice_html(layers: &Layers) -> String {
    html::render(&notice::page(&Model::of(layers, COUNCILS)))
}

#[cfg(test)]
mod tests;
