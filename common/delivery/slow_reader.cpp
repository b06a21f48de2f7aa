#include "common/delivery/slow_reader.hpp"

#include <algorithm>

namespace pulsewire::delivery {

bool slow_reader::exceeds(const piece_list& list) {
    return list.live_bytes() > list.limits().queue_bytes_max ||
           list.replay_bytes() > list.limits().replay_bytes_max;
}

waiting_publications& slow_reader::waiting() {
    if (waiting_ == nullptr) waiting_ = std::make_unique<waiting_publications>();
    return *waiting_;
}

bool slow_reader::overflows(piece_list& list) {
    if (!exceeds(list)) return false;
    replace_older(list);
    // Each piece is looked at once, whatever waits.
    settled_ = std::max(settled_, static_cast<std::uint32_t>(list.framed()));
    for (; settled_ < list.size() && list.live_bytes() > list.limits().queue_bytes_max; ++settled_)
        if (list[settled_].may_leave(slow_consumer::drop_oldest)) drop(list, settled_);
    close_holes(list);
    return exceeds(list);
}

void slow_reader::replace_older(piece_list& list) {
    waiting();
    placed_ = std::max(placed_, static_cast<std::uint32_t>(list.framed()));
    for (; placed_ < list.size(); ++placed_) {
        const piece& p = list[placed_];
        if (p.message != nullptr && p.message->kind == hub::message_kind::subscribed)
            waiting_->begins(*p.message, placed_);
        if (!p.may_leave(slow_consumer::latest_per_key)) continue;
        if (const auto older = waiting_->put(*p.message, placed_)) drop(list, *older);
    }
    close_holes(list);
}

void slow_reader::drop(piece_list& list, std::size_t at) {
    piece& p = list[at];
    waiting().dropped(*p.message, static_cast<std::uint32_t>(at));
    ++list.home().drops()[static_cast<std::size_t>(p.message->when_slow)];
    list.drop(p);
}

void slow_reader::close_holes(piece_list& list) {
    if (list.close_holes()) forget_places(list);
}

std::optional<waiting_publications::gap> slow_reader::framing_of(const piece& p, std::size_t at) {
    if (waiting_ == nullptr) return std::nullopt;
    if (p.may_leave(slow_consumer::latest_per_key))
        waiting_->take(*p.message, static_cast<std::uint32_t>(at));
    // A replay comes after a subscribe's answer, which says where it begins.
    return p.how == counts::as_live ? waiting_->due_before(*p.message) : std::nullopt;
}

std::map<std::string, waiting_publications::gap, std::less<>> slow_reader::gaps_at_the_end() {
    if (waiting_ == nullptr) return {};
    return waiting_->due_at_the_end();
}

void slow_reader::forget_places(const piece_list& list) {
    settled_ = placed_ = static_cast<std::uint32_t>(list.framed());
    if (waiting_ != nullptr) waiting_->forget_places();
}

}  // namespace pulsewire::delivery
