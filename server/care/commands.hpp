#pragma once

// `pulsewired backup`, `verify`, `repair`, `export` and `import`: what an operator does with a data folder.

#include "server/config/command_line.hpp"

#include <iosfwd>
#include <optional>

namespace pulsewire::care {

// Where a command reads and writes.
struct streams {
    std::istream& in;
    std::ostream& out;  // what was asked for: a report, or the export
    std::ostream& err;  // faults, progress, and what else a person should know
};

// Carries out the command that argv[1] names, and returns the exit code: 0, or 1 when the folder is damaged
// or the command failed, or 2 when it was not understood. Nothing when argv[1] is none of them.
std::optional<int> run_command(int argc, const char* const* argv, const shell::environment& env, streams to);

}  // namespace pulsewire::care
