//! Twelve ways to break this program on purpose, and one to stop it where it is to be killed. Here only in the build that the suite makes to see that
//! the attack gate raises the alarm, and that a node which dies at any place neither loses nor doubles anything.
//!
//! A hook is `sabotage!(value, Name => harm)`: where that sabotage was chosen it is the harm, and otherwise the value. Without the feature
//! the macro is the value alone and this module does not exist, so that a release holds no trace of either.

use std::str::FromStr;
use std::sync::OnceLock;

#[cfg(not(debug_assertions))]
compile_error!(
    "the feature `sabotage` breaks the program on purpose: it is for debug builds of the suite only"
);

/// One way to break the program. docs/reference/attacks.md says which attack finds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sabotage {
    /// A row adds its value to a sum as it stands.
    NoClamp,
    /// A person counts in as many cells as they have rows in.
    NoGroupCap,
    /// Half the noise that is stated.
    HalfNoise,
    /// No noise where nobody is.
    NoiseOnNonZeroOnly,
    /// The threshold lets one person fewer pass.
    ThresholdOffByOne,
    /// Only what was answered is charged: nothing is held before.
    ChargeOnSuccess,
    /// A repeated question gets fresh noise.
    FreshNoiseOnRetry,
    /// Sums in 32 bits.
    I32Sums,
    /// Cells that nobody is in are left out.
    KeysFromData,
    /// The largest count first.
    SortedByCount,
    /// A fault says something of the records.
    DataInErrorText,
    /// The noise is drawn from the question.
    SeedPerQuestion,
    /// No harm: at one place of its part in a total the node goes no further, so that it is killed there and nowhere else.
    StopsToBeKilled,
}

static CHOSEN: OnceLock<Sabotage> = OnceLock::new();
static PLACE: OnceLock<String> = OnceLock::new();

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::NoClamp,
        Self::NoGroupCap,
        Self::HalfNoise,
        Self::NoiseOnNonZeroOnly,
        Self::ThresholdOffByOne,
        Self::ChargeOnSuccess,
        Self::FreshNoiseOnRetry,
        Self::I32Sums,
        Self::KeysFromData,
        Self::SortedByCount,
        Self::DataInErrorText,
        Self::SeedPerQuestion,
        Self::StopsToBeKilled,
    ];

    /// Breaks this process, once and for good.
    pub fn choose(self) {
        // A second choice would be a fault of the suite; the first one stays.
        let _ = CHOSEN.set(self);
    }
}

/// Whether this process is broken in this way.
#[must_use]
pub fn is(which: Sabotage) -> bool {
    CHOSEN.get() == Some(&which)
}

/// Where this process stops to be killed, once and for good.
pub fn choose_place(place: String) {
    // As above.
    let _ = PLACE.set(place);
}

/// Where this process stops to be killed.
#[must_use]
pub fn place() -> Option<&'static str> {
    PLACE.get().map(String::as_str).filter(|_| is(Sabotage::StopsToBeKilled))
}

impl FromStr for Sabotage {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|s| format!("{s:?}") == name).ok_or("no sabotage has this name")
    }
}
