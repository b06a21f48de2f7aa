#pragma once

// --print-config: what a server would run with, and where each value comes from.

#include "server/config.hpp"

#include <map>
#include <string>

namespace pulsewire::shell {

// The source of each setting that is not the program's default, by the setting's name.
using setting_sources = std::map<std::string, std::string, std::less<>>;

// A config file with the values of `c`, each with its source as a comment. Keys are left out, because what is
// printed goes into logs and questions to others.
std::string print_config(config c, const setting_sources& from);

}  // namespace pulsewire::shell
