#include "server/care/progress.hpp"

#include <cstdio>
#include <utility>

namespace pulsewire::care {

constexpr auto between_lines = std::chrono::seconds(2);

std::string size_text(std::uint64_t bytes) {
    constexpr double step = 1000;
    auto size = static_cast<double>(bytes);
    const char* unit = "bytes";
    for (const char* larger : {"kB", "MB", "GB", "TB"}) {
        if (size < step) break;
        size /= step;
        unit = larger;
    }
    char text[32];
    std::snprintf(text, sizeof text, bytes < 1000 ? "%.0f %s" : "%.1f %s", size, unit);
    return text;
}

void progress::add(std::uint64_t bytes) {
    done_ += bytes;
    const auto now = std::chrono::steady_clock::now();
    if (!say_ || now - told_ < between_lines) return;
    told_ = now;
    std::string line = what_;
    line.append(" ").append(size_text(done_));
    if (of_ != 0) line.append(" of ").append(size_text(of_));
    say_(line);
}

}  // namespace pulsewire::care
