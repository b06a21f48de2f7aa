#include "server/forward/forwarder.hpp"

#include <algorithm>

namespace pulsewire::shell::forward {
namespace {

// Marks of one channel; beyond, the newest of them stands for more.
constexpr std::size_t marks_max = 4;
// Between two looks at all places.
constexpr std::int64_t sweep_ms = 60'000;

}  // namespace

void forwarder::restore(places known, std::int64_t now_ms) {
    now_ms_ = swept_ms_ = now_ms;
    places_ = std::move(known);
    for (auto& [channel, each] : places_) each.used_ms = now_ms;
}

// --- the channels ---

void forwarder::heard(
    const std::string& channel, std::uint64_t first, std::uint64_t head, std::int64_t log_ms
) {
    auto known = places_.find(channel);
    if (known == places_.end()) {
        // Everything before was forwarded, or there was nothing.
        known = places_.emplace(channel, place{{}, first - 1}).first;
        moved_.insert(channel);
    }
    known->second.used_ms = now_ms_;
    const auto [at, is_new] = works_.try_emplace(channel);
    if (is_new) at->second.read_upto = known->second.offset;
    at->second.is_dirty = true;
    if (epochs_ == epochs::of_log) mark(at->second, head, log_ms);
    want(at);
    pump();
}

void forwarder::found(const std::string& channel) {
    const auto [at, is_new] = works_.try_emplace(channel);
    work& w = at->second;
    if (const auto known = places_.find(channel); known != places_.end()) {
        w.read_upto = known->second.offset;
    } else {
        places_.emplace(channel, place{{}, 0, now_ms_});
        w.has_no_begin = true;
    }
    w.is_dirty = true;
    want(at);
    pump();
}

void forwarder::begin(
    const std::string& channel, std::uint64_t after, std::uint64_t head, std::int64_t log_ms
) {
    places_[channel] = {{}, after, now_ms_};
    const auto [at, is_new] = works_.try_emplace(channel);
    work& w = at->second;
    w.has_ended = false;
    w.read_upto = after;
    w.is_dirty = true;
    mark(w, head, log_ms);
    want(at);
    pump();
}

void forwarder::end(const std::function<bool(const std::string& channel)>& which) {
    std::erase_if(places_, [&](const auto& one) { return which(one.first); });
    std::erase_if(moved_, which);
    for (auto at = works_.begin(); at != works_.end();) {
        const auto here = at++;
        if (!which(here->first)) continue;
        begin_again(here);
        work& w = here->second;
        w.is_dirty = false;
        w.marks.clear();
        w.has_ended = true;
        if (!w.is_reading) works_.erase(here);
    }
    std::erase_if(ready_, [&](const std::string& one) { return which(one); });
    std::erase_if(held_, [&](const std::string& one) { return which(one); });
    for (auto at = in_flight_.begin(); at != in_flight_.end();) {
        const auto here = at++;
        if (!which(here->second.channel)) continue;
        bytes_ -= here->second.bytes;
        in_flight_.erase(here);
    }
    pump();
}

void forwarder::mark(work& w, std::uint64_t head, std::int64_t log_ms) {
    if (w.marks.size() < marks_max)
        w.marks.emplace_back(head, log_ms);
    else
        w.marks.back().first = head;
}

// What was read of it and has no outcome is void.
void forwarder::begin_again(works::iterator at) {
    work& w = at->second;
    const auto known = places_.find(at->first);
    for (const publication& one : w.queue) {
        bytes_ -= one.bytes();
        // Of a channel that is not there any more.
        if (known != places_.end() && epochs_ == epochs::of_node && one.lost == 0 &&
            one.epoch != known->second.epoch)
            ++lost_;
    }
    w.queue.clear();
    w.unacknowledged = 0;
    w.is_dirty = true;
    w.is_void = w.is_reading;
    if (known != places_.end()) w.read_upto = known->second.offset;
}

void forwarder::want(works::iterator at) {
    work& w = at->second;
    if (!w.is_dirty || w.is_reading || w.is_ready || !w.queue.empty()) return;
    w.is_ready = true;
    ready_.push_back(at->first);
}

void forwarder::pump() {
    while (is_open_ && !ready_.empty() && reads_ < reads_max &&
           bytes_ + (reads_ + 1) * page_bytes_max <= bytes_max) {
        const std::string channel = std::move(ready_.front());
        ready_.pop_front();
        work& w = works_.at(channel);
        w.is_ready = false;
        w.is_dirty = false;
        w.is_reading = true;
        ++reads_;
        actions_.emplace_back(read{channel, w.read_upto});
    }
}

void forwarder::take(const std::string& channel, page&& p) {
    const auto at = works_.find(channel);
    if (at == works_.end() || !at->second.is_reading) return;
    work& w = at->second;
    --reads_;
    w.is_reading = false;
    if (w.has_ended) {
        works_.erase(at);
        return pump();
    }
    if (std::exchange(w.is_void, false)) {
        want(at);
        return pump();
    }
    place& here = places_.at(channel);
    if (here.epoch != p.epoch) {
        const bool is_another = epochs_ == epochs::of_node && !here.epoch.empty();
        here.epoch = p.epoch;
        moved_.insert(channel);
        if (is_another) {
            // What was asked for means nothing there.
            here.offset = w.read_upto = 0;
            w.is_dirty = true;
            want(at);
            return pump();
        }
    }
    // The head counts as told where nothing is kept.
    const std::uint64_t first = p.publications.empty() ? p.head + 1 : p.publications.front().offset;
    const bool counts = !std::exchange(w.has_no_begin, false);
    if (first > w.read_upto + 1) {
        publication gap;
        gap.channel = channel;
        gap.epoch = p.epoch;
        gap.offset = first - 1;
        gap.lost = first - 1 - w.read_upto;
        if (counts) {
            bytes_ += gap.bytes();
            w.queue.push_back(std::move(gap));
        } else {
            here.offset = std::max(here.offset, first - 1);
            moved_.insert(channel);
        }
        w.read_upto = first - 1;
    }
    for (publication& one : p.publications) {
        if (one.offset <= w.read_upto) continue;
        w.read_upto = one.offset;
        bytes_ += one.bytes();
        w.queue.push_back(std::move(one));
    }
    w.is_dirty = w.is_dirty || w.read_upto < p.head;
    send(at);
    want(at);
    rest(at);
    pump();
}

void forwarder::unread(const std::string& channel) {
    const auto at = works_.find(channel);
    if (at == works_.end() || !at->second.is_reading) return;
    work& w = at->second;
    --reads_;
    w.is_reading = false;
    w.is_void = false;
    if (w.has_ended) {
        works_.erase(at);
        return pump();
    }
    w.is_dirty = true;
    w.is_ready = true;
    held_.push_back(channel);
    pump();
}

void forwarder::tick(std::int64_t now_ms) {
    now_ms_ = now_ms;
    if (forget_ms_ != 0 && now_ms - swept_ms_ >= sweep_ms) {
        swept_ms_ = now_ms;
        forget_idle();
    }
    for (std::string& channel : std::exchange(held_, {})) ready_.push_back(std::move(channel));
    pump();
}

void forwarder::forget_idle() {
    std::erase_if(places_, [&](const auto& one) {
        return now_ms_ - one.second.used_ms > forget_ms_ && !works_.contains(one.first) &&
               !moved_.contains(one.first);
    });
}

// --- the destination ---

void forwarder::send(works::iterator at) {
    work& w = at->second;
    while (is_open_ && !w.queue.empty() && w.unacknowledged < window_) {
        publication what = std::move(w.queue.front());
        w.queue.pop_front();
        ++w.unacknowledged;
        in_flight_.emplace(++last_, sent{at->first, what.epoch, what.offset, what.bytes(), what.lost});
        actions_.emplace_back(write{last_, std::move(what)});
    }
}

// A channel of which the destination has everything takes no memory but its place.
void forwarder::rest(works::iterator at) {
    const work& w = at->second;
    if (!w.is_dirty && !w.is_reading && w.queue.empty() && w.unacknowledged == 0) works_.erase(at);
}

void forwarder::opened() {
    is_open_ = true;
    pump();
}

void forwarder::lost() {
    is_open_ = false;
    std::erase_if(actions_, [](const action& one) { return std::holds_alternative<write>(one); });
    for (const auto& [number, one] : in_flight_) {
        bytes_ -= one.bytes;
        if (epochs_ == epochs::of_node && one.lost == 0 && one.epoch != places_.at(one.channel).epoch)
            ++lost_;
    }
    in_flight_.clear();
    for (auto at = works_.begin(); at != works_.end(); ++at) {
        begin_again(at);
        want(at);
    }
}

void forwarder::acknowledged(ticket number, bool is_kept) {
    const auto found = in_flight_.find(number);
    if (found == in_flight_.end()) return;
    const sent one = std::move(found->second);
    in_flight_.erase(found);
    bytes_ -= one.bytes;
    if (is_kept && one.lost == 0) ++forwarded_;
    if (one.lost != 0) {
        lost_ += one.lost;
        lost_channel_ = one.channel;
    }
    const auto at = works_.find(one.channel);
    work& w = at->second;
    --w.unacknowledged;
    place& here = places_.at(one.channel);
    // Otherwise it is of a channel that had the name before.
    if (here.epoch == one.epoch || epochs_ == epochs::of_log) {
        here.offset = std::max(here.offset, one.offset);
        moved_.insert(one.channel);
        while (!w.marks.empty() && w.marks.front().first <= here.offset) w.marks.pop_front();
    }
    send(at);
    want(at);
    rest(at);
    pump();
}

places forwarder::take_moved() {
    places moved;
    for (const std::string& channel : std::exchange(moved_, {})) moved.emplace(channel, places_.at(channel));
    return moved;
}

std::optional<std::int64_t> forwarder::waits_since(
    const std::function<bool(const std::string& channel)>& which
) const {
    std::optional<std::int64_t> oldest;
    for (const auto& [channel, w] : works_) {
        if (!which(channel) || w.marks.empty()) continue;
        oldest = std::min(oldest.value_or(w.marks.front().second), w.marks.front().second);
    }
    return oldest;
}

}  // namespace pulsewire::shell::forward
