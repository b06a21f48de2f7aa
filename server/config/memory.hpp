#pragma once

// The memory that this process may use: bounds that must suit a small and a large machine are shares of it.

#include <cstdint>

namespace pulsewire::shell {

// In bytes: the least of the machine's memory, the limits of the process's control groups (v2 and v1, its own
// and those above it) and of its address space (RLIMIT_AS, RLIMIT_DATA). Reads files: ask once,
// at the start.
std::uint64_t usable_memory_bytes();

}  // namespace pulsewire::shell
