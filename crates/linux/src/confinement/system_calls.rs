//! System calls that are never made (seccomp(2)).
//!
//! It is a list of what is refused, not of what is allowed: a list of what is allowed would have to be right for every C
//! library that this program will ever be linked with, and its first gap would end a standby in the night. What is on the
//! list fails with `EPERM`; nobody is killed.

#![allow(unsafe_code)]

use crate::error::refused;
use crate::socket_option::last_errno;
use crate::{Error, Result};

/// How the kernel calls the processor whose numbers these are (`linux/audit.h`).
const ARCHITECTURE: Option<u32> = if cfg!(target_arch = "x86_64") && cfg!(target_pointer_width = "64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "x86") {
    Some(0x4000_0003)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else if cfg!(target_arch = "arm") && cfg!(target_endian = "little") {
    Some(0x4000_0028)
} else if cfg!(target_arch = "riscv64") {
    Some(0xc000_00f3)
} else {
    None
};

/// Calls of the other ABI of x86-64 have this bit.
const X32: u32 = 0x4000_0000;

/// What no part of a daemon of ours does: looking into and changing other processes, loading code into the kernel, the
/// machine's clock, its mounts and its end, and interfaces that are rich in ways to break out.
#[rustfmt::skip]
const REFUSED: &[libc::c_long] = &[
    libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev, libc::SYS_kcmp, PIDFD_GETFD,
    libc::SYS_init_module, libc::SYS_finit_module, libc::SYS_delete_module, libc::SYS_kexec_load, libc::SYS_bpf,
    libc::SYS_perf_event_open, libc::SYS_userfaultfd, IO_URING_SETUP, IO_URING_ENTER, IO_URING_REGISTER,
    libc::SYS_add_key, libc::SYS_request_key, libc::SYS_keyctl,
    libc::SYS_mount, libc::SYS_umount2, libc::SYS_pivot_root, libc::SYS_chroot, libc::SYS_setns, libc::SYS_unshare,
    OPEN_TREE, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, MOUNT_SETATTR,
    libc::SYS_open_by_handle_at, libc::SYS_fanotify_init, libc::SYS_quotactl, libc::SYS_acct,
    libc::SYS_swapon, libc::SYS_swapoff, libc::SYS_reboot, libc::SYS_vhangup, libc::SYS_syslog,
    libc::SYS_settimeofday, libc::SYS_clock_settime, libc::SYS_clock_adjtime, libc::SYS_adjtimex,
    libc::SYS_sethostname, libc::SYS_setdomainname, libc::SYS_personality, libc::SYS_vmsplice,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] libc::SYS_iopl,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] libc::SYS_ioperm,
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] libc::SYS_modify_ldt,
    #[cfg(not(target_arch = "x86"))] KEXEC_FILE_LOAD,
    #[cfg(any(target_arch = "arm", target_arch = "x86"))] CLOCK_SETTIME64,
    #[cfg(any(target_arch = "arm", target_arch = "x86"))] CLOCK_ADJTIME64,
];

/// Not every `libc` has it, that of musl on ARM for instance has not.
#[cfg(not(target_arch = "x86"))]
const KEXEC_FILE_LOAD: libc::c_long = match () {
    () if cfg!(target_arch = "x86_64") => 320,
    () if cfg!(target_arch = "arm") => 401,
    // As the table says that newer processors have in common; on others nothing is refused (`ARCHITECTURE`).
    () => 294,
};
// Numbers since 2019 are the same on all processors.
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
const CLOCK_SETTIME64: libc::c_long = 404;
#[cfg(any(target_arch = "arm", target_arch = "x86"))]
const CLOCK_ADJTIME64: libc::c_long = 405;
const IO_URING_SETUP: libc::c_long = 425;
const IO_URING_ENTER: libc::c_long = 426;
const IO_URING_REGISTER: libc::c_long = 427;
const OPEN_TREE: libc::c_long = 428;
const MOVE_MOUNT: libc::c_long = 429;
const FSOPEN: libc::c_long = 430;
const FSCONFIG: libc::c_long = 431;
const FSMOUNT: libc::c_long = 432;
const FSPICK: libc::c_long = 433;
const PIDFD_GETFD: libc::c_long = 438;
const MOUNT_SETATTR: libc::c_long = 442;

