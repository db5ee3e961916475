//! The program from outside: started as a process, talked to over the wire, stopped by signals.

mod config;
mod crash;
mod pages;
mod process;
mod stop;
mod wire;
