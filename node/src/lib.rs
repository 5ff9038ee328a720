//! The service a partner runs: it holds records and answers what its policy allows.
