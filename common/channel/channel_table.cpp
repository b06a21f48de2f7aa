#include "common/channel/channel_table.hpp"

#include "common/base/random.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::hub {
namespace {

// Generations are counted per bucket of names and not per name, which would never be forgotten. When a
// channel with publications is forgotten, all unborn channels of its bucket get new epochs.
constexpr std::size_t forgotten_buckets = 1'024;

std::string epoch_of(std::uint64_t bits) {
    static constexpr char letters[] = "abcdefghijkmnopqrstuvwxyz23456789";
    std::string epoch;
    for (int i = 0; i < 8; ++i, bits /= 32) epoch.push_back(letters[bits % 32]);
    return epoch;
}

}  // namespace

std::string durable_epoch(std::uint64_t store_id, std::uint64_t generation) {
    std::uint64_t state = store_id + generation;
    return epoch_of(next_random(state));
}

channel_table::channel_table(const config& settings, store_queue& stores, channel_counters& counted)
    : config_(settings),
      stores_(stores),
      counters_(counted),
      channels_(0, name_hash(settings.secret)),
      histories_(settings.bounds.history_bytes_total_max),
      forgotten_(forgotten_buckets) {}

std::size_t channel_table::bucket_of(std::string_view name) const {
    return static_cast<std::size_t>(keyed_hash(config_.secret, name) % forgotten_.size());
}

// The epoch changes when a channel that had publications is forgotten, because its offsets
// begin again at 1. It depends on the seed, because a new process begins all its channels in
// memory again under the same secret.
std::string channel_table::epoch_for(std::string_view name) const {
    if (config_.options_of(name).keeps == durability::disk)
        return durable_epoch(config_.store_id, stores_.generation());
    const std::uint32_t generation = forgotten_[bucket_of(name)];
    return epoch_of(sip_hasher<>(config_.secret).number(config_.seed).number(generation).piece(name).end());
}

channel* channel_table::find(std::string_view name) {
    const auto found = channels_.find(name);
    return found == channels_.end() ? nullptr : found->second.get();
}

channel* channel_table::find_or_make(std::string_view name, instant now) {
    channel* c = find(name);
    if (c == nullptr) {
        // Old publications give way to a new channel; only when nothing is left to
        // give up is the channel refused.
        if (!histories_.has_room_for(name.size())) shrink(channel::bytes_of_name(name.size()));
        if (channels_.size() >= config_.bounds.channels_max) forget_least_used();
        if (channels_.size() >= config_.bounds.channels_max || !histories_.has_room_for(name.size()))
            return nullptr;
        auto made = std::make_unique<channel>(std::string(name), epoch_for(name), config_.options_of(name));
        c = channels_.emplace(std::string(name), std::move(made)).first->second.get();
    }
    c->used_ms = now.monotonic_ms;
    histories_.use(*c);
    return c;
}

bool channel_table::restore(restored_channel&& kept, instant now) {
    const namespace_options& options = config_.options_of(kept.name);
    if (options.keeps != durability::disk || channels_.contains(kept.name)) return false;
    auto made = std::make_unique<channel>(kept.name, std::move(kept.epoch), options);
    channel& c = *made;
    c.noted = true;
    c.used_ms = now.monotonic_ms;
    // The log starts before the first publication that the store kept, so the appends below end at `head`.
    c.stored_oldest = kept.head + 1 - kept.publications.size();
    c.log.start_at(c.stored_oldest - 1);
    for (message_ptr& m : kept.publications) {
        // The monotonic clock started with the process: ages are taken from the wall
        // clock, which may have gone back.
        const std::int64_t age_ms = std::max<std::int64_t>(0, now.wall_ms - m->time_ms);
        c.last_time_ms = std::max(c.last_time_ms, m->time_ms);
        c.log.append(std::move(m), now.monotonic_ms - age_ms);
    }
    c.log.trim(now.monotonic_ms);
    histories_.use(c);
    channels_.emplace(std::move(kept.name), std::move(made));
    shrink();
    return true;
}

void channel_table::shrink(std::uint64_t wanted) {
    while (const std::uint64_t excess = histories_.excess(wanted)) {
        channel* c = histories_.least_used();
        if (c == nullptr) return;
        const std::uint64_t before = histories_.bytes();
        c->log.give_up(excess);
        histories_.count(*c);
        const bool gave = histories_.bytes() < before;
        if (gave) ++counters_.histories_shrunk;
        // The disk is trimmed in batches, except when the log is empty: then the
        // channel may be forgotten below.
        if (c->log.oldest() >= c->stored_oldest + trim_batch || c->log.empty()) stores_.trim(*c);
        if (c->unused()) {
            forget(*c);
        } else if (c->log.empty() || !gave) {
            // The channel has subscribers, or keeps a state, and stays. Without setting it aside, each shrink
            // would visit all such channels again.
            histories_.set_aside(*c);
        }
    }
}

// One that has subscribers counts as used: it goes to the end of the list.
void channel_table::forget_least_used() {
    constexpr int looked_at_max = 64;
    for (int i = 0; i < looked_at_max; ++i) {
        channel* c = histories_.least_used();
        if (c == nullptr) return;
        if (!c->has_nobody() || c->log.tail_bytes() != 0) {
            histories_.use(*c);
            continue;
        }
        if (!c->log.empty()) ++counters_.histories_shrunk;
        return forget(*c);
    }
}

void channel_table::use_options() {
    for (auto& [name, c] : channels_) {
        const namespace_options& fresh = config_.options_of(name);
        take_changeable(c->options, fresh);
        c->log.use(fresh);
    }
}

void channel_table::forget_if_empty(channel& c) {
    if (c.unused() && c.log.head() == 0) forget(c);
}

void channel_table::forget(channel& c) {
    stores_.drop(c);
    // A channel that never had a publication can begin again under the same epoch.
    if (c.log.head() != 0) ++forgotten_[bucket_of(c.name)];
    histories_.remove(c);
    channels_.erase(channels_.find(c.name));
}

// By buckets, because a place among them outlives what comes and goes between two calls. Where the table
// grows meanwhile, a few channels wait for the next sweep.
bool channel_table::sweep_on(instant now) {
    constexpr std::size_t buckets_per_call = 4'096;
    for (std::size_t i = 0; i < buckets_per_call && sweep_at_ < channels_.bucket_count(); ++i, ++sweep_at_) {
        for (auto at = channels_.begin(sweep_at_); at != channels_.end(sweep_at_);) {
            channel& c = *(at++)->second;  // forget() erases this entry only
            c.log.trim(now.monotonic_ms);
            histories_.count(c);
            stores_.trim(c);
            if (c.unused() && now.monotonic_ms - c.used_ms >= config_.bounds.channel_idle_ms) forget(c);
        }
    }
    return sweep_at_ < channels_.bucket_count();
}

}  // namespace pulsewire::hub
