//! What the system itself may write to the disk of what was in memory: swap, hibernation, core dumps. Read from the
//! files in which Linux tells it; where they say nothing, nothing is claimed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::store::{Disk, RelPath};

/// Files of the system that are read are short.
const SYSTEM_BYTES_MAX: u64 = 64 << 10;
/// Layers below a mapped device that are followed: encryption below a volume below a volume.
const LAYERS_MAX: usize = 8;

/// Whether what is written somewhere is encrypted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encrypted {
    /// By the system, below it.
    Yes,
    /// Nothing on this machine says so.
    No,
    /// It cannot be told from here.
    Unknown,
}

/// One way in which memory reaches the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leak {
    /// Swap on a disk: its name, and whether it is encrypted.
    Swap(String, Encrypted),
    /// The machine can sleep by writing all memory to such swap.
    Hibernation,
    /// A crash of a program leaves its memory as a file where it ran.
    CoreFiles,
    /// A crash of a program hands its memory to this program.
    CoreProgram(String),
}

/// All that this system tells of.
pub fn leaks(disk: &dyn Disk) -> Vec<Leak> {
    let mut leaks = swaps(disk);
    let open = |leak: &Leak| matches!(leak, Leak::Swap(_, Encrypted::No | Encrypted::Unknown));
    let sleeps = || {
        let word = |name, word: &str| text(disk, "/sys/power", name).is_some_and(|text| text.contains(word));
        word("state", "disk") && !word("disk", "[disabled]")
    };
    if leaks.iter().any(open) && sleeps() {
        leaks.push(Leak::Hibernation);
    }
    leaks.extend(core_dumps(disk));
    leaks
}

fn swaps(disk: &dyn Disk) -> Vec<Leak> {
    let table = text(disk, "/proc", "swaps").unwrap_or_default();
    let names = table.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().next()).map(unescaped);
    // Compressed swap in memory is memory.
    let on_disk = names.filter(|name| !name.starts_with("/dev/zram"));
    on_disk.map(|name| Leak::Swap(name.clone(), swap_encrypted(disk, &name))).collect()
}

fn swap_encrypted(disk: &dyn Disk, name: &str) -> Encrypted {
    if let Some(device) = name.strip_prefix("/dev/") {
        return block_encrypted(disk, &format!("/sys/class/block/{device}"));
    }
    // A file: as safe as the device that its file system lies on.
    match disk.file_system(Path::new(name)) {
        Ok(there) => block_encrypted(disk, &format!("/sys/dev/block/{}", there.device)),
        Err(_) => Encrypted::Unknown,
    }
}

/// Follows a block device down its layers: encrypted if each way down meets a layer of dm-crypt.
fn block_encrypted(disk: &dyn Disk, folder: &str) -> Encrypted {
    let (mut open, mut seen) = (vec![folder.to_string()], BTreeSet::new());
    let mut layers = 0;
    while let Some(folder) = open.pop() {
        layers += 1;
        if layers > LAYERS_MAX || disk.folder(Path::new(&folder)).is_err() {
            return Encrypted::Unknown;
        }
        if !seen.insert(folder.clone()) {
            continue;
        }
        let uuid = text(disk, &format!("{folder}/dm"), "uuid").unwrap_or_default();
        if uuid.starts_with("CRYPT-") {
            continue;
        }
        let below = disk.folder(Path::new(&format!("{folder}/slaves"))).and_then(|slaves| slaves.list(None));
        let below: Vec<String> =
            below.unwrap_or_default().into_iter().filter_map(|item| item.name.into_string().ok()).collect();
        if below.is_empty() {
            return Encrypted::No;
        }
        open.extend(below.into_iter().map(|name| format!("/sys/class/block/{name}")));
    }
    Encrypted::Yes
}

fn core_dumps(disk: &dyn Disk) -> Option<Leak> {
    let pattern = text(disk, "/proc/sys/kernel", "core_pattern")?;
    let pattern = pattern.trim();
    if let Some(program) = pattern.strip_prefix('|') {
        let program = program.trim().split(' ').next().unwrap_or_default();
        // Handed to `true` or `false`, a dump is thrown away.
        let thrown_away = ["/true", "/false"].iter().any(|end| program.ends_with(end));
        return (!program.is_empty() && !thrown_away).then(|| Leak::CoreProgram(program.to_string()));
    }
    (!pattern.is_empty() && cores_allowed(disk)).then_some(Leak::CoreFiles)
}

/// Whether what started this program lets others dump: this program itself has given up its own dumps before it looks.
fn cores_allowed(disk: &dyn Disk) -> bool {
    let status = text(disk, "/proc/self", "status").unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).map(str::trim).unwrap_or_default();
    let limits = text(disk, &format!("/proc/{parent}"), "limits").unwrap_or_default();
    let soft = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
    soft.and_then(|line| line.split_ascii_whitespace().next()).is_some_and(|soft| soft != "0")
}

