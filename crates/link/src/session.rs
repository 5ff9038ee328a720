//! What each end does with a frame, as pure state machines: frames and time in, frames and events out.
