//! What a configuration says about the process that runs it: its names, its share of the machine, its files, its reloads.

use std::path::PathBuf;
use std::time::Duration;

/// What concerns the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// `instance`: several daemons on one machine are told apart by it.
    pub instance: Option<String>,
    /// `net_namespace`: where it runs.
    pub net_namespace: Option<String>,
    /// `use_pid_dir`: pid files stand in a directory of their own.
    pub use_pid_dir: bool,
    /// `child_wait_time`: how long the last scripts may take after a stop.
    pub child_wait: Duration,
    /// `umask`.
    pub umask: Option<u32>,
    /// `vrrp_process_name` or `process_name`: what process lists show.
    pub name: Option<String>,
    /// `vrrp_priority`: the nice value.
    pub nice: i8,
    /// `vrrp_rt_priority`.
    pub real_time: Option<u8>,
    /// `vrrp_rlimit_rttime`: how long it may compute in one go with real-time priority.
    pub real_time_budget: Duration,
    /// `max_auto_priority`: how far it raises its own real-time priority when it is late; 0 means not at all.
    pub most_auto_real_time: u8,
    /// `min_auto_priority_delay`: how late that is.
    pub auto_real_time_delay: Duration,
    /// `vrrp_no_swap`.
    pub no_swap: bool,
    /// `vrrp_cpu_affinity`: the processors it may use; empty means all.
    pub cpus: Vec<u16>,
    /// `vrrp_startup_delay`: so long after the start nobody is taken over from, and nothing that is heard counts.
    pub startup_delay: Duration,
    /// `vrrp_delay_after_boot`: the same, counted from the start of the machine.
    pub delay_after_boot: Duration,
    /// `log_unknown_vrids`.
    pub log_unknown_vrids: bool,
    /// `set_supplementary_groups`: scripts have all groups of their user, not only its first.
    pub supplementary_groups: bool,
    /// `vrrp_rx_bufs_policy` and `vrrp_rx_bufs_multiplier`.
    pub receive_buffers: ReceiveBuffers,
    /// `vrrp_netlink_cmd_rcv_bufs`.
    pub command_buffer: Option<Buffer>,
    /// `vrrp_netlink_monitor_rcv_bufs`.
    pub monitor_buffer: Option<Buffer>,
    /// `process_monitor_rcv_bufs`.
    pub births_buffer: Option<Buffer>,
    /// `use_symlink_paths`: programs are run by the paths that are given, not by where these lead at the time of reading.
    pub keep_links: bool,
    /// What is written on signals.
    pub dumps: Dumps,
    /// `config_save_dir`: the configuration in force is kept there.
    pub save_directory: Option<PathBuf>,
    /// When and how it is read again.
    pub reload: Reload,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            instance: None,
            net_namespace: None,
            use_pid_dir: false,
            child_wait: Duration::from_secs(5),
            umask: None,
            name: None,
            nice: 0,
            real_time: None,
            real_time_budget: Duration::from_millis(10),
            most_auto_real_time: 0,
            auto_real_time_delay: Duration::from_secs(1),
            no_swap: false,
            cpus: Vec::new(),
            startup_delay: Duration::ZERO,
            delay_after_boot: Duration::ZERO,
            log_unknown_vrids: false,
            supplementary_groups: false,
            receive_buffers: ReceiveBuffers::Own,
            command_buffer: None,
            monitor_buffer: None,
            births_buffer: None,
            keep_links: false,
            dumps: Dumps::default(),
            save_directory: None,
            reload: Reload::default(),
        }
    }
}

/// How much the sockets that hear advertisements may queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveBuffers {
    /// As much as we think good.
    Own,
    /// `MTU`: so many packets of the interface's size for each instance.
    Mtu {
        /// How many.
        packets: u32,
    },
    /// `ADVERT`: so many advertisements of each instance.
    Advertisement {
        /// How many.
        packets: u32,
    },
    /// So many octets for each instance.
    Octets(u32),
}

/// The size of a socket's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// In octets.
    pub octets: u32,
    /// Also beyond the system's limit.
    pub force: bool,
}

/// The files that are written on signals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dumps {
    /// `data_use_instance`.
    pub use_instance: bool,
    /// `state_dump_file`.
    pub state: Option<PathBuf>,
    /// `stats_dump_file`.
    pub statistics: Option<PathBuf>,
    /// `json_dump_file`.
    pub json: Option<PathBuf>,
    /// `json_version`.
    pub json_version: JsonVersion,
}

/// The form of the JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JsonVersion {
    /// A list of instances.
    #[default]
    One,
    /// An object in which instances are one part.
    Two,
}

/// When and how a configuration is read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reload {
    /// `reload_check_config`: what is wrong with a new configuration stands there, too.
    pub findings: Option<PathBuf>,
    /// `reload_file`: it is there while configurations are read.
    pub sign: Option<ReloadSign>,
    /// `reload_time_file`: its first line says when to reload.
    pub time_file: Option<PathBuf>,
    /// `reload_repeat`: it stays, and a time without a date means every day.
    pub repeat: bool,
}

/// The file that is there while configurations are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadSign {
    /// Beside the pid files.
    BesidePidFiles,
    /// Here.
    At(PathBuf),
}
