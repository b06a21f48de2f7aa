#pragma once

// Finds what a misspelt name was probably meant to be.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pulsewire::shell {

// The known name that is nearest to `name`, by letters that are missing, wrong, too many or swapped; empty
// when none is near enough to be meant.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

}  // namespace pulsewire::shell
