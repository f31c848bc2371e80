//! What is read of configurations and said about them. One program, since each more is compiled and linked for itself.

mod endless;
mod export;
mod keywords;
mod mail;
mod mangled;
mod many;
mod pair;
mod reading;
mod routes;
mod secrets;
mod support;
mod texts;
mod twice;
