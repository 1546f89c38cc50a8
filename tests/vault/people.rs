//! A lawyer, a reader and a monitor, each with a device of their own, and a vault that they share.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use amparo::crypto::hash::Hash;
use amparo::crypto::seed::Seed;
use amparo::format::pseudonym::Pseudonym;
use amparo::format::receipt::Receipt;
use amparo::format::role::Section;
use amparo::store::Disk;
use amparo::store::real::RealDisk;
use amparo::vault::create::{CreateRequest, Created, create};
use amparo::vault::list::{Listed, list};
use amparo::vault::open::{OpenRequest, Opened, open};
use amparo::vault::receipt::of_exhibit;
use amparo::vault::seal::{SealRequest, Sealed, SealedExhibit, seal};
use amparo::vault::session::{Person, Request, Trust};
use amparo::vault::verify::{Verified, VerifyRequest, verify};
use amparo::vault::{Clock, Setting, Stage, VaultError, Watch};
use rand_core::{CryptoRngCore, OsRng};

#[derive(Clone)]
pub(crate) struct Device {
    pub(crate) person: Arc<Person>,
    pub(crate) state: PathBuf,
    pub(crate) machine: Hash,
}

pub(crate) struct World {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    _folder: Option<tempfile::TempDir>,
    pub(crate) lawyer: Device,
    pub(crate) reader: Device,
    pub(crate) monitor: Device,
    pub(crate) vault: PathBuf,
    pub(crate) created: Created,
}

/// What a sealing gave, with the exhibits that it handed over on the way.
#[derive(Debug)]
pub(crate) struct Sealing {
    pub(crate) exhibits: Vec<SealedExhibit>,
    pub(crate) sealed: Sealed,
}

impl std::ops::Deref for Sealing {
    type Target = Sealed;

    fn deref(&self) -> &Sealed {
        &self.sealed
    }
}

/// Seals, and keeps what is handed over.
pub(crate) fn sealing(
    setting: &mut Setting<'_>,
    request: &SealRequest<'_>,
    input: &mut dyn std::io::Read,
) -> Result<Sealing, VaultError> {
    let mut exhibits = Vec::new();
    let sealed = seal(setting, request, input, &mut |exhibit| exhibits.push(exhibit))?;
    assert_eq!(sealed.count, exhibits.len() as u64);
    Ok(Sealing { exhibits, sealed })
}

pub(crate) struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> jiff::ZonedDateTime {
        "2031-05-04T23:10:00-03:00[-03:00]".parse().expect("a time")
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// A clock that goes on by twenty seconds whenever it is looked at.
struct Slow(AtomicU64);

impl Clock for Slow {
    fn now(&self) -> jiff::ZonedDateTime {
        Stopped.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(20, Ordering::SeqCst))
    }
}

