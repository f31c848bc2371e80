//! Reconfiguration: what did not change is not touched, what did is followed with the least disturbance.

mod addresses;
mod figures;
mod routers;
mod tracking;
