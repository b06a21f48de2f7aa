#include "common/base/string_writer.hpp"

namespace pulsewire {

// Makes room for `bytes` more, and doubles the size so that growing stays rare.
void string_writer::grow(std::size_t bytes) {
    const std::size_t written = size();
    text_.resize(2 * written + bytes);
    begin_ = text_.data();
    at_ = begin_ + written;
    end_ = begin_ + text_.size();
}

}  // namespace pulsewire
