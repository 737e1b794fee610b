//! The worker: runs the jobs and fires the schedules.

pub mod cron;
pub mod queue;
