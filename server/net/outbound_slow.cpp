// A queue whose peer does not keep up: what may leave it unwritten, and what is told of that
// (docs/protocol.md 5.4).

#include "common/exchange/message_text.hpp"
#include "server/net/outbound.hpp"
#include "server/net/waiting_publications.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::shell {

bool outbound::exceeds() const {
    return bytes_ > storage_->bounds().queue_bytes_max || replay_bytes_ > storage_->bounds().replay_bytes_max;
}

bool outbound::overflows() {
    if (!exceeds()) return false;
    make_room();
    return exceeds();
}

// Each chunk is looked at once, whatever waits.
void outbound::make_room() {
    replace_older();
    settled_ = std::max(settled_, framed_);
    for (; settled_ < chunks_.size() && bytes_ > storage_->bounds().queue_bytes_max; ++settled_)
        if (chunks_[settled_].is(slow_consumer::drop_oldest)) drop(settled_);
    close_holes();
}

// What may be replaced and came since the last time gets its place, and takes the older one of its key out.
void outbound::replace_older() {
    if (slow_ == nullptr) slow_ = std::make_unique<waiting_publications>();
    placed_ = std::max(placed_, framed_);
    for (; placed_ < chunks_.size(); ++placed_) {
        if (!chunks_[placed_].is(slow_consumer::latest_per_key)) continue;
        if (const auto older = slow_->put(*chunks_[placed_].what, placed_)) drop(*older);
    }
    close_holes();
}

void outbound::drop(std::size_t at) {
    chunk& c = chunks_[at];
    if (slow_ == nullptr) slow_ = std::make_unique<waiting_publications>();
    slow_->dropped(*c.what);
    ++storage_->drops()[static_cast<std::size_t>(c.what->when_slow)];
    count_of(c) -= c.text().size();
    release(c);
    c.body.reset();
    c.what = nullptr;
    ++holes_;
}

// When most of what waits are holes: their number, and so the queue's, is bounded by what is left.
void outbound::close_holes() {
    if (holes_ < 64 || holes_ <= (chunks_.size() - framed_) / 2) return;
    const auto waiting = chunks_.begin() + framed_;
    chunks_.erase(
        std::remove_if(waiting, chunks_.end(), [](const chunk& c) { return c.body == nullptr; }),
        chunks_.end()
    );
    holes_ = 0;
    forget_places();
}

void outbound::forget_places() {
    settled_ = placed_ = framed_;
    if (slow_ != nullptr) slow_->forget_places();
}

// Nothing waits behind these gaps.
void outbound::push_markers() {
    for (const auto& [channel, due] : slow_->due_at_the_end()) {
        std::string text;
        if (framing_ == framing::made) maker_->write_gap(channel, due.offset, due.why, text);
        if (framing_ == framing::websocket || framing_ == framing::event_stream)
            text = hub::make_gap(channel, due.offset, due.why);
        if (text.empty()) continue;
        chunk c;
        c.body = std::make_shared<const std::string>(std::move(text));
        push(std::move(c));
    }
}

// The connection has become too slow for what waits: each message stands alone from now on.
void outbound::take_runs_apart() {
    const auto waiting = chunks_.begin() + framed_;
    if (std::none_of(waiting, chunks_.end(), [](const chunk& c) { return c.run != nullptr; })) return;
    std::vector<chunk> apart(std::make_move_iterator(chunks_.begin()), std::make_move_iterator(waiting));
    for (auto at = waiting; at != chunks_.end(); ++at) {
        if (at->run == nullptr) {
            apart.push_back(std::move(*at));
            continue;
        }
        settle(*at);
        count_of(*at) -= at->counted();
        release(*at);
        for (const hub::message_ptr& m : at->run->messages()) {
            chunk c;
            c.body = shared_bytes(m, &m->line);
            c.what = m.get();
            count_of(c) += c.counted();
            apart.push_back(std::move(c));
        }
    }
    chunks_ = std::move(apart);
    forget_places();
}

// The connection does not keep up: what waits for it counts, from now on also what comes.
void outbound::count_waiting() {
    for (std::size_t i = chunks_.size(); i > next_ && !chunks_[i - 1].held; --i) hold(chunks_[i - 1]);
}

void outbound::hold(chunk& c) {
    if (c.held || c.body == nullptr) return;
    c.held = true;
    storage_->memory().add(c.body.get());
}

void outbound::release(chunk& c) {
    if (!c.held) return;
    c.held = false;
    storage_->memory().remove(c.body.get());
}

std::size_t outbound::waiting_memory() const {
    return bytes_ + replay_bytes_ + (chunks_.size() - next_) * shell::waiting_memory::reference_bytes;
}

}  // namespace pulsewire::shell
