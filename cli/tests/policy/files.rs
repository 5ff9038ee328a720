use super::*;

/// A policy's folder: the council's example under the shipped framework.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of_the_council() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.copy("examples/council/policy.toml", "policy.toml");
        folder.copy("framework/framework.toml", "framework.toml");
        folder
    }

    fn copy(&self, from: &str, name: &str) {
        std::fs::copy(root().join("policies").join(from), self.0.path().join(name)).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn instead(&self, name: &str, make: impl FnOnce(&Path)) {
        let path = self.0.path().join(name);
        let _ = std::fs::remove_file(&path);
        make(&path);
    }

    fn check(&self) -> Ran {
        policy(&["check", &self.path("policy.toml")])
    }
}

#[test]
fn what_is_no_file_is_neither_waited_for_nor_read_without_end() {
    let folder = Folder::of_the_council();
    folder.check().exits(0);
    folder.instead("policy.toml", |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap());
    folder.check().exits(1).says("error [CC105]").says("a device or a pipe");
    folder.instead("policy.toml", |path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    });
    folder.check().exits(1).says("error [CC105]").says("a device or a pipe");
    folder.instead("policy.toml", |path| std::fs::create_dir(path).unwrap());
    folder.check().exits(1).says("error [CC105]").says("it is a folder");
}

#[test]
fn a_framework_or_a_brake_that_is_there_and_cannot_be_read_is_said() {
    let folder = Folder::of_the_council();
    folder.instead("framework.toml", |path| std::fs::create_dir(path).unwrap());
    folder.check().exits(1).says("error [CC105]").says("framework.toml cannot be read");
    std::fs::remove_dir(folder.path("framework.toml")).unwrap();
    folder.check().exits(0);
    folder.instead("framework.toml", |path| std::os::unix::fs::symlink("nowhere", path).unwrap());
    folder.check().exits(1).says("error [CC105]").says("framework.toml cannot be read");
    folder.instead("framework.toml", |_| ());
    std::fs::create_dir(folder.path("local-brake.toml")).unwrap();
    let asked = ["--role", "own-tables-analyst", "--purpose", "smf-reporting"];
    let ask = ["ask", &folder.path("policy.toml"), "people by council"];
    policy(&[&ask[..], &asked].concat())
        .exits(1)
        .says("error [CC105]")
        .says("local-brake.toml cannot be read");
}