// The kernel's words (linux/filter.h, linux/seccomp.h) for a filter: load a word of `struct seccomp_data`, compare, answer.
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const IS: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IS_AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
const NUMBER_AT: u32 = 0;
const ARCHITECTURE_AT: u32 = 4;
const ALLOW: u32 = 0x7fff_0000;
const REFUSE: u32 = 0x0005_0000 | libc::EPERM as u32;

/// How many system calls are refused.
pub const fn how_many() -> usize {
    REFUSED.len()
}

/// Has the kernel refuse them to this thread and to all that it starts, programs too. Calls in the way of another
/// processor (a 32-bit program on a 64-bit machine) are refused altogether, because the numbers mean something else there.
/// The kernel wants [`gain_no_privileges`](super::gain_no_privileges) before, or `CAP_SYS_ADMIN`.
pub fn refuse() -> Result<()> {
    const ACTION: &str = "have system calls refused (seccomp)";
    let Some(architecture) = ARCHITECTURE else {
        return Err(Error::with_detail(ACTION, "their numbers on this processor are not known"));
    };
    let mut filter = filter(architecture);
    let program = libc::sock_fprog {
        // Some dozens.
        len: filter.len() as u16,
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: `program` points to as many instructions as it says; all live, and the kernel copies them.
    let answer = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const program) };
    if answer == 0 { Ok(()) } else { Err(refused(ACTION)(last_errno())) }
}

/// One step; `yes` and `no` are how many of the following are skipped.
const fn step(code: u16, operand: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt: yes, jf: no, k: operand }
}

