//! Writes what was seen at the switch as a capture file, and asks another decoder for its opinion.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use super::wire::Frame;
use super::{Advertisement, Moment, test_name};

/// Link type of packets that begin with their IP header.
const RAW_IP: u32 = 101;
/// Link type of frames.
const ETHERNET: u32 = 1;

/// A capture of packets with their moments.
fn capture<'p>(kind: u32, packets: impl Iterator<Item = (Moment, &'p [u8])>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| file.extend(number.to_ne_bytes()));
    // Magic of nanosecond stamps, version 2.4 (two halves of a word), zone, accuracy, longest packet.
    put(&[0xa1b2_3c4d, u32::from_ne_bytes([2_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat().try_into().expect("4"))]);
    put(&[0, 0, 65_535, kind]);
    for (at, packet) in packets {
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
    let packets = packets.iter().map(|(at, _, seen)| (*at, &*seen.packet));
    let file = Leftover::holding(&capture(RAW_IP, packets))?;
    let complaints = file.ask(&["-Y", "_ws.malformed or _ws.expert"]);
    let known = file.ask(&["-Y", "vrrp"]).lines().count();
    Some((complaints, known))
}

/// What tshark reads in these fields of frames, a line for each; `None` if there is no tshark.
pub(crate) fn fields_by_tshark(frames: &[Frame], fields: &[&str]) -> Option<Vec<String>> {
    let file = Leftover::holding(&capture(ETHERNET, frames.iter().map(|frame| (frame.at, &*frame.bytes))))?;
    let words: Vec<&str> = ["-T", "fields"].into_iter().chain(fields.iter().flat_map(|field| ["-e", field])).collect();
    Some(file.ask(&words).lines().map(str::to_owned).collect())
}

/// A file that goes away when it is no longer needed.
struct Leftover(PathBuf);

impl Leftover {
    /// `None` if there is nobody to read it.
    fn holding(content: &[u8]) -> Option<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        if !super::is_installed("tshark") {
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tanist-{}-{}-{number}.pcap", test_name().replace("::", "-"), process::id());
        let file = Self(env::temp_dir().join(name));
        fs::File::create(&file.0).and_then(|mut out| out.write_all(content)).expect("write the capture");
        Some(file)
    }

    fn ask(&self, words: &[&str]) -> String {
        let mut command = Command::new("tshark");
        command.args(["-o", "ip.check_checksum:TRUE"]).args(words).arg("-r").arg(&self.0);
        let output = command.output().expect("run tshark");
        assert!(output.status.success(), "tshark: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = fs::remove_file(&self.0);
    }
}
