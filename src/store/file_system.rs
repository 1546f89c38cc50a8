//! What kind of file system something lies on, as far as it matters for evidence: whether it keeps permissions, whether
//! it survives a power cut, how much room is left.

/// What kind of file system it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystemKind {
    /// One of a disk of this machine, with owners and permissions.
    Local,
    /// One that keeps no permissions: whoever can use the device reads every file. Its usual name.
    WithoutPermissions(&'static str),
    /// In memory: gone when the machine is switched off.
    Memory,
    /// On another machine.
    Network,
    /// Behind another program, which alone knows.
    Program,
}

/// The file system that something lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// What kind it is.
    pub kind: FileSystemKind,
    /// Bytes that this user can still write.
    pub bytes_free: u64,
    /// The device that it lies on, as the system numbers it: `major:minor`.
    pub device: String,
}

impl FileSystemKind {
    /// The kind with this magic number (statfs(2), linux/magic.h); what is not listed is taken for a local one.
    pub fn of_magic(magic: u64) -> Self {
        match magic {
            0x4D44 => Self::WithoutPermissions("FAT"),
            0x2011_BAB0 => Self::WithoutPermissions("exFAT"),
            0x7366_746E | 0x5346_544E => Self::WithoutPermissions("NTFS"),
            0x0102_1994 | 0x8584_58F6 => Self::Memory,
            0x6969 | 0x517B | 0xFF53_4D42 | 0xFE53_4D42 | 0x5346_414F | 0x00C3_6400 | 0x0102_1997 => Self::Network,
            0x6573_5546 => Self::Program,
            _ => Self::Local,
        }
    }

    /// The longest file that it takes, in bytes, where one that is carried can be longer: FAT counts them in 32 bits.
    pub fn file_bytes_max(self) -> Option<u64> {
        matches!(self, Self::WithoutPermissions("FAT")).then_some(u32::MAX.into())
    }

    /// Whether permission bits mean anything there.
    pub fn keeps_permissions(self) -> bool {
        matches!(self, Self::Local | Self::Memory)
    }
}
