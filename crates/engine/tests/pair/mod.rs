//! Two engines with a service between them: how a role changes hands, seen from outside. What the network and the
//! machines can do to them beyond this is the simulator's business.

mod agreeing;
mod anything;
mod asking;
mod commands;
mod failing;
mod groups;
mod handing_over;
mod hostile;
mod restarting;
mod setup;
mod silence;
mod standing;
mod understanding;
mod world;
