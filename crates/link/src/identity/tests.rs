use super::certificate::{Root, Verdict, check_certificate};
use super::*;
use crate::clock::unix_time;
use cairn_question::register::Register;
use cairn_question::{IssuerPins, Moment, Name, PartnerId};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyPair, SanType};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// 2026-01-05 noon.
const NOON: Moment = Moment::from_unix_s(1_767_614_400);
const DAY_S: u64 = 86_400;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn fife() -> PartnerId {
    PartnerId::new("fife").unwrap()
}

/// `authority/`, `hub/`, `fife/`, `ann/` and `gov/` (an issuer) of the federation `demo`.
fn federation() -> TempDir {
    let dir = TempDir::new().unwrap();
    let at = |party: &str| dir.path().join(party);
    let mut authority = Authority::create(&at("authority"), name("demo"), NOON).unwrap();
    authority.make_issuer(&name("gov"), &at("gov")).unwrap();
    authority
        .make_coordinator(&name("hub"), &["127.0.0.1".into(), "hub.example".into()], &at("hub"), NOON)
        .unwrap();
    authority.enrol_node(&fife(), "Fife Council", "council", &at("fife"), NOON).unwrap();
    authority.enrol_analyst(&name("ann"), &at("ann"), NOON).unwrap();
    dir
}

/// An error's code and words, with the temporary folder's path left out.
fn told<T>(dir: &TempDir, result: Result<T, IdentityError>) -> String {
    let error = result.map(|_| ()).unwrap_err();
    format!("{} {error}", error.code()).replace(&format!("{}/", dir.path().display()), "")
}

#[test]
fn every_folder_loads_and_agrees() {
    let dir = federation();
    let at = |party: &str| dir.path().join(party);
    let authority = Authority::open(&at("authority")).unwrap();
    let node = NodeIdentity::load(&at("fife"), NOON).unwrap();
    let hub = CoordinatorIdentity::load(&at("hub"), NOON).unwrap();
    let ann = AnalystIdentity::load(&at("ann"), NOON).unwrap();
    assert_eq!((node.partner(), hub.name(), ann.analyst()), (&fife(), &name("hub"), &name("ann")));
    assert_eq!(node.federation_key(), &authority.verifying_key());
    assert_eq!(node.transport().expires_at(), NOON.plus_s(90 * DAY_S));

    let register =
        Register::open(&fs::read(authority.register_file()).unwrap(), hub.federation_key()).unwrap();
    assert_eq!(register.version, 3, "one more with each change");
    assert_eq!(register.partner(&fife()).unwrap().signing_key, node.signing_key().verifying_key());
    assert_eq!(register.coordinator.unwrap().signing_key, hub.signing_key().verifying_key());
    assert_eq!(format!("{node:?}"), "Identity(cairn://demo/node/fife)");
}

