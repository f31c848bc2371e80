//! What one node does with a service, rule by rule. Advertisements come every 100 s here, so that timelines stay short:
//! a router of priority 200 is Active after 3 × 100 s + 56/256 s.

mod adopting;
mod by_hand;
mod checking;
mod failing;
mod leaving;
mod maintaining;
mod reloading;
mod removing;
mod running;
