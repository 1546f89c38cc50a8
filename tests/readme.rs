//! README's first ten minutes and what follows them, as they are printed there: each command is typed by the person that the comment above
//! its block names, and must end as it says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A block of commands and who types them.
struct Block {
    person: String,
    exit: i32,
    commands: Vec<String>,
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for part in readme.split("<!-- ").skip(1) {
        let (who, rest) = part.split_once(" -->\n```console\n").expect("a comment names who types the block below it");
        let (person, exit) =
            who.split_once(", exit ").map_or((who, 0), |(who, exit)| (who, exit.parse().expect("a code")));
        let (block, _) = rest.split_once("```").expect("the block ends");
        let commands = block.lines().map(|line| line.strip_prefix("$ ").expect("a command").to_string()).collect();
        blocks.push(Block { person: person.into(), exit, commands });
    }
    blocks
}

struct Desk {
    folder: tempfile::TempDir,
    current: PathBuf,
}

impl Desk {
    /// What a person has before she reads the page: evidence, and the cards that others gave her.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let current = folder.path().to_path_buf();
        let desk = Self { folder, current };
        let write = |name: &str, bytes: &[u8]| std::fs::write(desk.current.join(name), bytes).expect("written");
        write("testimony.md", include_bytes!("evidence/testimony.md"));
        std::fs::create_dir(desk.current.join("photos")).expect("a folder");
        write("photos/photo.jpg", include_bytes!("evidence/photo.jpg"));
        write("photos/scan.png", include_bytes!("evidence/scan.png"));
        write("passphrase", b"a passphrase of the tests\n");
        for (person, name, card) in [("reader", "Grey Owl", "grey-owl.card"), ("monitor", "Red Kite", "red-kite.card")]
        {
            desk.type_in(person, 0, &format!("amparo identity new --name '{name}'"));
            desk.type_in(person, 0, &format!("amparo identity card -o {card}"));
        }
        desk
    }

    fn type_in(&self, person: &str, exit: i32, line: &str) -> String {
        let home = self.folder.path().join(person);
        std::fs::create_dir_all(&home).expect("a home");
        let path = Path::new(env!("CARGO_BIN_EXE_amparo")).parent().expect("a folder of programs").to_path_buf();
        let output = Command::new("sh")
            .args(["-c", line])
            .current_dir(&self.current)
            .env_clear()
            .env("PATH", std::env::join_paths([path, "/usr/bin".into(), "/bin".into()]).expect("a path"))
            .env("HOME", &home)
            .env("AMPARO_PASSPHRASE_FILE", self.folder.path().join("passphrase"))
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{person}$ {line}\n{said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

#[test]
fn the_first_ten_minutes_are_true() {
    let mut desk = Desk::new();
    let mut digits = String::new();
    let blocks = blocks(include_str!("../README.md"));
    assert_eq!(blocks.len(), 16, "blocks of commands");
    for block in blocks {
        for command in &block.commands {
            if let Some(folder) = command.strip_prefix("cd ") {
                desk.current = desk.current.join(folder);
                continue;
            }
            let typed = command.replace("12345 67890 …", &digits);
            let printed = desk.type_in(&block.person, block.exit, &typed);
            if command.starts_with("amparo init") {
                digits = printed.trim().to_string();
            }
        }
    }
    let opened = std::fs::read(desk.current.join("../opened/K7-0001/content/testimony.md")).expect("the reader's copy");
    assert_eq!(opened, include_bytes!("evidence/testimony.md"));
}
