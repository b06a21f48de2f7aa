#include "common/base/relocating_vector.hpp"

#include <cstddef>
#include <cstring>
#include <new>

namespace pulsewire::detail {

void* with_twice_the_room(void* data, std::size_t used, std::size_t& capacity, std::size_t element_bytes) {
    capacity = capacity == 0 ? 8 : 2 * capacity;
    const std::size_t bytes = capacity * element_bytes;
    void* larger = ::operator new(bytes);
    if (used != 0) std::memcpy(larger, data, used);
    ::operator delete(data);
    return larger;
}

}  // namespace pulsewire::detail
