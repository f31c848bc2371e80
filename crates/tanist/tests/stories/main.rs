//! The example configurations at work: each pair in a lab, with its own interface names, addresses and scripts.

#[path = "../support/mod.rs"]
mod support;

mod arm_board;
mod edge_gateway;
mod flapping;
mod job_scheduler;
mod nginx;
mod packets;
mod shadow_node;