impl Watch for Stopped {
    fn begin(&self, _stage: Stage, _bytes: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// Does something on somebody's machine.
pub(crate) fn with<T>(disk: &dyn Disk, machine: Hash, act: impl FnOnce(&mut Setting<'_>) -> T) -> T {
    with_draws(disk, machine, &mut OsRng, act)
}

/// The same with randomness that can be had again.
pub(crate) fn with_draws<T>(
    disk: &dyn Disk,
    machine: Hash,
    rng: &mut dyn CryptoRngCore,
    act: impl FnOnce(&mut Setting<'_>) -> T,
) -> T {
    act(&mut Setting { disk, clock: &Stopped, rng, watch: &Stopped, machine })
}

pub(crate) fn device(folder: &Path, name: &str, seed: u8) -> Device {
    let keys = Seed::from_bytes(&[seed; 32]).keys();
    let machine = Hash::of(name.as_bytes());
    Device {
        person: Arc::new(Person::new(Pseudonym::parse(name).expect("a name"), keys, true)),
        state: folder.join(format!("state of {name}")),
        machine,
    }
}

impl World {
    /// On the machine's own disk.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_path_buf();
        Self { _folder: Some(folder), ..Self::on(Arc::new(RealDisk), &root).expect("the vault is founded") }
    }

    /// On any disk.
    pub(crate) fn on(disk: Arc<dyn Disk>, root: &Path) -> Result<Self, VaultError> {
        let [lawyer, reader, monitor] =
            [("Blue Heron", 1), ("Harbour", 2), ("Lantern", 3)].map(|(name, seed)| device(root, name, seed));
        let vault = root.join("vault");
        let created = with(&*disk, lawyer.machine, |setting| {
            let request = CreateRequest {
                folder: &vault,
                state: &lawyer.state,
                founder: &lawyer.person,
                readers: std::slice::from_ref(reader.person.card()),
                register_readers: &[],
                monitors: std::slice::from_ref(monitor.person.card()),
                sealers: &[],
                handle: Some("K7".into()),
                monitors_needed: None,
                quorum: None,
            };
            create(setting, &request)
        })?;
        Ok(Self { disk, root: root.to_path_buf(), _folder: None, lawyer, reader, monitor, vault, created })
    }

    /// The same people and vault as they are on another disk.
    pub(crate) fn moved_to(&self, disk: Arc<dyn Disk>) -> Self {
        let (lawyer, reader, monitor) = (self.lawyer.clone(), self.reader.clone(), self.monitor.clone());
        let (root, vault, created) = (self.root.clone(), self.vault.clone(), self.created.clone());
        Self { disk, root, _folder: None, lawyer, reader, monitor, vault, created }
    }

    /// The disk on which all of it lies.
    pub(crate) fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Seals on a machine so slow that twenty seconds go by between any two looks at the clock; calls back at each exhibit
    /// that is sealed.
    pub(crate) fn seal_slowly(&self, paths: &[PathBuf], each: &mut dyn FnMut()) -> Result<Sealing, VaultError> {
        self.seal_watched(paths, &Slow(AtomicU64::new(0)), &Stopped, each)
    }

    /// Seals under a clock and a watch of one's own.
    pub(crate) fn seal_watched(
        &self,
        paths: &[PathBuf],
        clock: &dyn Clock,
        watch: &dyn Watch,
        each: &mut dyn FnMut(),
    ) -> Result<Sealing, VaultError> {
        let mut rng = OsRng;
        let mut setting = Setting { disk: &*self.disk, clock, rng: &mut rng, watch, machine: self.lawyer.machine };
        let request = SealRequest {
            place: request(&self.vault, &self.lawyer, None),
            paths,
            together: false,
            section: Section::main(),
            fields: &[],
            register: &[],
            identity: None,
            readback: true,
            accepted: &[],
        };
        let mut exhibits = Vec::new();
        let mut keep = |exhibit| {
            exhibits.push(exhibit);
            each();
        };
        let sealed = seal(&mut setting, &request, &mut std::io::empty(), &mut keep)?;
        Ok(Sealing { exhibits, sealed })
    }

    pub(crate) fn seal(&self, paths: &[PathBuf], together: bool) -> Result<Sealing, VaultError> {
        self.seal_with(paths, together, &[])
    }

    pub(crate) fn seal_with(
        &self,
        paths: &[PathBuf],
        together: bool,
        register: &[(String, String)],
    ) -> Result<Sealing, VaultError> {
        with(&*self.disk, self.lawyer.machine, |setting| {
            let request = SealRequest {
                place: request(&self.vault, &self.lawyer, None),
                paths,
                together,
                section: Section::main(),
                fields: &[("identity/kind".into(), "document".into())],
                register,
                identity: None,
                readback: true,
                accepted: &[],
            };
            sealing(setting, &request, &mut b"from standard input".as_slice())
        })
    }

    pub(crate) fn verify(&self, who: &Device) -> Result<Verified, VaultError> {
        self.verify_at(&self.vault, who)
    }

    pub(crate) fn verify_at(&self, vault: &Path, who: &Device) -> Result<Verified, VaultError> {
        let trust = Trust::VaultId(self.created.vault);
        with(&*self.disk, who.machine, |setting| {
            verify(
                setting,
                &VerifyRequest {
                    place: request(vault, who, Some(&trust)),
                    receipts: &[],
                    short_receipts: &[],
                    checkpoints: &[],
                },
            )
        })
    }

    pub(crate) fn list(&self, who: &Device) -> Result<Vec<Listed>, VaultError> {
        let mut all = Vec::new();
        with(&*self.disk, who.machine, |setting| {
            list(setting, &request(&self.vault, who, None), &mut |listed| {
                all.push(listed);
                Ok(())
            })
        })?;
        Ok(all)
    }

    pub(crate) fn receipt(&self, who: &Device, id: &str) -> Result<Receipt, VaultError> {
        with(&*self.disk, who.machine, |setting| of_exhibit(setting, &request(&self.vault, who, None), id))
    }

    pub(crate) fn open(&self, who: &Device, id: &str, out: &Path) -> Result<Opened, VaultError> {
        self.open_all(who, &[id], out)
    }

    pub(crate) fn open_all(&self, who: &Device, ids: &[&str], out: &Path) -> Result<Opened, VaultError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let trust = Trust::VaultId(self.created.vault);
        with(&*self.disk, who.machine, |setting| {
            let request = OpenRequest {
                place: request(&self.vault, who, Some(&trust)),
                ids: &ids,
                out,
                overwrite: false,
                reason: "",
            };
            open(setting, &request)
        })
    }
}

pub(crate) fn request<'a>(vault: &'a Path, who: &'a Device, trust: Option<&'a Trust>) -> Request<'a> {
    Request { vault, state: &who.state, person: Some(&who.person), trust }
}
