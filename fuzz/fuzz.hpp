#pragma once

// What all libFuzzer targets share. A target defines test_one_input(), which gets one input after another and
// ends the process when a property does not hold; the sanitizers end it when the code under test breaks a
// rule of C++. Targets throw nothing, keep nothing from one input to the next, and give the same answer to
// the same input, or a finding could not be repeated.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace pulsewire::fuzz {

// The memory behind `input` has exactly its size, so that a read one byte too far is noticed.
void test_one_input(std::string_view input);

// Ends the process with the sentence when it does not hold.
inline void require(bool holds, const char* sentence) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", sentence);
    std::abort();
}

// Takes a byte off the front; 0 when the input is empty.
inline unsigned take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const auto byte = static_cast<unsigned char>(input.front());
    input.remove_prefix(1);
    return byte;
}

// Takes `bytes` bytes off the front, or what is there.
inline std::string_view take_text(std::string_view& input, std::size_t bytes) {
    const std::string_view text = input.substr(0, bytes);
    input.remove_prefix(text.size());
    return text;
}

// Takes everything before the first `end`, and `end` itself; the whole input when it is not there.
inline std::string_view take_until(std::string_view& input, char end) {
    const std::string_view text = take_text(input, input.find(end));
    if (!input.empty()) input.remove_prefix(1);
    return text;
}

}  // namespace pulsewire::fuzz
