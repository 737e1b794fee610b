//! Golden vectors: figures computed by other implementations and taken from real chains must come out byte for byte.

extern crate switchyard_tron as tron;

#[cfg(test)]
mod vectors;
