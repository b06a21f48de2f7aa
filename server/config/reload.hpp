#pragma once

// The configuration while the server runs: what of it can change, and how it is read again.

#include "server/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pulsewire::shell {

struct reload_outcome {
    config settings;                   // the running ones, with the new values of those that can change
    std::vector<std::string> changed;  // names of these, where they changed
    bool namespaces_changed = false;   // whether some of these are namespaces
    std::vector<std::string>
        need_restart;  // names of others that changed; the running values are the old ones
};

// Compares what was `read` before with what is read now. A program may have changed `running` after it was
// read: where flags, environment and file say the same as before, its values stay. Throws std::runtime_error
// with a sentence for the operator when the server could not start with the outcome.
reload_outcome reload(const config& running, const config& read, const config& now);

// Reads flags, environment and file as the last config::from_command_line() did. Nothing when that was never
// called, because the program has made its settings itself. Throws as above.
struct read_again {
    config before;
    config now;
};
std::optional<read_again> read_command_line_again();
// The next comparison is with these.
void remember_as_read(const config& now);
// As if config::from_command_line() had never been called, for tests.
void forget_command_line();

}  // namespace pulsewire::shell
