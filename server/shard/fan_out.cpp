#include "server/shard/fan_out.hpp"

#include <algorithm>

namespace pulsewire::shell {

gathering::gathering(const hub::message_ptr& first, std::uint64_t audience) : audience_(audience) {
    append(first);
}

bool gathering::may_grow(const hub::message& m, const shell_limits& bounds) const {
    if (messages_.size() >= bounds.batch_messages_max || bytes_ + m.line.size() > bounds.batch_bytes_max)
        return false;
    // Event streams have texts of their own for what is no publication.
    const bool is_made = runs_[static_cast<std::size_t>(outbound::framing::made)] != nullptr;
    if (is_made && m.kind != hub::message_kind::publication) return false;
    return std::none_of(runs_.begin(), runs_.end(), [](const std::shared_ptr<line_run>& run) {
        return run != nullptr && run->sealed();
    });
}

void gathering::append(const hub::message_ptr& m) {
    for (const std::shared_ptr<line_run>& run : runs_)
        if (run != nullptr) run->append(m);
    bytes_ += m->line.size();
    only_publications_ = only_publications_ && m->kind == hub::message_kind::publication;
    messages_.push_back(m);
}

const std::vector<std::uint64_t>* fan_out::extend(const hub::message_ptr& m, std::uint64_t audience) {
    const auto found = channels_.find(m->channel());
    if (found == channels_.end()) return nullptr;
    gathering& g = *found->second;
    if (audience == 0 || g.audience_ != audience || !g.may_grow(*m, bounds_)) return nullptr;
    g.append(m);
    return &g.apart_;
}

void fan_out::begin(const hub::message_ptr& m, std::uint64_t audience, std::span<const std::uint64_t> to) {
    gathered_.push_back(std::make_unique<gathering>(m, audience));
    channels_[m->channel()] = gathered_.back().get();
    waiting_.assign(to.begin(), to.end());
    next_ = 0;
}

std::optional<fan_out::visit> fan_out::next() {
    while (next_ < waiting_.size())
        if (const std::uint64_t id = waiting_[next_++]; id != 0) return visit{gathered_.back().get(), id};
    return std::nullopt;
}

std::optional<fan_out::visit> fan_out::take(std::uint64_t connection) {
    const auto found =
        std::find(waiting_.begin() + static_cast<std::ptrdiff_t>(next_), waiting_.end(), connection);
    if (found == waiting_.end()) return std::nullopt;
    *found = 0;
    return visit{gathered_.back().get(), connection};
}

void fan_out::clear() {
    channels_.clear();
    gathered_.clear();
    waiting_.clear();
    next_ = 0;
}

}  // namespace pulsewire::shell
