//! Writes what was seen at the switch as a capture file, and asks another decoder for its opinion.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs, process};

use super::{Advertisement, Moment, test_name};

/// Link type of packets that begin with their IP header.
const RAW_IP: u32 = 101;

/// A capture of advertisements.
fn capture(packets: &[(Moment, String, Advertisement)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| file.extend(number.to_ne_bytes()));
    // Magic of nanosecond stamps, version 2.4 (two halves of a word), zone, accuracy, longest packet.
    put(&[0xa1b2_3c4d, u32::from_ne_bytes([2_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat().try_into().expect("4"))]);
    put(&[0, 0, 65_535, RAW_IP]);
    for (at, _, Advertisement { packet, .. }) in packets {
        let length = u32::try_from(packet.len()).expect("short");
        let (seconds, rest) = (at.as_nanos() / 1_000_000_000, at.as_nanos() % 1_000_000_000);
        for number in [seconds as u32, rest as u32, length, length] {
            file.extend(number.to_ne_bytes());
        }
        file.extend(packet);
    }
    file
}

/// What tshark complains about in these packets, and how many of them it takes for VRRP; `None` if there is no tshark.
pub(crate) fn opinion_of_tshark(packets: &[(Moment, String, Advertisement)]) -> Option<(String, usize)> {
    if !super::is_installed("tshark") {
        return None;
    }
    let path = env::temp_dir().join(format!("tanist-{}-{}.pcap", test_name().replace("::", "-"), process::id()));
    let file = Leftover(path);
    fs::File::create(&file.0).and_then(|mut out| out.write_all(&capture(packets))).expect("write the capture");
    let ask = |filter: &str| {
        let mut command = Command::new("tshark");
        command.args(["-o", "ip.check_checksum:TRUE", "-Y", filter, "-r"]).arg(&file.0);
        let output = command.output().expect("run tshark");
        assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let complaints = ask("_ws.malformed or _ws.expert");
    let known = ask("vrrp").lines().count();
    Some((complaints, known))
}

/// A file that goes away when it is no longer needed.
struct Leftover(PathBuf);

impl Drop for Leftover {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = fs::remove_file(&self.0);
    }
}
