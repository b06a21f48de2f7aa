#pragma once

#include "server/config.hpp"

#include <string>

namespace pulsewire::shell {

// The fault of the settings about tokens and of their keys, whose files are read, as a sentence for the
// operator; empty when there is none. Asks no issuer over the network.
std::string fault_of_issuers(const config& c);

}  // namespace pulsewire::shell
