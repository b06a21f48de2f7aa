#include "common/cluster/registry.hpp"

#include <algorithm>

namespace pulsewire::cluster {

std::uint16_t registry::common_level() const {
    std::uint16_t level = 0;
    for (const auto& [process, l] : alive_) level = level == 0 ? l.level_max : std::min(level, l.level_max);
    return level;
}

bool registry::continues(const record& r) const {
    const life* const l = find(r.process);
    return l != nullptr && r.connection == l->connection && r.seq == l->seq + 1;
}

bool registry::may_begin(const record& r) const {
    if (r.seq != 1 || has_ended(r.process)) return false;
    const life* const l = find(r.process);
    return l == nullptr || r.connection > l->connection;
}

void registry::begin(const record& r, const hello& h, std::uint64_t position) {
    life l;
    l.connection = r.connection;
    l.seq = r.seq;
    l.hello = position;
    l.last = position;
    l.clock_ms = r.clock.monotonic_ms;
    l.passed_ms = log_ms_;
    l.wall_ms = r.clock.wall_ms;
    l.level_max = h.level_max;
    alive_[r.process] = l;
}

const life& registry::advance(const record& r, std::uint64_t position) {
    life& l = alive_[r.process];
    l.seq = r.seq;
    l.last = position;
    pass(l, r.clock);
    return l;
}

void registry::pass(life& l, const hub::instant& clock) {
    const std::int64_t step =
        std::clamp<std::int64_t>(clock.monotonic_ms - l.clock_ms, 0, clock_step_max_ms_);
    l.clock_ms = clock.monotonic_ms;
    l.passed_ms += step;
    l.wall_ms += step;
    log_ms_ = std::max(log_ms_, l.passed_ms);
}

void registry::end(process_id p, std::uint64_t position) {
    alive_.erase(p);
    ended_[p] = position;
}

void registry::forget_ended_before(std::uint64_t position) {
    std::erase_if(ended_, [&](const auto& e) { return e.second < position; });
}

void registry::write(byte_writer& w) const {
    w.i64(log_ms_);
    w.length(alive_.size());
    for (const auto& [process, l] : alive_) {
        w.u64(process);
        w.u64(l.connection);
        w.u64(l.seq);
        w.u64(l.hello);
        w.u64(l.last);
        w.i64(l.clock_ms);
        w.i64(l.passed_ms);
        w.i64(l.wall_ms);
        w.u16(l.level_max);
    }
    w.length(ended_.size());
    for (const auto& [process, position] : ended_) {
        w.u64(process);
        w.u64(position);
    }
}

bool registry::read(byte_reader& r) {
    log_ms_ = r.i64();
    for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
        life& l = alive_[r.u64()];
        l.connection = r.u64();
        l.seq = r.u64();
        l.hello = r.u64();
        l.last = r.u64();
        l.clock_ms = r.i64();
        l.passed_ms = r.i64();
        l.wall_ms = r.i64();
        l.level_max = r.u16();
    }
    for (std::uint64_t n = r.length(); n > 0 && r.ok(); --n) {
        const process_id process = r.u64();
        ended_[process] = r.u64();
    }
    return r.ok();
}

}  // namespace pulsewire::cluster
