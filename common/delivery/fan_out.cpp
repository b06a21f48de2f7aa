#include "common/delivery/fan_out.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::delivery {

audience_batch::audience_batch(const hub::message_ptr& first, std::uint64_t audience) : audience_(audience) {
    append(first);
}

std::shared_ptr<line_run> audience_batch::run_for(const outbound& queue) {
    if (!queue.takes_runs()) return nullptr;
    auto& run = runs_[static_cast<std::size_t>(queue.framed_as())];
    if (run != nullptr) {
        const bool shares = queue.framed_as() != framing::cursor_events || queue.events()->shares_texts();
        return shares ? run : nullptr;
    }
    auto made = new_run(queue);
    if (made == nullptr) return nullptr;
    for (const hub::message_ptr& m : messages_) made->append(m);
    return run = std::move(made);
}

std::shared_ptr<line_run> audience_batch::new_run(const outbound& queue) const {
    switch (queue.framed_as()) {
        case framing::websocket:
        case framing::websocket_binary:
        case framing::event_stream:
            return std::make_shared<line_run>(queue.framed_as());
        case framing::cursor_events:
            // Event streams have texts of their own for what is no publication.
            if (!only_publications_ || !queue.events()->shares_texts()) return nullptr;
            return std::make_shared<line_run>(queue.events()->shared_texts());
        case framing::none:
        case framing::plain:
            break;
    }
    return nullptr;
}

bool audience_batch::may_grow(const hub::message& m, const bounds& limits) const {
    if (messages_.size() >= limits.batch_messages_max || bytes_ + m.line.size() > limits.batch_bytes_max)
        return false;
    const bool has_events = runs_[static_cast<std::size_t>(framing::cursor_events)] != nullptr;
    if (has_events && m.kind != hub::message_kind::publication) return false;
    return std::none_of(runs_.begin(), runs_.end(), [](const std::shared_ptr<line_run>& run) {
        return run != nullptr && run->sealed();
    });
}

void audience_batch::append(const hub::message_ptr& m) {
    for (const std::shared_ptr<line_run>& run : runs_)
        if (run != nullptr) run->append(m);
    bytes_ += m->line.size();
    only_publications_ = only_publications_ && m->kind == hub::message_kind::publication;
    messages_.push_back(m);
}

const std::vector<std::uint64_t>* fan_out::extend(const hub::message_ptr& m, std::uint64_t audience) {
    const auto found = channels_.find(m->channel());
    if (found == channels_.end()) return nullptr;
    audience_batch& batch = *found->second;
    if (audience == 0 || batch.audience_ != audience || !batch.may_grow(*m, limits_)) return nullptr;
    batch.append(m);
    return &batch.excluded_;
}

void fan_out::begin(const hub::message_ptr& m, std::uint64_t audience, std::span<const std::uint64_t> to) {
    batches_.push_back(std::make_unique<audience_batch>(m, audience));
    channels_[m->channel()] = batches_.back().get();
    waiting_.assign(to.begin(), to.end());
    next_ = 0;
}

std::optional<fan_out::visit> fan_out::next() {
    while (next_ < waiting_.size())
        if (const std::uint64_t id = waiting_[next_++]; id != 0) return visit{batches_.back().get(), id};
    return std::nullopt;
}

std::optional<fan_out::visit> fan_out::take(std::uint64_t connection) {
    const auto found =
        std::find(waiting_.begin() + static_cast<std::ptrdiff_t>(next_), waiting_.end(), connection);
    if (found == waiting_.end()) return std::nullopt;
    *found = 0;
    return visit{batches_.back().get(), connection};
}

void fan_out::clear() {
    channels_.clear();
    batches_.clear();
    waiting_.clear();
    next_ = 0;
}

}  // namespace pulsewire::delivery
