//! The `VAULT` file: two lines that tell what a folder is. A hint for programs and people, never trusted.

use super::ids::VaultId;

const FIRST_LINE: &str = "amparo.v1/vault";

/// Why a `VAULT` file says nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultFileError {
    /// Some later format.
    #[error("the vault has format {format:?}, which a newer program wrote")]
    Newer {
        /// As it stands there.
        format: String,
    },
    /// Anything else.
    #[error("the file VAULT is not what this program writes")]
    Malformed,
}

/// The text for `vault`.
pub fn print(vault: &VaultId) -> String {
    format!("{FIRST_LINE}\n{vault}\n")
}

/// The vault id it names.
pub fn parse(bytes: &[u8]) -> Result<VaultId, VaultFileError> {
    let text = std::str::from_utf8(bytes).map_err(|_| VaultFileError::Malformed)?;
    let (first, rest) = text.split_once('\n').ok_or(VaultFileError::Malformed)?;
    if first != FIRST_LINE {
        let newer = first.strip_prefix("amparo.v").is_some_and(|rest| rest.ends_with("/vault") && first.len() < 64);
        return Err(if newer { VaultFileError::Newer { format: first.into() } } else { VaultFileError::Malformed });
    }
    rest.strip_suffix('\n').and_then(VaultId::from_hex).ok_or(VaultFileError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;

    #[test]
    fn only_its_own_print_is_read() {
        let id = VaultId(Hash::of(b"a vault"));
        let text = print(&id);
        assert_eq!(parse(text.as_bytes()), Ok(id));
        assert_eq!(parse(text.trim_end().as_bytes()), Err(VaultFileError::Malformed));
        assert_eq!(parse(format!("{text}more").as_bytes()), Err(VaultFileError::Malformed));
        let newer = text.replace("v1", "v2");
        assert_eq!(parse(newer.as_bytes()), Err(VaultFileError::Newer { format: "amparo.v2/vault".into() }));
        assert_eq!(parse(b"\xff\n"), Err(VaultFileError::Malformed));
    }
}
