#include "common/cluster/image_collector.hpp"

#include <utility>

namespace pulsewire::cluster {

void image_collector::read(std::string_view bytes) {
    const auto r = decode(bytes);
    const image_chunk* const c = r ? std::get_if<image_chunk>(&r->body) : nullptr;
    if (c == nullptr || c->at.position > limit_ || (best_ && c->at.position <= best_->at.position)) return;
    const auto found = parts_.find(r->process);
    if (c->index == 0 && (found == parts_.end() || found->second.image.at.position < c->at.position)) {
        parts_[r->process] = {{c->at, c->at_mark, {}}, 0, c->count};
        return read_chunk(r->process, *c);
    }
    // A chunk that was sent again, or comes late, has been read already: it must not begin the image anew.
    if (found != parts_.end()) read_chunk(r->process, *c);
}

void image_collector::read_chunk(process_id from, const image_chunk& c) {
    const auto found = parts_.find(from);
    part& p = found->second;
    if (!(p.image.at == c.at) || p.count != c.count || p.next != c.index) return;
    if (p.image.bytes.size() + c.bytes.size() > image_bytes_max) {
        parts_.erase(found);
        return;
    }
    p.image.bytes.append(c.bytes);
    if (++p.next < p.count) return;
    best_ = std::move(p.image);
    parts_.erase(found);
    std::erase_if(parts_, [&](const auto& one) {
        return one.second.image.at.position <= best_->at.position;
    });
}

}  // namespace pulsewire::cluster
