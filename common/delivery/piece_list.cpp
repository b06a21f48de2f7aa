#include "common/delivery/piece_list.hpp"

#include "common/protocol/event_stream.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace pulsewire::delivery {
namespace {

constexpr std::size_t parts_per_piece = 3;

}  // namespace

piece_list::~piece_list() {
    for (piece& p : pieces_) release(p);
    storage_->give_back(std::move(pieces_));
}

std::size_t piece_list::unwritten_bytes() const {
    const std::size_t all = live_bytes_ + replay_bytes_;
    return all - std::min<std::size_t>(all, offset_);
}

void piece_list::reserve() {
    if (pieces_.capacity() == 0) pieces_ = storage_->take();
}

void piece_list::push(piece&& p) {
    reserve();
    count_of(p) += p.counted();
    pieces_.push_back(std::move(p));
    if (counts_memory_) hold(pieces_.back());
}

void piece_list::push_framed(piece&& p) {
    reserve();
    count_of(p) += p.counted();
    framed_bytes_ += p.size();
    if (counts_memory_) hold(p);
    pieces_.insert(pieces_.begin() + framed_, std::move(p));
    ++framed_;
}

void piece_list::frame_up_to(std::size_t end) {
    for (std::size_t i = framed_; i < end; ++i) {
        if (pieces_[i].body == nullptr) {
            --holes_;
        } else {
            framed_bytes_ += pieces_[i].size();
        }
    }
    framed_ = static_cast<std::uint32_t>(end);
}

void piece_list::replace(piece& p, shared_bytes with) {
    settle(p);
    count_of(p) += with->size() - p.body->size();
    release(p);
    // Before the body, which holds both.
    p.message = nullptr;
    p.run = nullptr;
    p.body = std::move(with);
    if (counts_memory_) hold(p);
}

void piece_list::settle(piece& p) {
    if (!p.grows) return;
    p.run->seal();
    p.grows = false;
    count_of(p) += p.counted();
}

void piece_list::drop(piece& p) {
    count_of(p) -= p.text().size();
    release(p);
    p.body.reset();
    p.message = nullptr;
    ++holes_;
}

bool piece_list::close_holes() {
    if (holes_ < 64 || holes_ <= (pieces_.size() - framed_) / 2) return false;
    const auto unframed = pieces_.begin() + framed_;
    pieces_.erase(
        std::remove_if(unframed, pieces_.end(), [](const piece& p) { return p.body == nullptr; }),
        pieces_.end()
    );
    holes_ = 0;
    return true;
}

std::size_t piece_list::drop_unframed() {
    std::size_t dropped = 0;
    for (std::size_t i = framed_; i < pieces_.size(); ++i) {
        piece& p = pieces_[i];
        count_of(p) -= p.counted();
        release(p);
        if (p.body != nullptr) dropped += p.lines();
    }
    pieces_.erase(pieces_.begin() + framed_, pieces_.end());
    holes_ = 0;
    return dropped;
}

bool piece_list::take_runs_apart() {
    const auto unframed = pieces_.begin() + framed_;
    if (std::none_of(unframed, pieces_.end(), [](const piece& p) { return p.run != nullptr; })) return false;
    std::vector<piece> apart(std::make_move_iterator(pieces_.begin()), std::make_move_iterator(unframed));
    for (auto at = unframed; at != pieces_.end(); ++at) {
        if (at->run == nullptr) {
            apart.push_back(std::move(*at));
            continue;
        }
        settle(*at);
        count_of(*at) -= at->counted();
        release(*at);
        for (const hub::message_ptr& m : at->run->messages()) {
            piece p;
            p.body = shared_bytes(m, &m->line);
            p.message = m.get();
            p.binary = m->binary && at->run->framed_as() == framing::websocket_binary;
            count_of(p) += p.counted();
            if (counts_memory_) hold(p);
            apart.push_back(std::move(p));
        }
    }
    pieces_ = std::move(apart);
    return true;
}

std::size_t piece_list::gather(std::span<part> into, std::size_t& count) const {
    std::size_t total = 0;
    std::size_t skip = offset_;
    count = 0;
    const auto add = [&](const char* data, std::size_t size) {
        const std::size_t skipped = std::min(skip, size);
        skip -= skipped;
        if (skipped == size) return;
        into[count++] = {data + skipped, size - skipped};
        total += size - skipped;
    };
    for (std::size_t i = next_; i < framed_ && count + parts_per_piece <= into.size(); ++i) {
        const piece& p = pieces_[i];
        if (p.body == nullptr) continue;
        add(p.prefix.data(), p.prefix_size);
        add(p.text().data(), p.text().size());
        if (p.ends_event) add(event_stream::event_end.data(), event_stream::event_end.size());
    }
    return total;
}

void piece_list::take(std::size_t bytes) {
    std::size_t left = bytes + offset_;
    framed_bytes_ -= bytes;
    while (next_ < framed_ && left >= pieces_[next_].size()) {
        piece& p = pieces_[next_++];
        left -= p.size();
        count_of(p) -= p.text().size();
        release(p);
        p.body.reset();
    }
    offset_ = static_cast<std::uint32_t>(left);
}

void piece_list::take_all() {
    for (piece& p : pieces_) release(p);
    pieces_.clear();
    live_bytes_ = replay_bytes_ = 0;
}

bool piece_list::tidy() {
    if (empty()) {
        storage_->give_back(std::move(pieces_));
        pieces_ = {};
        next_ = framed_ = offset_ = holes_ = 0;
        return true;
    }
    if (next_ < 64 || next_ <= pieces_.size() / 2) return false;
    pieces_.erase(pieces_.begin(), pieces_.begin() + next_);
    framed_ -= next_;
    next_ = 0;
    return true;
}

// Pieces that came since it counted last are at the end.
void piece_list::count_memory(bool on) {
    counts_memory_ = on;
    if (!on) return;
    for (std::size_t i = pieces_.size(); i > next_ && !pieces_[i - 1].is_held; --i) hold(pieces_[i - 1]);
}

void piece_list::hold(piece& p) {
    if (p.is_held || p.body == nullptr) return;
    p.is_held = true;
    storage_->memory().add(p.body.get());
}

void piece_list::release(piece& p) {
    if (!p.is_held) return;
    p.is_held = false;
    storage_->memory().remove(p.body.get());
}

std::size_t piece_list::memory() const {
    return live_bytes_ + replay_bytes_ + waiting() * waiting_memory::reference_bytes;
}

}  // namespace pulsewire::delivery