fn text(disk: &dyn Disk, folder: &str, name: &str) -> Option<String> {
    let bytes = disk.folder(Path::new(folder)).ok()?.read(&RelPath::parse(name)?, SYSTEM_BYTES_MAX).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The kernel writes blanks in names as three octal digits.
fn unescaped(name: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\134", "\\")]
        .iter()
        .fold(name.into(), |name: String, (from, to)| name.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};

    fn machine(files: &[(&str, &str)]) -> Vec<Leak> {
        let disk = FaultyDisk::new(Rules::Ext4);
        for (path, text) in files {
            disk.put(Path::new(path), text.as_bytes());
        }
        leaks(&disk)
    }

    const TABLE: &str = "Filename\t\t\tType\t\tSize\tUsed\tPriority\n";

    fn swap(name: &str) -> (&'static str, String) {
        ("/proc/swaps", format!("{TABLE}{name}   partition\t8388604\t0\t-2\n"))
    }

    #[test]
    fn a_machine_that_tells_nothing_leaks_nothing_that_could_be_told() {
        assert_eq!(machine(&[]), []);
        assert_eq!(machine(&[("/proc/swaps", TABLE), ("/proc/sys/kernel/core_pattern", "|/bin/false\n")]), []);
        let (path, zram) = swap("/dev/zram0");
        assert_eq!(machine(&[(path, &zram)]), []);
    }

    #[test]
    fn swap_is_followed_down_to_what_encrypts_it() {
        let (path, plain) = swap("/dev/sda2");
        let told = |encrypted| vec![Leak::Swap("/dev/sda2".into(), encrypted)];
        assert_eq!(machine(&[(path, &plain)]), told(Encrypted::Unknown), "no such device is told of");
        assert_eq!(machine(&[(path, &plain), ("/sys/class/block/sda2/size", "1")]), told(Encrypted::No));
        let (path, mapped) = swap("/dev/dm-1");
        let volume = ("/sys/class/block/dm-1/dm/uuid", "LVM-abc\n");
        let below = ("/sys/class/block/dm-1/slaves/dm-0/size", "1");
        let told = |encrypted| vec![Leak::Swap("/dev/dm-1".into(), encrypted)];
        let crypt = ("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-abc\n");
        assert_eq!(machine(&[(path, &mapped), volume, below, crypt]), told(Encrypted::Yes));
        let plain = ("/sys/class/block/dm-0/dm/uuid", "LVM-other\n");
        assert_eq!(machine(&[(path, &mapped), volume, below, plain]), told(Encrypted::No));
        let half = ("/sys/class/block/dm-1/slaves/sdb1/size", "1");
        let other = ("/sys/class/block/sdb1/size", "1");
        assert_eq!(machine(&[(path, &mapped), volume, below, crypt, half, other]), told(Encrypted::No), "one of two");
    }

    #[test]
    fn a_machine_that_sleeps_to_open_swap_writes_all_its_memory() {
        let (path, plain) = swap("/dev/sda2");
        let device = ("/sys/class/block/sda2/size", "1");
        let state = ("/sys/power/state", "freeze mem disk\n");
        let found = machine(&[(path, &plain), device, state, ("/sys/power/disk", "[platform] shutdown\n")]);
        assert_eq!(found.last(), Some(&Leak::Hibernation));
        let found = machine(&[(path, &plain), device, state, ("/sys/power/disk", "[disabled]\n")]);
        assert_eq!(found.len(), 1);
        let encrypted = ("/sys/class/block/sda2/dm/uuid", "CRYPT-PLAIN-swap\n");
        assert_eq!(machine(&[(path, &plain), device, state, encrypted]).len(), 1);
    }

    #[test]
    fn core_dumps_as_files_where_they_are_allowed_and_to_programs_always() {
        let pattern = |pattern| ("/proc/sys/kernel/core_pattern", pattern);
        let program = machine(&[pattern("|/usr/lib/systemd/systemd-coredump %P %u\n")]);
        assert_eq!(program, [Leak::CoreProgram("/usr/lib/systemd/systemd-coredump".into())]);
        let parent = ("/proc/self/status", "Name:\tamparo\nPPid:\t77\n");
        let limits = |soft: &str| {
            format!("Limit  Soft Limit  Hard Limit\nMax core file size        {soft}    unlimited    bytes\n")
        };
        let allowed = limits("unlimited");
        assert_eq!(machine(&[pattern("core\n"), parent, ("/proc/77/limits", &allowed)]), [Leak::CoreFiles]);
        let none = limits("0");
        assert_eq!(machine(&[pattern("core\n"), parent, ("/proc/77/limits", &none)]), []);
    }
}
