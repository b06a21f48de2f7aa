#include "common/sim/mob.hpp"

#include "common/protocol/limits.hpp"
#include "common/session/public_name.hpp"
#include "common/sim/text.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::sim {
namespace {

// The id of the command by which a key is used for a second content: it must be refused.
constexpr std::uint64_t reuse_ids_from = 1'000'000;

// A loop that rejects a command need not have counted it yet, and the times of two shards differ.
constexpr std::uint64_t commands_of_grace = 64;

// Where more commands are allowed in a second, a flood that goes on for long takes too much of a run.
constexpr std::uint32_t few_commands = 200;

std::string quoted(std::string_view text) {
    return '"' + std::string(text) + '"';
}

}  // namespace

void mob::attack() {
    if (!server_.running()) return;
    if (std::exchange(life_, seen_.life()) != seen_.life()) members_.clear();
    seen_.reached(situation::mob_came);
    seen_.histories_fill_up();
    const auto does = static_cast<kind>(random_.below(static_cast<std::uint32_t>(kind::count_)));
    const limits& bounds = options_.hub.bounds;
    int many = 1;
    if (does == kind::crowds) many = static_cast<int>(std::min(bounds.presence_members_max, 60u)) + 8;
    if (does == kind::reads_nothing) many = 4;
    const std::string crowded = options_.channels[random_.below(2)];
    for (int i = 0; i < many; ++i) {
        const hub::connection_ref at = come(does);
        if (does == kind::crowds)
            server_.receive(
                at, R"({"op":"subscribe","id":2,"channel":)" + quoted(crowded) + R"(,"payload":"mob"})"
            );
        const int steps = does == kind::floods && bounds.commands_per_second > few_commands ? 1 : 16;
        time_.after(random_.below(300), [this, at, steps] { step(at, steps); });
    }
}

hub::connection_ref mob::come(kind to_do) {
    const std::string secret = "mob-session-" + std::to_string(++sessions_);
    seen_.stranger(hub::public_name(secret));
    const hub::connection_ref at = server_.open(hub::face::protocol, source);
    member& m = members_[at.value];
    m.at = at;
    m.does = to_do;
    m.came_ms = time_.now();
    server_.receive(at, R"({"op":"connect","version":1,"session":)" + quoted(secret) + "}");
    return at;
}

void mob::step(hub::connection_ref at, int steps_left) {
    const auto found = members_.find(at.value);
    if (found == members_.end()) return;
    if (!server_.running() || life_ != seen_.life()) {
        members_.erase(found);
        return;
    }
    member& m = found->second;
    if (steps_left == 0) {
        members_.erase(found);
        return server_.closed(at);
    }
    // A flood needs some time until the server has had enough of it.
    const std::uint32_t pause_ms = m.does == kind::floods ? 900 : 1;
    // The server may end the connection for these, and `m` with it.
    const std::string lines = lines_of(m, steps_left);
    if (!lines.empty()) server_.receive(at, lines);
    time_.after(pause_ms + random_.below(500), [this, at, steps_left] { step(at, steps_left - 1); });
}

std::string mob::lines_of(member& m, int steps_left) {
    std::string lines;
    const auto add = [&](std::string_view op, std::uint64_t id, const std::string& channel,
                         std::string_view rest) {
        ((((lines += R"({"op":)") += quoted(op)) += R"(,"id":)") += std::to_string(id)) += R"(,"channel":)";
        (((lines += quoted(channel)) += rest) += "}\n");
    };
    const auto name = [](const char* of, int number) { return of + std::to_string(number); };
    const std::string_view says = R"(,"type":"say","payload":"mob")";
    switch (m.does) {
        case kind::floods: {
            const std::uint32_t rate = options_.hub.bounds.commands_per_second;
            const std::uint32_t many = rate > few_commands ? 2 * rate + rate / 4 : 4 * rate;
            for (std::uint32_t i = 0; i < many; ++i) add("unsubscribe", ++m.last_id, "mob:0", "");
            break;
        }
        case kind::crowds:
            break;
        case kind::fills_keys:
            for (int i = 0; i < 60; ++i) {
                const std::string key = R"(,"key":)" + quoted(name("mob-key-", ++keys_)) + std::string(says);
                add("publish", ++m.last_id, name("mob:", keys_ % 8), key);
            }
            // The newest of its keys again, for something else.
            add("publish", reuse_ids_from + ++m.last_id, name("mob:", keys_ % 8),
                R"(,"key":)" + quoted(name("mob-key-", keys_)) + R"(,"type":"say","payload":"other")");
            break;
        case kind::makes_channels:
            for (int i = 0; i < 30; ++i) {
                const std::string channel = name("mob:channel-", ++channels_);
                if (random_.percent(50)) add("subscribe", ++m.last_id, channel, "");
                add("publish", ++m.last_id, channel, says);
            }
            break;
        case kind::reads_nothing:
            for (const std::string& channel : options_.channels) {
                if (steps_left % 2 == 0) {
                    add("subscribe", ++m.last_id, channel, R"(,"latest":300)");
                } else {
                    add("history", ++m.last_id, channel, R"(,"limit":5,"offset":1)");
                    add("unsubscribe", ++m.last_id, channel, "");
                }
            }
            break;
        case kind::count_:
            break;
    }
    if (!lines.empty()) lines.pop_back();
    return lines;
}

void mob::leave() {
    if (server_.running() && life_ == seen_.life())
        for (const auto& [connection, m] : std::exchange(members_, {})) server_.closed(m.at);
    members_.clear();
}

std::size_t mob::takes(hub::connection_ref which, std::size_t bytes) const {
    return members_.at(which.value).does == kind::reads_nothing ? 0 : bytes;
}

void mob::hears(hub::connection_ref which, std::string_view lines) {
    member& m = members_.at(which.value);
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        count(m, line);
    }
}

void mob::count(member& m, std::string_view line) {
    const std::uint64_t id = number_after(line, R"("id":)");
    if (id == 0) return;
    if (line.starts_with(R"({"op":"error")")) {
        if (string_after(line, R"("code":)") == R"("rate_limited")") seen_.reached(situation::flood_refused);
        return;
    }
    m.published.insert(id);
    // Where the first use was refused there is no second; and a channel that was forgotten between them
    // begins again and knows no keys.
    const bool is_second = id > reuse_ids_from && m.published.contains(id - reuse_ids_from - 1);
    if (is_second && number_after(line, R"("offset":)") != 1)
        seen_.blame("a key stands for two contents: " + std::string(line));
    // The credit that is saved, and what has been earned since.
    const std::uint64_t rate = options_.hub.bounds.commands_per_second;
    const auto passed_ms = static_cast<std::uint64_t>(time_.now() - m.came_ms);
    if (++m.carried_out > 2 * rate + rate * passed_ms / 1'000 + commands_of_grace)
        seen_.blame("a flood of commands is carried out");
}

void mob::ended(hub::connection_ref which, close_code code) {
    if (code == close_code::policy_violation) seen_.reached(situation::flood_ended);
    members_.erase(which.value);
}

}  // namespace pulsewire::sim
