//! Which process has a socket. Reads all of `/proc`, so it is no work for a loop that must not wait.

use std::fs;

/// A process by its number and the kernel's name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    pub pid: u32,
    pub name: String,
}

/// The first process that has the socket with this inode open; `None` if there is none, or if we may not know. Process 1
/// comes last: it may only hold it for somebody who has it, too.
pub fn socket_owner(inode: u32) -> Option<Owner> {
    let wanted = format!("socket:[{inode}]");
    let entries = fs::read_dir("/proc").ok()?;
    let mut pids: Vec<u32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    pids.sort_by_key(|pid| (*pid == 1, *pid));
    let pid = pids.into_iter().find(|pid| has_open(*pid, &wanted))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(Owner { pid, name: name.trim_end().to_owned() })
}

fn has_open(pid: u32, wanted: &str) -> bool {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    links.into_iter().any(|link| link.as_os_str() == wanted)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn finds_ourselves() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let file = fs::File::from(std::os::fd::OwnedFd::from(listener));
        let inode = u32::try_from(file.metadata().unwrap().ino()).unwrap();
        let owner = socket_owner(inode).expect("it is ours");
        assert_eq!(owner.pid, std::process::id());
        assert!(!owner.name.is_empty());
        assert_eq!(socket_owner(u32::MAX), None);
    }
}
