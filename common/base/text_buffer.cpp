#include "common/base/text_buffer.hpp"

namespace pulsewire {

text_buffer& text_buffer::operator+=(std::string_view text) {
    const std::size_t size = size_ + text.size();
    if (size > capacity_) {
        capacity_ = 2 * size;
        char* larger = static_cast<char*>(::operator new(capacity_));
        if (size_ != 0) std::memcpy(larger, data_, size_);
        ::operator delete(data_);
        data_ = larger;
    }
    if (!text.empty()) std::memcpy(data_ + size_, text.data(), text.size());
    size_ = size;
    return *this;
}

}  // namespace pulsewire
