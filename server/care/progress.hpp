#pragma once

// Tells a person who waits how far long work has come: a line when it has taken some seconds, and then every
// few.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pulsewire::care {

class progress {
public:
    using say = std::function<void(const std::string& line)>;
    // Empty: nobody waits.
    explicit progress(say to = {}) : say_(std::move(to)) {}

    // Work of so many bytes begins; 0: nobody knows how many.
    void begin(std::string_view what, std::uint64_t bytes) {
        what_ = what;
        of_ = bytes;
        done_ = 0;
        told_ = std::chrono::steady_clock::now();
    }
    void add(std::uint64_t bytes);

private:
    say say_;
    std::string what_;
    std::uint64_t of_ = 0;
    std::uint64_t done_ = 0;
    std::chrono::steady_clock::time_point told_;
};

// "12.3 MB"
std::string size_text(std::uint64_t bytes);

}  // namespace pulsewire::care
