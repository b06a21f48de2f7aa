#pragma once

// The cost of a process, as the kernel counts it.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace pulsewire::bench {

// CPU time of user and kernel together, all threads, in seconds to the nanosecond; nothing when there is no
// such process or access is denied.
std::optional<double> cpu_seconds(pid_t pid);
// Resident memory in bytes (VmRSS).
std::optional<std::uint64_t> resident_bytes(pid_t pid);

// The same for several processes together (a server with workers); nothing when one of them is gone or the
// list is empty.
std::optional<double> cpu_seconds(const std::vector<pid_t>& pids);
std::optional<std::uint64_t> resident_bytes(const std::vector<pid_t>& pids);

// CPU time of this process.
double own_cpu_seconds();
// The monotonic clock, in nanoseconds.
std::uint64_t now_ns();

}  // namespace pulsewire::bench
