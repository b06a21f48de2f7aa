#pragma once

// The whole text of a file; empty when there is none.

#include <fstream>
#include <sstream>
#include <string>

namespace pulsewire::testing {

inline std::string text_of_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace pulsewire::testing
