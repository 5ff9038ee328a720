//! Whole rounds: documents, rules, attacks, and a network that fails.

mod attacks;
mod documents;
mod federation;
mod frames;
mod leak;
mod linkage;
mod repeats;
mod rules;
mod sim;
mod world;
