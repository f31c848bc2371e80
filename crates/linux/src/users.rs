//! Users and groups from `/etc/passwd` and `/etc/group`, without the name service switch.
//!
//! A static binary can't load the modules of the name service switch, so that users of a directory service (LDAP,
//! sssd) are not found by name; their numbers work.

use std::fmt;
use std::path::Path;

use crate::{Error, Result};

/// A line of `/etc/passwd`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub home: String,
}

/// Whom a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Why there is no such identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityError {
    NoSuchUser(String),
    NoSuchGroup(String),
    System(Error),
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IdentityError::NoSuchUser(name) => write!(f, "there is no user '{name}' in /etc/passwd"),
            IdentityError::NoSuchGroup(name) => write!(f, "there is no group '{name}' in /etc/group"),
            IdentityError::System(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for IdentityError {}

/// The user of that name or number.
pub fn find_user(name_or_number: &str) -> Result<Option<User>> {
    Ok(find_user_in(&read("/etc/passwd")?, name_or_number))
}

/// The number of the group of that name, or the number itself.
pub fn find_group(name_or_number: &str) -> Result<Option<u32>> {
    Ok(find_group_in(&read("/etc/group")?, name_or_number))
}

/// User and, if given, group, with the supplementary groups of the user.
pub fn identity(user: &str, group: Option<&str>) -> std::result::Result<Identity, IdentityError> {
    let passwd = read("/etc/passwd").map_err(IdentityError::System)?;
    let groups = read("/etc/group").map_err(IdentityError::System)?;
    identity_in(&passwd, &groups, user, group)
}

/// Whom this process runs as.
pub fn own_identity() -> Identity {
    Identity {
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
        groups: rustix::process::getgroups().unwrap_or_default().into_iter().map(|group| group.as_raw()).collect(),
    }
}

fn read(path: &str) -> Result<String> {
    match std::fs::read(Path::new(path)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        // A small system may have none.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Error::from_io(format!("read {path}"), &error)),
    }
}

fn users(passwd: &str) -> impl Iterator<Item = User> {
    passwd.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
        let home = fields.nth(1)?.to_owned();
        Some(User { name, uid, gid, home })
    })
}

/// Name, number and members.
fn groups(group: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    group.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let gid = fields.nth(1)?.parse().ok()?;
        Some((name, gid, fields.next()?))
    })
}

pub(crate) fn find_user_in(passwd: &str, name_or_number: &str) -> Option<User> {
    let by_name = users(passwd).find(|user| user.name == name_or_number);
    by_name.or_else(|| {
        let number: u32 = name_or_number.parse().ok()?;
        users(passwd).find(|user| user.uid == number)
    })
}

fn find_group_in(group: &str, name_or_number: &str) -> Option<u32> {
    let by_name = groups(group).find(|(name, ..)| *name == name_or_number).map(|(_, gid, _)| gid);
    by_name.or_else(|| name_or_number.parse().ok())
}

pub(crate) fn identity_in(
    passwd: &str,
    group_file: &str,
    user: &str,
    group: Option<&str>,
) -> std::result::Result<Identity, IdentityError> {
    let gid = group
        .map(|group| find_group_in(group_file, group).ok_or_else(|| IdentityError::NoSuchGroup(group.to_owned())))
        .transpose()?;
    match (find_user_in(passwd, user), gid) {
        (Some(user), gid) => {
            let gid = gid.unwrap_or(user.gid);
            let mut supplementary: Vec<u32> = groups(group_file)
                .filter(|(_, _, members)| members.split(',').any(|member| member == user.name))
                .map(|(_, gid, _)| gid)
                .chain([gid])
                .collect();
            supplementary.sort_unstable();
            supplementary.dedup();
            Ok(Identity { uid: user.uid, gid, groups: supplementary })
        }
        // A number that nobody has is usable if the group is said, too.
        (None, Some(gid)) if user.parse::<u32>().is_ok() => {
            Ok(Identity { uid: user.parse().unwrap_or_default(), gid, groups: vec![gid] })
        }
        (None, _) => Err(IdentityError::NoSuchUser(user.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        # not a user\n\
        broken:x:many:0::/:/bin/sh\n\
        keepalived_script:x:998:997::/nonexistent:/usr/sbin/nologin\n\
        www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n";
    const GROUP: &str = "root:x:0:\nadm:x:4:syslog,www-data\nwww-data:x:33:\nscripts:x:997:\nssl:x:115:root,www-data\n";

    #[test]
    fn finds_users_by_name_and_number() {
        let www = User { name: "www-data".into(), uid: 33, gid: 33, home: "/var/www".into() };
        assert_eq!(find_user_in(PASSWD, "www-data"), Some(www.clone()));
        assert_eq!(find_user_in(PASSWD, "33"), Some(www));
        assert_eq!(find_user_in(PASSWD, "broken"), None);
        assert_eq!(find_user_in(PASSWD, "34"), None);
        assert_eq!(find_user_in(PASSWD, ""), None);
    }

    #[test]
    fn an_identity_has_the_groups_of_its_user() {
        let check = |user: &str, group: Option<&str>| identity_in(PASSWD, GROUP, user, group);
        assert_eq!(check("www-data", None), Ok(Identity { uid: 33, gid: 33, groups: vec![4, 33, 115] }));
        assert_eq!(check("www-data", Some("scripts")), Ok(Identity { uid: 33, gid: 997, groups: vec![4, 115, 997] }));
        assert_eq!(check("keepalived_script", None), Ok(Identity { uid: 998, gid: 997, groups: vec![997] }));
        assert_eq!(check("12345", Some("7")), Ok(Identity { uid: 12345, gid: 7, groups: vec![7] }));
        assert_eq!(check("12345", None), Err(IdentityError::NoSuchUser("12345".into())));
        assert_eq!(check("nobody", None), Err(IdentityError::NoSuchUser("nobody".into())));
        assert_eq!(check("root", Some("wheel")), Err(IdentityError::NoSuchGroup("wheel".into())));
    }

    #[test]
    fn every_system_has_root() {
        assert_eq!(find_user("root").unwrap().map(|user| user.uid), Some(0));
    }
}
