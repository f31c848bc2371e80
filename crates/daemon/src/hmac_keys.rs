//! Keys of `auth_hmac` that are in files of their own.

use config::{BadKey, Settings};
use engine::Authentication;
use zeroize::Zeroizing;

use crate::secret_file;

/// More than any key and the end of its line.
const LONGEST: u64 = 512;

/// Puts the keys into the policies of their instances. Without one of its keys no instance is begun: it would not be
/// heard, or not hear, and nobody would know.
pub(crate) fn fill_in(settings: &mut Settings) -> Result<(), String> {
    for instance in &mut settings.instances {
        let Authentication::Hmac(policy) = &mut instance.router.authentication else { continue };
        for file in &instance.key_files {
            let (name, number, path) = (&instance.router.name, file.number, file.path.display());
            let content = secret_file::read(&file.path, "key", LONGEST)
                .map_err(|error| format!("({name}) auth_hmac, key {number}: {error}"))?;
            let content = Zeroizing::new(content);
            let key = config::hmac_key(content.trim_ascii_end()).map_err(|why| {
                format!("({name}) auth_hmac, key {number}: the key in {path} {why}; {}", BadKey::HELP)
            })?;
            policy.keys.insert(number, key);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::{Path, PathBuf};

    use config::{LoadOptions, MemoryFiles};
    use engine::HmacKey;

    use super::*;

    /// A file of this test's own, gone with it.
    struct KeyFile(PathBuf);

    impl KeyFile {
        fn new(name: &str, content: &[u8], mode: u32) -> Self {
            let path = std::env::temp_dir().join(format!("tanist-hmac-{name}-{}", std::process::id()));
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Self(path)
        }
    }

    impl Drop for KeyFile {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn settings(path: &Path) -> Settings {
        let text = format!(
            "vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n auth_hmac {{\n key 3 file:{}\n }}\n \
             virtual_ipaddress {{\n 192.0.2.1\n }}\n}}\n",
            path.display()
        );
        let files = MemoryFiles::single("/keepalived.conf", text);
        config::load(Path::new("/keepalived.conf"), &files, &LoadOptions::default()).settings.expect("it works")
    }

    fn filled(file: &KeyFile) -> Result<Settings, String> {
        let mut settings = settings(&file.0);
        let filled = fill_in(&mut settings);
        filled.map(|()| settings).map_err(|error| error.replace(&file.0.display().to_string(), "FILE"))
    }

    #[test]
    fn a_file_holds_a_key_as_the_configuration_would() {
        let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let octets: Vec<u8> = (0..32).collect();
        let text = b"this is a key of 32 octets, then";
        let cases: [(Vec<u8>, &[u8]); 4] = [
            (format!("hex:{digits}").into(), &octets),
            (format!("hex:{digits}\n").into(), &octets),
            (text.to_vec(), text),
            ([&text[..], b"\n"].concat(), text),
        ];
        for (content, expected) in cases {
            let settings = filled(&KeyFile::new("good", &content, 0o400)).unwrap();
            let Authentication::Hmac(policy) = &settings.instances[0].router.authentication else { panic!("sealed") };
            assert_eq!(policy.keys.get(&3), HmacKey::new(expected).as_ref());
        }
    }

    #[test]
    fn what_is_no_key_or_no_secret_is_refused_and_not_shown() {
        let good = b"hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
        let check = |content: &[u8], mode, expected: &str| {
            let refusal = filled(&KeyFile::new("bad", content, mode)).unwrap_err();
            assert_eq!(refusal, format!("(V) auth_hmac, key 3: {expected}"));
        };
        let help = "`openssl rand -hex 32` makes one: write it behind `hex:`, the same on all nodes";
        check(b"short", 0o600, &format!("the key in FILE has 5 octets; it takes 32 to 64; {help}"));
        check(
            &good[..67],
            0o600,
            &format!("the key in FILE has something behind `hex:` that is no pairs of hexadecimal digits; {help}"),
        );
        check(&[b'x'; 600], 0o600, "FILE holds no key: it has more than 512 octets");
        for mode in [0o640, 0o604, 0o444] {
            let expected = format!(
                "the key in FILE is a secret, but others than its owner have access to it (mode {mode:04o}): chmod 600 \
                 FILE"
            );
            check(good, mode, &expected);
        }
        let gone = Path::new("/nonexistent/key");
        let refusal = fill_in(&mut settings(gone)).unwrap_err();
        assert_eq!(refusal, "(V) auth_hmac, key 3: there is no key in /nonexistent/key");
    }
}
