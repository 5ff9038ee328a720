//! Takes in a partner's export and keeps it as checksummed snapshots.
