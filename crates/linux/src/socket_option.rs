//! The one way to `setsockopt(2)` for options that rustix does not know.

#![allow(unsafe_code)]

use std::ffi::c_int;
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;
use rustix::net::sockopt;

/// Sets an option whose value is a C struct or integer; `T` must be what the option takes.
pub(crate) fn set<T: Copy>(socket: impl AsFd, level: c_int, option: c_int, value: &T) -> Result<(), Errno> {
    let descriptor = socket.as_fd().as_raw_fd();
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the pointer and the size describe `value`, which outlives the call; the kernel only reads it.
    let answer = unsafe { libc::setsockopt(descriptor, level, option, std::ptr::from_ref(value).cast(), size) };
    if answer == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Sets an option that is an integer or a switch.
pub(crate) fn set_int(socket: impl AsFd, level: c_int, option: c_int, value: c_int) -> Result<(), Errno> {
    set(socket, level, option, &value)
}

/// Lets the socket queue this much before it drops, beyond the system's limit if we are allowed to.
pub(crate) fn set_receive_buffer(socket: impl AsFd, bytes: usize) -> Result<(), Errno> {
    sockopt::set_socket_recv_buffer_size_force(&socket, bytes)
        .or_else(|_| sockopt::set_socket_recv_buffer_size(&socket, bytes))
}

/// Lets the socket queue this much and no more, beyond the system's limit only if that is `force`d.
pub(crate) fn limit_receive_buffer(socket: impl AsFd, bytes: usize, force: bool) -> Result<(), Errno> {
    if force {
        sockopt::set_socket_recv_buffer_size_force(&socket, bytes)
    } else {
        sockopt::set_socket_recv_buffer_size(&socket, bytes)
    }
}

/// As [`set_receive_buffer`], for what waits to be sent.
pub(crate) fn set_send_buffer(socket: impl AsFd, bytes: usize) -> Result<(), Errno> {
    sockopt::set_socket_send_buffer_size_force(&socket, bytes)
        .or_else(|_| sockopt::set_socket_send_buffer_size(&socket, bytes))
}

/// Makes the kernel drop everything that comes in for this socket.
pub(crate) fn refuse_everything(socket: impl AsFd) -> Result<(), Errno> {
    // One instruction of classic BPF: keep zero bytes.
    set_filter(socket, &[step((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0)])
}

/// Lets the kernel ask a program of classic BPF what of the incoming is for this socket.
pub(crate) fn set_filter(socket: impl AsFd, program: &[libc::sock_filter]) -> Result<(), Errno> {
    // The kernel copies the program, although the type says that it may write to it.
    let filter = libc::sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
}

/// An instruction of classic BPF.
pub(crate) const fn step(code: u16, k: u32, jt: u8, jf: u8) -> libc::sock_filter {
    libc::sock_filter { code, jt, jf, k }
}

/// Takes the filter of [`refuse_everything`] away.
pub(crate) fn accept_everything(socket: impl AsFd) -> Result<(), Errno> {
    set_int(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0)
}

/// The error of the system call that has just failed.
pub(crate) fn last_errno() -> Errno {
    let error = std::io::Error::last_os_error();
    Errno::from_io_error(&error).expect("a failed system call sets errno")
}
