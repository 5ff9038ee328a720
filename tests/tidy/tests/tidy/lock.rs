//! What the lock file may hold.

use std::path::Path;

use crate::tree::{read, report};

fn versions(name: &str) -> Vec<String> {
    let lock: toml::Table = toml::from_str(&read(Path::new("Cargo.lock"))).expect("the lock file is TOML");
    let packages = lock["package"].as_array().expect("packages");
    let named = packages.iter().filter(|p| p["name"].as_str() == Some(name));
    named.map(|p| p["version"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn there_is_one_of_each_trusted_crate() {
    for name in [
        "rustls",
        "ring",
        "arrow",
        "arrow-array",
        "parquet",
        "datafusion",
        "quinn",
        "opendp",
        "rustls-webpki",
    ] {
        assert_eq!(versions(name).len(), 1, "{name}: {:?}", versions(name));
    }
}

#[test]
fn there_is_no_second_tls_and_no_sql_parser() {
    let banned = ["aws-lc-rs", "aws-lc-sys", "openssl", "openssl-sys", "native-tls", "sqlparser", "polars"];
    let faults: Vec<String> =
        banned.iter().filter(|n| !versions(n).is_empty()).map(|n| format!("{n} {:?}", versions(n))).collect();
    report("crates that the lock file must not hold", &faults);
}

#[test]
fn versions_are_those_the_decisions_name() {
    for (name, starts) in [
        ("opendp", "0.16.0"),
        ("arrow", "59.3"),
        ("datafusion", "55.2"),
        ("rustls", "0.23"),
        ("ring", "0.17"),
        ("quinn", "0.11"),
    ] {
        assert!(versions(name).iter().all(|v| v.starts_with(starts)), "{name}: {:?}", versions(name));
    }
}
