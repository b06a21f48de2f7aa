#include "common/session/authorizations.hpp"

#include <string>
#include <utility>

namespace pulsewire::hub {
namespace {

// Commands that concern no channel, and those by which a client answers the server.
bool may_overtake(command_op op) {
    return op == command_op::ping || op == command_op::pong || op == command_op::respond ||
           op == command_op::refresh;
}

std::size_t bytes_of(const session& s) {
    std::size_t all = 0;
    for (const auto& w : s.waiting->commands) all += w->bytes();
    return all;
}

}  // namespace

authorizations::authorizations(const config& settings, observers& deciding)
    : config_(settings), observers_(deciding), anybody_decides_(false) {
    for (const interests& one : settings.observers) anybody_decides_ |= !one.authorizes.empty();
}

// A holder of the API's key, and a command about no channel, need nobody's word.
std::optional<observer_index> authorizations::who_decides(
    const session& s, const command& c, observer_index first
) const {
    if (c.channel.empty() || (!is_client(s.speaks) && s.user().empty())) return std::nullopt;
    const operations wanted = needed(c);
    for (observer_index i = first; i < config_.observers.size(); ++i) {
        const interests& of = config_.observers[i];
        operations decided = of.authorizes & wanted;
        if (of.where_asked) decided = decided & config_.options_of(c.channel).authorize;
        if (!decided.empty()) return i;
    }
    return std::nullopt;
}

bool authorizations::takes(session& s, const command& c, instant now) {
    if (!anybody_decides_) return false;
    const auto whom = who_decides(s, c, 0);
    if (!whom && (s.waiting == nullptr || may_overtake(c.op))) return false;
    if (s.waiting == nullptr) s.waiting = std::make_unique<waiting_commands>();
    s.waiting->commands.push_back(std::make_unique<waiting_command>(c));
    if (whom) ask(s, *s.waiting->commands.back(), *whom, now);
    return true;
}

void authorizations::ask(session& s, waiting_command& w, observer_index whom, instant now) {
    w.number = ++last_number_;
    w.asked = whom;
    w.due_ms = now.monotonic_ms + authorization_ms_max;
    const command& c = w.what();
    observers_.tell(
        whom,
        authorize{
            {config_.shard, s.connection},
            w.number,
            needed(c),
            std::string(c.channel),
            s.name,
            std::string(s.user()),
            std::string(c.type)}
    );
}

bool authorizations::is_full(const session& s) {
    return s.waiting != nullptr &&
           (s.waiting->commands.size() >= waiting_commands_max || bytes_of(s) >= waiting_command_bytes_max);
}

void authorizations::settle(session& s, const authorized& word, instant now) {
    if (s.waiting == nullptr) return;
    for (const auto& w : s.waiting->commands) {
        if (w->number != word.number) continue;
        w->number = 0;
        if (word.refused != error_code::none) {
            w->refused = word.refused;
            w->reason = word.reason;
        } else if (const auto whom = who_decides(s, w->what(), w->asked + 1)) {
            ask(s, *w, *whom, now);
        }
        return;
    }
}

bool authorizations::expire(session& s, instant now) {
    bool any = false;
    if (s.waiting == nullptr) return any;
    for (const auto& w : s.waiting->commands) {
        if (w->number == 0 || w->due_ms > now.monotonic_ms) continue;
        w->number = 0;
        w->refused = error_code::timeout;
        w->reason = "nobody has said in time whether this is allowed";
        any = true;
    }
    return any;
}

std::optional<authorizations::ready> authorizations::next(session& s) {
    if (s.waiting == nullptr || s.waiting->commands.front()->number != 0) return std::nullopt;
    ready first{std::move(s.waiting->commands.front()), std::nullopt};
    s.waiting->commands.pop_front();
    if (s.waiting->commands.empty()) s.waiting.reset();
    if (first.what->refused != error_code::none)
        first.why_not = refusal{first.what->refused, first.what->reason, {}};
    return first;
}

}  // namespace pulsewire::hub