fn filter(architecture: u32) -> Vec<libc::sock_filter> {
    // Behind the comparisons stand two answers: go on, and refuse. A jump of less than 256 steps reaches them.
    const { assert!(REFUSED.len() < 200) };
    let count = REFUSED.len() as u8;
    let x32 = cfg!(target_arch = "x86_64");
    let mut steps = vec![step(LOAD, ARCHITECTURE_AT, 0, 0), step(IS, architecture, 0, count + 2 + u8::from(x32))];
    steps.push(step(LOAD, NUMBER_AT, 0, 0));
    if x32 {
        steps.push(step(IS_AT_LEAST, X32, count + 1, 0));
    }
    for (left, number) in (0..count).rev().zip(REFUSED) {
        steps.push(step(IS, *number as u32, left + 1, 0));
    }
    steps.extend([step(ANSWER, ALLOW, 0, 0), step(ANSWER, REFUSE, 0, 0)]);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the kernel would run it.
    fn answer(steps: &[libc::sock_filter], architecture: u32, number: u32) -> u32 {
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = steps[at];
            at += 1;
            match (step.code, step.k) {
                (LOAD, NUMBER_AT) => loaded = number,
                (LOAD, _) => loaded = architecture,
                (IS, operand) => at += usize::from(if loaded == operand { step.jt } else { step.jf }),
                (IS_AT_LEAST, operand) => at += usize::from(if loaded >= operand { step.jt } else { step.jf }),
                (_, answer) => return answer,
            }
        }
    }

    #[test]
    fn what_is_on_the_list_is_refused_and_nothing_else() {
        let Some(architecture) = ARCHITECTURE else { return };
        let steps = filter(architecture);
        for number in 0..1000_u32 {
            let expected = if REFUSED.contains(&(number as libc::c_long)) { REFUSE } else { ALLOW };
            assert_eq!(answer(&steps, architecture, number), expected, "{number}");
            assert_eq!(answer(&steps, architecture ^ 1, number), REFUSE, "{number} of another processor");
        }
        if cfg!(target_arch = "x86_64") {
            assert_eq!(answer(&steps, architecture, X32), REFUSE);
        }
    }

    /// `libc`'s are written by hand, and so are some of ours; these were taken from the kernel's own headers. Run for every
    /// processor that we know (`docs/security.md`).
    #[test]
    fn the_numbers_are_those_of_the_kernel_s_headers() {
        use linux_raw_sys::general;

        // `__AUDIT_ARCH_64BIT`, `__AUDIT_ARCH_LE`, and the processor as in its programs (elf.h).
        let (wide, little) = (0x8000_0000, 0x4000_0000);
        let architecture = match std::env::consts::ARCH {
            "x86_64" => Some(u32::from(libc::EM_X86_64) | wide | little),
            "x86" => Some(u32::from(libc::EM_386) | little),
            "aarch64" => Some(u32::from(libc::EM_AARCH64) | wide | little),
            "arm" => Some(u32::from(libc::EM_ARM) | little),
            // EM_RISCV
            "riscv64" => Some(243 | wide | little),
            _ => None,
        };
        assert_eq!(ARCHITECTURE, architecture);
        #[rustfmt::skip]
        let theirs = [
            general::__NR_ptrace, general::__NR_process_vm_readv, general::__NR_process_vm_writev, general::__NR_kcmp,
            general::__NR_pidfd_getfd, general::__NR_init_module, general::__NR_finit_module,
            general::__NR_delete_module, general::__NR_kexec_load, general::__NR_bpf, general::__NR_perf_event_open,
            general::__NR_userfaultfd, general::__NR_io_uring_setup, general::__NR_io_uring_enter,
            general::__NR_io_uring_register, general::__NR_add_key, general::__NR_request_key, general::__NR_keyctl,
            general::__NR_mount, general::__NR_umount2, general::__NR_pivot_root, general::__NR_chroot,
            general::__NR_setns, general::__NR_unshare, general::__NR_open_tree, general::__NR_move_mount,
            general::__NR_fsopen, general::__NR_fsconfig, general::__NR_fsmount, general::__NR_fspick,
            general::__NR_mount_setattr, general::__NR_open_by_handle_at, general::__NR_fanotify_init,
            general::__NR_quotactl, general::__NR_acct, general::__NR_swapon, general::__NR_swapoff,
            general::__NR_reboot, general::__NR_vhangup, general::__NR_syslog, general::__NR_settimeofday,
            general::__NR_clock_settime, general::__NR_clock_adjtime, general::__NR_adjtimex,
            general::__NR_sethostname, general::__NR_setdomainname, general::__NR_personality,
            general::__NR_vmsplice,
            #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] general::__NR_iopl,
            #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] general::__NR_ioperm,
            #[cfg(any(target_arch = "x86_64", target_arch = "x86"))] general::__NR_modify_ldt,
            #[cfg(not(target_arch = "x86"))] general::__NR_kexec_file_load,
            #[cfg(any(target_arch = "arm", target_arch = "x86"))] general::__NR_clock_settime64,
            #[cfg(any(target_arch = "arm", target_arch = "x86"))] general::__NR_clock_adjtime64,
        ];
        assert_eq!(REFUSED, theirs.map(|number| number as libc::c_long));
        assert_eq!(libc::SYS_seccomp, general::__NR_seccomp as libc::c_long);
    }

    #[test]
    fn the_kernel_does_so() {
        let refusals = std::thread::spawn(|| {
            super::super::gain_no_privileges().unwrap();
            refuse().unwrap();
            let numbers = [libc::SYS_ptrace, libc::SYS_unshare, libc::SYS_bpf, IO_URING_SETUP];
            // SAFETY: they are refused, whatever their arguments mean; these would do nothing.
            let refusals = numbers.map(|number| unsafe { libc::syscall(number, -1, 0, 0, 0) == -1 });
            // What the daemon lives from.
            std::fs::read("/proc/self/status").unwrap();
            (refusals, last_errno().raw_os_error(), super::super::gains_no_privileges())
        });
        let (refusals, _, gains_nothing) = refusals.join().unwrap();
        assert_eq!((refusals, gains_nothing), ([true; 4], true));
        assert!(!super::super::gains_no_privileges(), "another thread is as it was");
    }
}