#[test]
fn the_keeper_of_the_linkage_secret_has_a_seat_and_a_register_without_one_says_nothing_of_it() {
    let dir = federation();
    let mut authority = Authority::open(&dir.path().join("authority")).unwrap();
    let payload = |authority: &Authority| {
        let signed = fs::read(authority.register_file()).unwrap();
        let envelope = cairn_question::Envelope::parse(&signed, signed.len()).unwrap();
        let payload = envelope.open(cairn_question::register::REGISTER_TYPE, &authority.verifying_key());
        String::from_utf8(payload.unwrap()).unwrap()
    };
    assert!(!payload(&authority).contains("linkage"), "as programs before it wrote it");
    let nobody = PartnerId::new("moray").unwrap();
    assert_eq!(
        told(&dir, authority.set_linkage_keeper(&nobody, NOON)),
        "CI108 partner `moray` has no seat in secure totals"
    );
    authority.set_linkage_keeper(&fife(), NOON).unwrap();
    assert!(payload(&authority).ends_with(r#","linkage_keeper":"fife"}"#));
    let before = authority.register().version;
    authority.set_linkage_keeper(&fife(), NOON).unwrap();
    assert_eq!(authority.register().version, before + 1, "said again, there is another roster");
    authority.seat(&fife(), None, NOON).unwrap();
    assert!(!payload(&authority).contains("linkage"), "who leaves the roster keeps nothing for it");
}

#[test]
fn an_issuers_credential_holds_at_a_node_that_pinned_it() {
    let dir = federation();
    let at = |party: &str| dir.path().join(party);
    let ann = AnalystIdentity::load(&at("ann"), NOON).unwrap();
    assert_eq!(ann.roles().count(), 0);
    let key = ann.signing_key().verifying_key();
    let gov = Issuer::open(&at("gov")).unwrap();
    let role = name("national-analyst");
    let credential =
        gov.credential(&name("ann"), &role, "Government", key, NOON, NOON.plus_s(DAY_S)).unwrap();
    save_credential(&at("ann"), &credential).unwrap();

    let ann = AnalystIdentity::load(&at("ann"), NOON).unwrap();
    assert_eq!(ann.roles().collect::<Vec<_>>(), [&role]);
    let node = NodeIdentity::load(&at("fife"), NOON).unwrap();
    assert_eq!(node.issuers().open(ann.credential(&role).unwrap(), NOON).unwrap().analyst, name("ann"));
    assert!(IssuerPins::default().open(&credential, NOON).is_err());

    let other = Issuer::create(&at("other"), name("other")).unwrap();
    pin_issuer(&at("fife"), &name("other"), other.verifying_key()).unwrap();
    pin_issuer(&at("fife"), &name("other"), other.verifying_key()).unwrap();
    let taken = pin_issuer(&at("fife"), &name("gov"), other.verifying_key());
    assert_eq!(told(&dir, taken), "CI106 `fife/issuers.toml: issuers.gov` exists; nothing is overwritten");
    let theirs = other.credential(&name("ann"), &role, "Other", key, NOON, NOON.plus_s(DAY_S)).unwrap();
    assert!(NodeIdentity::load(&at("fife"), NOON).unwrap().issuers().open(&theirs, NOON).is_ok());
}

#[test]
fn nothing_is_overwritten_and_nothing_unusable_is_made() {
    let dir = federation();
    let at = |party: &str| dir.path().join(party);
    let mut authority = Authority::open(&at("authority")).unwrap();
    let refused = |result: Result<(), IdentityError>, expect: &str| assert_eq!(told(&dir, result), expect);
    let again = Authority::create(&at("authority"), name("demo"), NOON).map(|_| ());
    refused(again, "CI106 `authority/authority.toml` exists; nothing is overwritten");
    let onto =
        authority.enrol_node(&PartnerId::new("dundee").unwrap(), "Dundee", "council", &at("fife"), NOON);
    refused(onto, "CI106 `fife/issuers.toml` exists; nothing is overwritten");
    let twice = authority.enrol_node(&fife(), "Fife", "council", &at("new"), NOON);
    refused(twice, "CI108 partner `fife` is in the register already");
    let nameless = authority.enrol_node(&PartnerId::new("x").unwrap(), " ", "council", &at("new"), NOON);
    refused(nameless, "CI108 a partner's name has 1 to 200 bytes of plain text");
    let second = authority.make_coordinator(&name("hub2"), &["h".into()], &at("new"), NOON);
    refused(second, "CI108 the register has a coordinator already");
    let issuer = authority.make_issuer(&name("gov"), &at("new")).map(|_| ());
    refused(issuer, "CI108 there is an issuer `gov` already");
    assert!(!at("new").exists(), "what is refused leaves nothing behind");
    assert_eq!(authority.register().version, 3);

    let fresh = TempDir::new().unwrap();
    let mut other = Authority::create(&fresh.path().join("a"), name("other"), NOON).unwrap();
    let address = other.make_coordinator(&name("hub"), &["no host!".into()], &fresh.path().join("hub"), NOON);
    assert_eq!(told(&fresh, address), "CI108 `no host!` is neither a host name nor an IP address");
}

#[cfg(unix)]
#[test]
fn private_keys_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = federation();
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    let keys = [
        "authority/root.key",
        "authority/federation.key",
        "gov/issuer.key",
        "fife/tls.key",
        "ann/signing.key",
    ];
    for key in keys {
        assert_eq!(mode(&dir.path().join(key)), 0o600, "{key}");
    }
    let check = |party: &str, key: &str, loads: &dyn Fn(&Path) -> Result<(), IdentityError>| {
        let file = dir.path().join(party).join(key);
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let expect = format!(
                "CI101 `{party}/{key}` can be read by others (mode {mode:o}); make it 0600 and consider the key known"
            );
            assert_eq!(told(&dir, loads(&dir.path().join(party))), expect);
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        loads(&dir.path().join(party)).unwrap();
    };
    let node = |dir: &Path| NodeIdentity::load(dir, NOON).map(|_| ());
    check("fife", "tls.key", &node);
    check("fife", "signing.key", &node);
    check("authority", "root.key", &|dir| Authority::open(dir).map(|_| ()));
    check("authority", "federation.key", &|dir| Authority::open(dir).map(|_| ()));
    check("gov", "issuer.key", &|dir| Issuer::open(dir).map(|_| ()));
}

/// What a node is told when one file of its folder is changed.
fn edited(dir: &TempDir, file: &str, change: &dyn Fn(String) -> String, expect: &str) {
    let fife = dir.path().join("fife");
    let path = fife.join(file);
    let before = fs::read(&path).unwrap();
    fs::write(&path, change(String::from_utf8(before.clone()).unwrap())).unwrap();
    let got = told(dir, NodeIdentity::load(&fife, NOON));
    assert!(got.starts_with(expect), "{got}");
    fs::write(&path, before).unwrap();
}

#[test]
fn a_folder_that_is_not_in_order_is_named() {
    let dir = federation();
    let fife = dir.path().join("fife");
    let check =
        |file: &str, change: &dyn Fn(String) -> String, expect: &str| edited(&dir, file, change, expect);
    let from = |party: &'static str, file: &'static str| {
        let text = fs::read_to_string(dir.path().join(party).join(file)).unwrap();
        move |_: String| text.clone()
    };
    let identity = "identity.toml";
    check(
        identity,
        &|t| t.replace("format = 1", "format = 2"),
        "CI103 `fife/identity.toml`: format 2; this program reads",
    );
    check(
        identity,
        &|t| t + "colour = 1\n",
        "CI103 `fife/identity.toml`: TOML parse error at line 11, column 1",
    );
    check(
        identity,
        &|t| t.replace("\"node\"", "\"analyst\""),
        "CI107 `fife/identity.toml` does not belong to this identity: it is for the role `analyst`, not `node`",
    );
    check(
        identity,
        &|t| t.replace("\"fife\"", "\"dundee\""),
        "CI107 `fife/tls.pem` does not belong to this identity: it is of `cairn://demo/node/fife`",
    );
    check(
        identity,
        &|t| t.replace("\"demo\"", "\"demo2\""),
        "CI107 `fife/tls.pem` does not belong to this identity: its certificate is of the federation `demo`, not `demo2`",
    );
    check(
        "tls.pem",
        &from("ann", "tls.pem"),
        "CI107 `fife/tls.pem` does not belong to this identity: its certificate is for another role: cairn://demo/analyst/ann",
    );
    check(
        "tls.pem",
        &from("hub", "tls.pem"),
        "CI107 `fife/tls.pem` does not belong to this identity: its certificate is for another role: it cannot dial in",
    );
    check(
        "tls.key",
        &from("ann", "tls.key"),
        "CI107 `fife/tls.key` does not belong to this identity: it is not the key of the certificate",
    );
    check("tls.key", &|_| "hello".into(), "CI103 `fife/tls.key`: not a private key in PEM");
    check(
        "signing.key",
        &from("ann", "tls.key"),
        "CI103 `fife/signing.key`: not an Ed25519 private key in PEM",
    );
    check(
        "federation.pub",
        &|_| "x".repeat(3 << 20),
        "CI103 `fife/federation.pub`: longer than 2097152 bytes",
    );
    check(
        "issuers.toml",
        &|t| t.replace("[issuers]", "[issuer]"),
        "CI103 `fife/issuers.toml`: TOML parse error",
    );
    fs::remove_file(fife.join("root.pem")).unwrap();
    assert!(told(&dir, NodeIdentity::load(&fife, NOON)).starts_with("CI102 cannot read `fife/root.pem`"));
}

#[test]
fn dates_are_told_as_dates_and_clocks_as_clocks() {
    let dir = federation();
    let fife = dir.path().join("fife");
    let at = |s: Moment| NodeIdentity::load(&fife, s);
    assert!(at(NOON.plus_s(90 * DAY_S)).is_ok());
    let expired = told(&dir, at(NOON.plus_s(91 * DAY_S)));
    assert_eq!(expired, "CI104 the certificate `fife/tls.pem` expired on 2026-04-05");
    // Dated back one hour: a clock that is a little behind is borne.
    assert!(at(Moment::from_unix_s(NOON.unix_s() - 3_600)).is_ok());
    let behind = told(&dir, at(Moment::from_unix_s(NOON.unix_s() - 2 * 3_600)));
    assert_eq!(
        behind,
        "CI105 clock wrong by 120 min or more: the certificate `fife/tls.pem` is not valid yet"
    );

    let authority = Authority::open(&dir.path().join("authority")).unwrap();
    let later = NOON.plus_s(80 * DAY_S);
    authority.renew(&fife, &[], later).unwrap();
    let renewed = at(NOON.plus_s(91 * DAY_S)).unwrap();
    assert_eq!(renewed.transport().expires_at(), later.plus_s(90 * DAY_S));
    assert_eq!(
        told(&dir, authority.renew(&dir.path().join("hub"), &[], later)),
        "CI108 a coordinator, and nobody else, has 1 to 16 addresses"
    );
    authority.renew(&dir.path().join("hub"), &["127.0.0.1".into()], later).unwrap();
    CoordinatorIdentity::load(&dir.path().join("hub"), later).unwrap();
}

#[test]
fn a_credential_for_somebody_else_is_foreign() {
    let dir = federation();
    let at = |party: &str| dir.path().join(party);
    let ann = AnalystIdentity::load(&at("ann"), NOON).unwrap();
    let gov = Issuer::open(&at("gov")).unwrap();
    let role = name("analyst");
    let wrong = gov.credential(&name("ann"), &role, "G", gov.verifying_key(), NOON, NOON.plus_s(1)).unwrap();
    save_credential(&at("ann"), &wrong).unwrap();
    let foreign = told(&dir, AnalystIdentity::load(&at("ann"), NOON));
    assert_eq!(
        foreign,
        "CI107 `ann/credential-analyst.json` does not belong to this identity: it is for another signing key"
    );
    let right = gov
        .credential(&name("ann"), &role, "G", ann.signing_key().verifying_key(), NOON, NOON.plus_s(1))
        .unwrap();
    save_credential(&at("ann"), &right).unwrap();
    fs::copy(at("ann").join("credential-analyst.json"), at("ann").join("credential-chief.json")).unwrap();
    let renamed = told(&dir, AnalystIdentity::load(&at("ann"), NOON));
    assert_eq!(
        renamed,
        "CI107 `ann/credential-chief.json` does not belong to this identity: it is for the role `analyst`"
    );
    let backward = gov.credential(&name("ann"), &role, "G", gov.verifying_key(), NOON, NOON);
    assert!(told(&dir, backward.map(|_| ())).starts_with("CI108"));
}

#[test]
fn a_register_that_was_edited_does_not_open() {
    let dir = federation();
    let file = dir.path().join("authority/register.json");
    let text = fs::read_to_string(&file).unwrap();
    // One letter of the payload.
    fs::write(&file, text.replacen("ey", "ez", 1)).unwrap();
    let got = told(&dir, Authority::open(&dir.path().join("authority")));
    assert_eq!(got, "CI103 `authority/register.json`: the federation's key did not sign this register");
}

/// Checks a certificate that the demo federation's root has signed for anything at all.
struct Certificates {
    dir: TempDir,
}

impl Certificates {
    fn root(&self) -> (CertificateDer<'static>, rcgen::Issuer<'static, KeyPair>) {
        let at = |file: &str| fs::read_to_string(self.dir.path().join("authority").join(file)).unwrap();
        let key = KeyPair::from_pem(&at("root.key")).unwrap();
        let root = CertificateDer::from_pem_slice(at("root.pem").as_bytes()).unwrap();
        (root, rcgen::Issuer::from_ca_cert_pem(&at("root.pem"), key).unwrap())
    }

    fn check(
        &self,
        uris: &[&str],
        usage: &[ExtendedKeyUsagePurpose],
        change: fn(&mut CertificateParams),
        expect: &str,
    ) {
        let (root, issuer) = self.root();
        let mut params = CertificateParams::default();
        params.not_before = time::OffsetDateTime::from_unix_timestamp(1_767_600_000).unwrap();
        params.not_after = params.not_before + time::Duration::days(90);
        params.subject_alt_names = uris.iter().map(|u| SanType::URI((*u).try_into().unwrap())).collect();
        params.extended_key_usages = usage.to_vec();
        change(&mut params);
        let leaf = params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
        let roles = &[Role::Node, Role::Analyst];
        let verdict = Verdict { root: &root, federation: &name("demo"), roles, now: unix_time(NOON) };
        let got = match check_certificate(leaf.der(), &[], &verdict) {
            Ok(party) => party.to_string(),
            Err(error) => format!("{} {error}", error.code()),
        };
        assert_eq!(got, expect, "{uris:?}");
    }
}

#[test]
fn certificates_of_the_right_root_that_are_wrong_all_the_same() {
    let certificates = Certificates { dir: federation() };
    let client = [ExtendedKeyUsagePurpose::ClientAuth];
    let server = [ExtendedKeyUsagePurpose::ServerAuth];
    let check = |uris: &[&str], usage: &[_], expect: &str| certificates.check(uris, usage, |_| {}, expect);
    let names = "CI206 its certificate does not carry exactly one cairn:// name";
    check(&["cairn://demo/node/fife"], &client, "cairn://demo/node/fife");
    check(&["cairn://demo/analyst/ann"], &client, "cairn://demo/analyst/ann");
    check(
        &["cairn://demo/coordinator/hub"],
        &client,
        "CI205 its certificate is for another role: cairn://demo/coordinator/hub",
    );
    check(
        &["cairn://other/node/fife"],
        &client,
        "CI204 its certificate is of the federation `other`, not `demo`",
    );
    check(
        &["cairn://demo/node/fife"],
        &server,
        "CI205 its certificate is for another role: it cannot dial in",
    );
    check(&["cairn://demo/node/fife"], &[], "CI205 its certificate is for another role: it cannot dial in");
    check(&["cairn://demo/node/fife", "cairn://demo/node/dundee"], &client, names);
    check(&["cairn://demo/node/fife", "https://example.org"], &client, names);
    check(&[], &client, names);
    for wrong in [
        "cairn://demo/node",
        "cairn://demo/node/fife/x",
        "cairn://demo/node/FIFE",
        "spiffe://demo/node/fife",
        "cairn://demo/node/",
        "cairn://demo/node/fife?x",
    ] {
        check(&[wrong], &client, names);
    }
    let uri = &["cairn://demo/node/fife"];
    certificates.check(
        uri,
        &client,
        |p| p.not_after = p.not_before + time::Duration::hours(1),
        "CI202 its certificate expired on 2026-01-05",
    );
    certificates.check(
        uri,
        &client,
        |p| p.not_before += time::Duration::days(1),
        "CI203 clock wrong by 1260 min or more: its certificate is not valid yet",
    );
    certificates.check(
        uri,
        &client,
        |p| p.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        "CI209 its certificate does not read",
    );
}

#[test]
fn a_certificate_of_another_root_is_not_ours_whatever_it_says() {
    let (ours, theirs) = (federation(), TempDir::new().unwrap());
    let certificate = |dir: &Path| CertificateDer::from_pem_slice(&fs::read(dir).unwrap()).unwrap();
    let root = certificate(&ours.path().join("authority/root.pem"));
    let check = |federation: &str, expect: &str| {
        let at = |party: &str| theirs.path().join(federation).join(party);
        let mut authority = Authority::create(&at("authority"), name(federation), NOON).unwrap();
        authority.enrol_node(&fife(), "Fife", "council", &at("fife"), NOON).unwrap();
        let demo = name("demo");
        let verdict = Verdict { root: &root, federation: &demo, roles: &[Role::Node], now: unix_time(NOON) };
        let error = check_certificate(&certificate(&at("fife/tls.pem")), &[], &verdict).unwrap_err();
        assert_eq!(error.code(), expect, "{error}");
        // Nor does the root that it brings along help.
        let brought = [certificate(&at("authority/root.pem"))];
        assert!(check_certificate(&certificate(&at("fife/tls.pem")), &brought, &verdict).is_err());
    };
    check("demo", "CI201");
    check("other", "CI204");
}

#[test]
fn a_leaf_cannot_sign_another() {
    let dir = federation();
    let read = |file: &str| fs::read_to_string(dir.path().join(file)).unwrap();
    let fife = Root::open(&read("fife/tls.pem"), &read("fife/tls.key")).unwrap();
    let forged = fife.issue(&"cairn://demo/node/dundee".parse().unwrap(), &[], NOON).unwrap();
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let root = certificate(&read("authority/root.pem"));
    let demo = name("demo");
    let verdict = Verdict { root: &root, federation: &demo, roles: &[Role::Node], now: unix_time(NOON) };
    let chain = [certificate(&read("fife/tls.pem"))];
    assert!(check_certificate(&certificate(&forged.certificate), &chain, &verdict).is_err());
}

#[test]
fn the_deny_list_reads_names_and_certificates() {
    let dir = federation();
    let hub = dir.path().join("hub");
    assert_eq!(*CoordinatorIdentity::load(&hub, NOON).unwrap().denied(), DenyList::default());
    let leaf = |party: &str| {
        CertificateDer::from_pem_slice(&fs::read(dir.path().join(party).join("tls.pem")).unwrap()).unwrap()
    };
    let fife: Party = "cairn://demo/node/fife".parse().unwrap();
    let ann: Party = "cairn://demo/analyst/ann".parse().unwrap();
    let hash = cairn_question::Hash::of(&leaf("ann"));
    let list = format!("format = 1\nnames = [\"{fife}\"]\ncertificates = [\"{hash}\"]\n");
    fs::write(hub.join(DENIED_FILE), list).unwrap();
    let denied = DenyList::load(&hub).unwrap();
    assert!(denied.denies(&fife, &leaf("fife")) && denied.denies(&ann, &leaf("ann")));
    assert!(!denied.denies(&ann, &leaf("fife")));
    fs::write(hub.join(DENIED_FILE), "format = 1\nnames = [\"fife\"]\n").unwrap();
    assert!(told(&dir, DenyList::load(&hub)).starts_with("CI103 `hub/denied.toml`"));
}
