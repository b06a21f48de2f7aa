#include "common/delivery/storage.hpp"

#include <utility>

namespace pulsewire::delivery {

std::vector<piece> storage::take() {
    if (kept_.empty()) return {};
    auto pieces = std::move(kept_.back());
    kept_.pop_back();
    return pieces;
}

void storage::give_back(std::vector<piece>&& pieces) {
    if (pieces.capacity() == 0 || pieces.capacity() > kept_capacity_max || kept_.size() >= kept_max) {
        std::vector<piece>().swap(pieces);
        return;
    }
    pieces.clear();
    kept_.push_back(std::move(pieces));
}

}  // namespace pulsewire::delivery
