//! What Linux tells a process about itself; nothing on other systems.

use std::fs;
use std::time::Duration;

/// Length of the clock ticks in `/proc/self/stat`, fixed at 100 per second on every Linux architecture Rust supports.
const TICK: Duration = Duration::from_millis(10);

/// Processor time of this process so far, user and system, over all threads.
pub fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold spaces; the fields wanted are the 14th and 15th.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// Largest resident memory of this process so far, in bytes.
pub fn peak_memory() -> Option<u64> {
    status_kib("VmHWM:").map(|kib| kib * 1024)
}

/// Resident memory of this process now, in bytes.
pub fn resident_memory() -> Option<u64> {
    status_kib("VmRSS:").map(|kib| kib * 1024)
}

fn status_kib(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_and_time_are_read() {
        assert!(peak_memory() >= resident_memory());
        assert!(resident_memory() > Some(100_000));
        let before = cpu_time();
        assert!(before.is_some());
        while cpu_time() == before {}
        assert!(cpu_time() > before);
    }
}
