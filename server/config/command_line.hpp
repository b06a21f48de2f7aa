#pragma once

// Flags and environment. The testable half of config::from_command_line().

#include "server/config.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace pulsewire::shell {

// The value of an environment variable, if it is set.
using environment = std::function<std::optional<std::string>(const std::string& name)>;

struct command_line {
    config settings;
    // Set when the process is to end: the exit code, and the text to print
    // first (help, version, or the fault).
    std::optional<int> exit_code;
    std::string text;
    // Lines about what was probably meant otherwise and keeps nobody from starting.
    std::string warnings;
};

// Flags before environment before config file before `defaults`. `names` are those of all environment
// variables, in which a misspelt one is looked for.
command_line read_command_line(
    int argc, const char* const* argv, const environment& env, config defaults,
    const std::vector<std::string>& names = {}
);

// What the file (empty: that of PULSEWIRE_CONFIG, if any) and the environment say, not checked as a whole:
// for commands beside the server. Throws std::runtime_error with a sentence.
config read_sources(const std::string& config_file, const environment& env);

// The environment of the process.
std::optional<std::string> variable(const std::string& name);

}  // namespace pulsewire::shell
