//! What services say by themselves on the socket in their `NOTIFY_SOCKET`: that they are well.

use engine::Name;
use linux::poll::{Interest, Poll};
use linux::service_notices::{ServiceNotice, ServiceNotices};

/// So many are read at once; the others a moment later.
const AT_ONCE: usize = 64;

/// The socket, while anybody needs it.
#[derive(Debug, Default)]
pub(super) struct Notices {
    socket: Option<ServiceNotices>,
}

impl Notices {
    /// Opens the socket if it is wanted. It stays open afterwards: a service that runs may know its name.
    pub(super) fn adjust(&mut self, wanted: bool, poll: &Poll, token: u64) -> linux::Result<()> {
        if wanted && self.socket.is_none() {
            let socket = ServiceNotices::open()?;
            poll.add(&socket, token, Interest::Readable)?;
            self.socket = Some(socket);
        }
        Ok(())
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.socket.as_ref().map(ServiceNotices::name)
    }

    /// The services that have said that they are well. `owner` knows whose process somebody is.
    pub(super) fn receive(&self, owner: impl Fn(u32) -> Option<Name>) -> linux::Result<Vec<Name>> {
        let mut well: Vec<Name> = Vec::new();
        let Some(socket) = &self.socket else { return Ok(well) };
        for _ in 0..AT_ONCE {
            let Some(ServiceNotice { pid, ready, watchdog }) = socket.receive()? else { break };
            if (ready || watchdog)
                && let Some(service) = owner(pid)
                && !well.contains(&service)
            {
                well.push(service);
            }
        }
        Ok(well)
    }
}
