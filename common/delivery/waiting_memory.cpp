#include "common/delivery/waiting_memory.hpp"

namespace pulsewire::delivery {

void waiting_memory::add(const std::string* text) {
    held& entry = texts_[text];
    if (entry.queues++ == 0) {
        entry.bytes = text->capacity();
        bytes_ += entry.bytes;
    }
    bytes_ += reference_bytes;
}

void waiting_memory::remove(const std::string* text) {
    const auto found = texts_.find(text);
    if (found == texts_.end()) return;
    bytes_ -= reference_bytes;
    if (--found->second.queues != 0) return;
    bytes_ -= found->second.bytes;
    texts_.erase(found);
}

}  // namespace pulsewire::delivery
