// The function that libFuzzer calls, the same for all targets.

#include "fuzz/fuzz.hpp"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    pulsewire::fuzz::test_one_input({reinterpret_cast<const char*>(data), size});
    return 0;
}
