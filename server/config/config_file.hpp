#pragma once

// The config file: JSON with comments. Its keys are the names of settings.hpp, and "namespaces".

#include "server/config.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

// Sets the settings that `json` names. Throws std::runtime_error with the JSON pointer of the fault: an
// unknown key, a value of another type, a number out of range, a schema that cannot be used. Files of schemas
// are found from `folder`; empty: from where the server was started.
void apply_config(std::string_view json, config& c, const std::string& folder = {});

// The same for a file, which the error names, with line and column where they are known.
void apply_config_file(const std::string& path, config& c);

// The keys that a file sets. Precondition: apply_config_file() took it.
std::vector<std::string> keys_of_config_file(const std::string& path);

}  // namespace pulsewire::shell
