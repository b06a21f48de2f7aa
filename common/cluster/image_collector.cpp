#include "common/cluster/image_collector.hpp"

#include <utility>

namespace pulsewire::cluster {

void image_collector::read(std::string_view bytes) {
    const auto r = decode(bytes);
    const image_chunk* const c = r ? std::get_if<image_chunk>(&r->body) : nullptr;
    if (c == nullptr || c->at.position > limit_ || (best_ && c->at.position <= best_->at.position)) return;
    if (c->index == 0) parts_[r->process] = {{c->at, c->at_mark, {}}, 0, c->count};
    const auto found = parts_.find(r->process);
    if (found == parts_.end()) return;
    part& p = found->second;
    // A chunk that was sent again has been read already.
    if (!(p.image.at == c->at) || p.count != c->count || p.next != c->index) return;
    if (p.image.bytes.size() + c->bytes.size() > image_bytes_max) {
        parts_.erase(found);
        return;
    }
    p.image.bytes.append(c->bytes);
    if (++p.next < p.count) return;
    best_ = std::move(p.image);
    parts_.erase(found);
    std::erase_if(parts_, [&](const auto& one) { return one.second.image.at.position <= best_->at.position; });
}

}  // namespace pulsewire::cluster
