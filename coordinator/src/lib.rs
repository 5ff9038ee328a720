//! Asks every partner and adds up what comes back.
