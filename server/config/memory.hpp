#pragma once

// The memory that this process may use. Bounds that must suit small and large machines are shares of it.

#include <cstdint>

namespace pulsewire::shell {

// In bytes: the least of the machine's memory, the limits of the process's control groups (v2
// and v1, its own and those above it) and of its address space (RLIMIT_AS, RLIMIT_DATA). Reads
// files, so call it once, at the start.
std::uint64_t usable_memory_bytes();

// The part of it that is the process's own: the least of RLIMIT_AS and RLIMIT_DATA (getrlimit(2)),
// and the largest number when neither is set.
std::uint64_t process_limit_bytes();

}  // namespace pulsewire::shell
