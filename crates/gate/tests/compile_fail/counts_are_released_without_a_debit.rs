//! No hold on disk, no release.
use cairn_gate::{Gate, Permitted};
use cairn_release::{Noise, RawTable};

fn skip(gate: &Gate, permitted: Permitted, raw: RawTable, noise: &mut dyn Noise) {
    let _ = gate.release(permitted, raw, noise);
}

fn main() {}
