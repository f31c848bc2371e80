//! The state machine, rule by rule, against a peer made of packets (RFC 9568 §6.4; keepalived where it adds to it).

mod active;
mod backup;
mod faults;
mod giving_way;
mod groups;
mod hesitating;
mod initialize;
mod late;
mod moving;
mod places;
mod stop;
