//! What the kernel is not asked any more: sockets, other programs, other processes' memory, whatever changes who may do
//! what with a file, and the doors of the kernel that no vault needs. Everything else is let through: the list names
//! what helps an attacker, so that a new C library or kernel breaks nothing.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::Unconfined;

/// No connection, not even to another program of this machine.
const NETWORK: [i64; 12] = [
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
];

/// No other program, and nothing of one that runs.
const PROGRAMS: [i64; 12] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
];

/// Who may do what with a file: Landlock does not look at these.
const ATTRIBUTES: [i64; 11] = [
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_mq_open,
];

/// Doors of the kernel that have been broken through, or that lead around the rest of this list.
const KERNEL: [i64; 34] = [
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_personality,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_acct,
    libc::SYS_reboot,
    libc::SYS_syslog,
];

/// Calls so new that the library has no names for them everywhere, under the one number that all machines give them:
/// fchmodat2, setxattrat, removexattrat, open_tree_attr, file_setattr.
const NEWER: [i64; 5] = [452, 463, 466, 467, 469];

/// Calls that only this machine has.
#[cfg(target_arch = "x86_64")]
const OF_THIS_MACHINE: [i64; 5] =
    [libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown, libc::SYS_kexec_file_load, libc::SYS_modify_ldt];
#[cfg(not(target_arch = "x86_64"))]
const OF_THIS_MACHINE: [i64; 0] = [];

/// Types into the terminal as if the person did: what is typed so, her shell would run afterwards.
const TYPES_FOR_HER: [u64; 2] =
    [libc::TIOCSTI, 0x541c /* TIOCLINUX, the same by way of the clipboard of a console */];

/// The same kernel under other numbers (x32): the list would be passed by.
#[cfg(target_arch = "x86_64")]
const OTHER_NUMBERS: i64 = 0x4000_0000;
/// The numbers that x32 has for itself, and its own `execve`, `ptrace` and socket calls are among them.
#[cfg(target_arch = "x86_64")]
const ONLY_THERE: std::ops::RangeInclusive<i64> = 512..=547;

/// Refuses them from now on, in this thread and those that it starts.
pub(super) fn refuse() -> Result<(), Unconfined> {
    let program = program().map_err(|error| Unconfined::Calls { reason: error.to_string() })?;
    seccompiler::apply_filter(&program).map_err(|error| Unconfined::Calls { reason: error.to_string() })
}

/// A call under the wrong machine's numbers ends the process; one of the list is refused (EPERM), so that a library that
/// only tries goes on.
fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine: TargetArch = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules()?, SeccompAction::Allow, refused, machine)?.try_into()
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let named = NETWORK.iter().chain(&PROGRAMS).chain(&ATTRIBUTES).chain(&KERNEL).chain(&NEWER).chain(&OF_THIS_MACHINE);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = named.map(|number| (*number, Vec::new())).collect();
    let mut typing = Vec::new();
    for command in TYPES_FOR_HER {
        let is_it = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, command)?;
        typing.push(SeccompRule::new(vec![is_it])?);
    }
    rules.insert(libc::SYS_ioctl, typing);
    #[cfg(target_arch = "x86_64")]
    {
        let all: Vec<i64> = rules.keys().copied().chain(ONLY_THERE).collect();
        rules.extend(all.into_iter().map(|number| (number | OTHER_NUMBERS, Vec::new())));
    }
    Ok(rules)
}
