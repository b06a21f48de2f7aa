#pragma once

// A number for the course of a run: equal where, with near certainty, the same things happened in the same
// order.

#include <cstdint>
#include <cstring>
#include <string_view>

namespace pulsewire::sim {

class trace_hash {
public:
    void add(std::uint64_t number) {
        value_ = (value_ ^ number) * 0x9e3779b97f4a7c15u;
        value_ ^= value_ >> 32;
    }
    // Eight bytes at a time: all lines of all clients go through here.
    void add(std::string_view text) {
        std::uint64_t word = 0;
        for (; text.size() >= 8; text.remove_prefix(8)) {
            std::memcpy(&word, text.data(), 8);
            add(word);
        }
        word = text.size();
        for (const char c : text) word = word << 8 | static_cast<unsigned char>(c);
        add(word);
    }
    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 14695981039346656037u;
};

}  // namespace pulsewire::sim
