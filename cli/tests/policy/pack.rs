use super::*;

const COUNCIL: &str = "policies/examples/council";

/// The shipped council's policy with the next version of it, under which nothing changes but what must.
fn next_version(folder: &Path) -> (String, String) {
    let old = std::fs::read_to_string(root().join(COUNCIL).join("policy.toml")).unwrap();
    let (was, is) = (folder.join("old.toml"), folder.join("policy.toml"));
    std::fs::write(&was, &old).unwrap();
    let new = old.replace("version        = 7\n", "version        = 8\n");
    std::fs::write(&is, &new).unwrap();
    std::fs::copy(root().join(COUNCIL).join("tests.toml"), folder.join("tests.toml")).unwrap();
    let (was, is) = (was.to_str().unwrap().to_owned(), is.to_str().unwrap().to_owned());
    // The command says which line is missing.
    let out = folder.join("none");
    let ran = policy(&["pack", &is, "--replaces", &was, "--out", out.to_str().unwrap()]).exits(5);
    let line = ran.err.split_once("supersedes = ").unwrap().1.lines().next().unwrap().to_owned();
    assert!(!out.exists());
    let supersedes = format!("version        = 8\nsupersedes     = {line}\n");
    std::fs::write(&is, new.replace("version        = 8\n", &supersedes)).unwrap();
    (was, is)
}

fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files.map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_boards_folder_has_the_paper_and_all_that_it_is_about() {
    let folder = tempfile::tempdir().unwrap();
    let (was, is) = next_version(folder.path());
    let out = folder.path().join("pack");
    let words = ["pack", &is, "--replaces", &was, "--out", out.to_str().unwrap()];
    policy(&words).exits(0).says("with 10 files").says("paper.html");
    let expected = [
        "diff.txt",
        "easy-read.html",
        "explain.html",
        "explain.txt",
        "framework.toml",
        "notice.html",
        "paper.html",
        "paper.txt",
        "policy.toml",
        "tests.toml",
    ];
    assert_eq!(names(&out), expected);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(read("policy.toml"), std::fs::read_to_string(&is).unwrap());
    assert_eq!(read("explain.txt"), policy(&["explain", &is]).exits(0).out);
    assert!(read("diff.txt").contains("VERDICT: SAME\n"));
    let paper = read("paper.txt");
    for wanted in [
        "1. WHO MAY ASK?\n",
        "2. WHAT NEVER LEAVES?\n",
        "3. WHAT CHANGES?\n",
        "4. WHAT DOES IT COST IN PRIVACY?\n",
        "5. HOW IS IT STOPPED?\n",
        "Verdict: SAME",
        "Never happens: ",
        "It was not worked out how many cells are withheld",
        "There is no draft yet",
    ] {
        assert!(paper.contains(wanted), "{wanted}\n{paper}");
    }
    // What was packed stands alone, and is not packed over.
    policy(&["check", out.join("policy.toml").to_str().unwrap()]).exits(0);
    policy(&words).exits(1).says("CC107");
    assert_eq!(read("paper.txt"), paper);
}
