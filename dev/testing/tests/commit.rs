//! `tools/commit`, which prints what the programs show as their commit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use testing::run;

/// What `git archive` replaces in packaging/commit.
const FORMAT: &str = "$Format:%H$\n";

/// A source tree with the files that the script reads.
struct Tree {
    directory: TempDir,
}

impl Tree {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for sub in ["tools", "packaging", "crates", "docs"] {
            fs::create_dir(directory.path().join(sub)).expect("made");
        }
        for file in ["tools/commit", ".gitattributes"] {
            fs::copy(source.join(file), directory.path().join(file)).expect("copied");
        }
        for file in ["crates/a.rs", "docs/a.md", "Cargo.toml", "Cargo.lock"] {
            fs::write(directory.path().join(file), "1\n").expect("written");
        }
        fs::write(directory.path().join("packaging/commit"), FORMAT).expect("written");
        Self { directory }
    }

    /// The same, committed. Returns the commit's whole hash.
    fn checkout() -> (Self, String) {
        let tree = Self::new();
        tree.git(&["init", "--quiet"]);
        tree.git(&["add", "."]);
        tree.git(&["commit", "--quiet", "--message", "All"]);
        let hash = tree.git(&["rev-parse", "HEAD"]);
        (tree, hash)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Without the configuration of the user and of a surrounding `git`, such as a hook's.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory).env_clear();
        command.env("PATH", "/usr/bin:/bin").env("GIT_CONFIG_NOSYSTEM", "1");
        for name in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{name}_NAME"), "a");
            command.env(format!("GIT_{name}_EMAIL"), "a@example.org");
        }
        command
    }

    fn git(&self, arguments: &[&str]) -> String {
        let done = run(self.command("git").args(arguments));
        assert_eq!(done.code(), Some(0), "{}", done.stderr());
        done.stdout().trim_end().to_owned()
    }

    fn printed(&self, set: Option<&str>) -> String {
        let script = self.path("tools/commit");
        let mut command = self.command(script.to_str().expect("UTF-8"));
        let done = run(command.envs(set.map(|set| ("RCRON_COMMIT", set))));
        assert_eq!((done.code(), done.stderr()), (Some(0), String::new()));
        done.stdout()
    }
}

#[test]
fn a_checkout_has_its_commit_and_changed_programs_are_dirty() {
    let (tree, hash) = Tree::checkout();
    let short = &hash[..12];
    assert_eq!(tree.printed(None), format!("{short}\n"));
    fs::write(tree.path("docs/a.md"), "2\n").expect("written");
    assert_eq!(tree.printed(None), format!("{short}\n"), "no program is made of it");
    fs::write(tree.path("crates/a.rs"), "2\n").expect("written");
    assert_eq!(tree.printed(None), format!("{short}-dirty\n"));
    assert_eq!(tree.printed(Some("v1")), "v1\n");
    assert_eq!(tree.printed(Some("")), format!("{short}-dirty\n"));
}

#[test]
fn an_archive_of_git_has_its_commit() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/commit");
    let content = fs::read_to_string(file).expect("read");
    // A hash if these tests run in an archive.
    assert!(content == FORMAT || content.trim_end().len() == 40, "{content}");
    let (tree, hash) = Tree::checkout();
    tree.git(&["archive", "--output", "all.tar", "HEAD"]);
    fs::remove_dir_all(tree.path(".git")).expect("removed");
    assert_eq!(tree.printed(None), "unknown\n");
    let done = run(tree.command("tar").args(["xf", "all.tar"]));
    assert_eq!(done.code(), Some(0), "{}", done.stderr());
    assert_eq!(tree.printed(None), format!("{}\n", &hash[..12]));
}

#[test]
fn a_tree_inside_another_checkout_has_not_that_ones_commit() {
    let (outer, _) = Tree::checkout();
    let inner = Tree::new();
    let moved = outer.path("inner");
    fs::rename(inner.directory.path(), &moved).expect("moved");
    let done = run(&mut outer.command(moved.join("tools/commit").to_str().expect("UTF-8")));
    assert_eq!(done.stdout(), "unknown\n", "{}", done.stderr());
}
