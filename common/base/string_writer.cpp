#include "common/base/string_writer.hpp"

namespace pulsewire {

// For `bytes` more, and as many again as there are.
void string_writer::grow(std::size_t bytes) {
    const std::size_t written = size();
    text_.resize(2 * written + bytes);
    begin_ = text_.data();
    at_ = begin_ + written;
    end_ = begin_ + text_.size();
}

}  // namespace pulsewire
