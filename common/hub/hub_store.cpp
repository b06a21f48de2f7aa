// The hub and the disk: publications of durable channels wait here until they are safe, and come back after a
// restart.

#include "common/base/random.hpp"
#include "common/hub/hub.hpp"
#include "common/hub/message_text.hpp"

#include <algorithm>

namespace pulsewire::hub {
void hub::keep(channel& c, const publish_view& p, instant now) {
    if (const auto before = unstored_.find(c, p.key)) {
        if (!repeats(p, *before, now)) return;
        // The first is not safe yet: this one waits for the same.
        return unstored_.push({store_number_, &c, nullptr, {}, p.from, p.id, before->offset});
    }
    if (unstored_.bytes() > config_.bounds.storage_queue_bytes_max) {
        auto error = make_error(p.id, error_code::overloaded, "the disk does not keep up; try again later");
        return answer_publish(p.from, p.id, std::move(error), now);
    }
    if (std::exchange(c.truncate_first, false)) store(truncate_channel{c.name, c.log.head()});
    if (!std::exchange(c.noted, true)) store(keep_channel{c.name, c.log.epoch(), c.log.head()});
    if (!p.key.empty()) keys_stored_ms_ = now.wall_ms;

    unstored_publish waiting;
    waiting.where = &c;
    waiting.offset = c.log.head() + c.unstored + 1;
    waiting.what = make_message(p, waiting.offset, now.wall_ms, c.options.slow_consumers);
    waiting.from = p.from;
    waiting.id = p.id;
    store(keep_publication{waiting.what, c.log.epoch(), std::string(p.key), p.content});
    waiting.number = store_number_;
    waiting.key = {std::string(p.key), p.content, p.publisher};
    unstored_.push(std::move(waiting));
}

void hub::stored(std::uint64_t number, instant now) {
    while (!unstored_.empty() && unstored_.front().number <= number) {
        const unstored_publish p = unstored_.pop();
        channel& c = *p.where;
        if (p.what != nullptr) {
            put_in_order(c, p.what, p.key, now);
            if (c.log.oldest() >= c.stored_oldest + trim_batch) trim_store(c);
        }
        answer_publish(p.from, p.id, make_published(p.id, c.name, c.log.epoch(), p.offset), now);
    }
    shrink_histories();
}

void hub::store_failed(std::uint32_t term, error_code code, std::string_view text, instant now) {
    if (term != store_term_) return;  // was told already
    ++store_term_;
    while (!unstored_.empty()) {
        const unstored_publish p = unstored_.pop();
        ++counters_.unstored;
        // What the store holds of this channel is not known: the next publication takes the same place.
        p.where->truncate_first = true;
        p.where->noted = false;
        answer_publish(p.from, p.id, make_error(p.id, code, text), now);
    }
}

void hub::trim_store(channel& c) {
    if (!c.noted || c.log.oldest() == c.stored_oldest) return;
    // Without any publication left it is the channel's row that remembers where the offsets go on.
    if (c.log.empty()) store(keep_channel{c.name, c.log.epoch(), c.log.head()});
    store(trim_channel{c.name, c.log.oldest()});
    c.stored_oldest = c.log.oldest();
}

// The channel will not be remembered; should there be one of this name again, its epoch is another.
void hub::forget(channel& c) {
    if (c.noted) store(drop_channel{c.name, ++config_.store_generation});
    if (c.log.head() != 0) ++forgotten_[keyed_hash(config_.secret, c.name) % forgotten_.size()];
    histories_.remove(c);
    channels_.erase(channels_.find(c.name));
}

// --- after a restart ---

void hub::restore(restored_channel&& kept, instant now) {
    const namespace_options& options = options_of(kept.name);
    if (options.keeps != durability::disk || channels_.contains(kept.name)) return;
    auto made = std::make_unique<channel>(kept.name, std::move(kept.epoch), options);
    channel& c = *made;
    c.noted = true;
    c.used_ms = now.monotonic_ms;
    c.stored_oldest = kept.head + 1 - kept.publications.size();
    c.log.start_at(c.stored_oldest - 1);
    for (message_ptr& m : kept.publications) {
        const std::int64_t age_ms = std::max<std::int64_t>(0, now.wall_ms - m->time_ms);
        c.log.append(std::move(m), now.monotonic_ms - age_ms);
    }
    c.log.trim(now.monotonic_ms);
    histories_.use(c);
    channels_.emplace(std::move(kept.name), std::move(made));
    shrink_histories();
}

void hub::restore(const restored_key& kept, instant now) {
    const channel* c = find_channel(kept.channel);
    if (c == nullptr || c->log.epoch() != kept.epoch) return;
    const std::int64_t age_ms = std::max<std::int64_t>(0, now.wall_ms - kept.time_ms);
    keys_stored_ms_ = std::max(keys_stored_ms_, kept.time_ms);
    // Were it remembered, it would stand in the way of the same key, used again since.
    if (age_ms > config_.bounds.idempotency_ms) return;
    // Whose share it was is not known any more: restored keys have one of their own.
    idempotency_.remember(
        kept.channel, kept.epoch, kept.key, {kept.offset, kept.content}, 0, now.monotonic_ms - age_ms
    );
}

}  // namespace pulsewire::hub
