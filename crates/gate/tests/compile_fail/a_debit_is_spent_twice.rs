//! One hold, one release: a second one would have fresh noise, to be averaged with the first.
use cairn_gate::{Counting, Gate};
use cairn_release::{Noise, RawTable};

fn twice(gate: &Gate, counting: Counting, first: RawTable, second: RawTable, noise: &mut dyn Noise) {
    let _ = gate.release(counting, first, noise);
    let _ = gate.release(counting, second, noise);
}

fn main() {}
