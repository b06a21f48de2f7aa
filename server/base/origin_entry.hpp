#pragma once

// The entries of allowed_origins, as an operator writes them.

#include <string>
#include <string_view>

namespace pulsewire::shell {

// Why the entry would match no page, as the end of a sentence; empty when it can match one.
std::string fault_of_origin(std::string_view entry);

}  // namespace pulsewire::shell
