#pragma once

// The end of the process when memory runs out (docs/decisions/0008-memory.md).

namespace pulsewire {

// From now on an allocation that the system refuses ends the process at once, with a sentence on standard
// error and exit code 71 (EX_OSERR of sysexits.h). Half-done changes would be worse. Acknowledged durable
// publications are on the disk, and clients recognise by the epoch that everything in memory is lost, as
// after `kill -9`. Call it from one thread.
void end_process_without_memory();

inline constexpr int out_of_memory_exit_code = 71;

}  // namespace pulsewire
