#pragma once

// The messages of the server on one connection, compared with the protocol: a stream has no hole and no
// repetition (4.3, 5.3), nothing comes of a channel that is not subscribed, no command is answered twice
// (3.4), nor a subscribe that was taken back (4.8); a state comes where it was asked for, before anything
// else and in the order of its parts, up to where the stream begins, which has the marks of snapshots alone
// (4.30); and a question of another client comes once, and is withdrawn only while it is unanswered (4.18).
// Clients mend such faults by themselves, so from their side alone they could not be seen.

#include "common/exchange/message.hpp"
#include "common/sim/text.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace pulsewire::sim {

class wire {
public:
    // The client's half.
    void heard(std::string_view lines) {
        while (!lines.empty()) {
            const std::string_view line = lines.substr(0, lines.find('\n'));
            lines.remove_prefix(std::min(lines.size(), line.size() + 1));
            if (line.starts_with("{\"op\":\"respond\"")) questions_.erase(number_after(line, "\"request\":"));
            const std::uint64_t id = number_after(line, "\"id\":");
            if (id == 0) continue;  // not valid
            ++unanswered_[id];
            if (line.starts_with("{\"op\":\"unsubscribe\"")) leaving_[id].merge(asked_[channel_of(line)]);
            if (line.starts_with("{\"op\":\"subscribe\"")) asked_[channel_of(line)].insert(id);
            if (line.starts_with("{\"op\":\"subscribe\"") && line.find("\"state\":true") != line.npos)
                states_.insert(id);
        }
    }
    // The server's half. Returns what is wrong with this message; empty: nothing.
    std::string told(const hub::message& m, bool replayed) {
        if (m.id != 0 && unanswered_[m.id]-- <= 0) return "nobody waits for this answer";
        if (m.kind == hub::message_kind::question) return asked(number_after(m.line, "\"request\":"), m);
        if (m.kind == hub::message_kind::subscribed) {
            if (asked_[std::string(m.channel())].erase(m.id) == 0 && !is_leaving(m.id))
                return "nobody waits for this";
            const std::uint64_t replay = number_after(m.line, "\"replay\":");
            positions_[std::string(m.channel())] = {m.offset, m.offset + replay, states_.contains(m.id)};
            return {};
        }
        if (m.line.starts_with("{\"op\":\"snapshot_wanted\"")) {
            const auto position = positions_.find(m.channel());
            const bool wanted = position != positions_.end() && position->second.state;
            return wanted ? "" : "a snapshot is wanted of who has no state";
        }
        if (m.kind == hub::message_kind::answer && m.line.starts_with("{\"op\":\"unsubscribed\"")) {
            positions_.erase(std::string(m.channel()));
            leaving_.erase(m.id);
            return {};
        }
        const bool of_a_stream = m.kind == hub::message_kind::publication ||
                                 m.kind == hub::message_kind::direct ||
                                 (m.kind == hub::message_kind::presence && m.id == 0);
        if (!of_a_stream || m.channel().empty()) return {};
        const auto position = positions_.find(m.channel());
        if (position == positions_.end()) return "nobody subscribed to this";
        place& of = position->second;
        if (m.kind == hub::message_kind::direct) return part(of, m, replayed);
        if (m.kind != hub::message_kind::publication) return {};
        if (of.part != of.parts) return "the stream begins before the state is whole";
        of.has_begun = true;
        if (m.is_snapshot && m.payload() != "null") return "a snapshot is shown to who has the publications";
        if (m.offset != ++of.offset) return "the stream has a hole or a repetition";
        // A slow reader's queue treats the two in different ways (5.7).
        if (replayed != (m.offset <= of.replay_until)) return "a replay is taken for live, or the other way";
        return {};
    }

private:
    struct place {
        std::uint64_t offset = 0, replay_until = 0;
        bool state = false;                 // was asked for
        bool has_begun = false;             // the stream has
        std::uint64_t part = 0, parts = 0;  // of the state that came before
    };

    std::string asked(std::uint64_t number, const hub::message& m) {
        if (m.line.starts_with("{\"op\":\"cancel\""))
            return questions_.erase(number) == 0 ? "takes back what is not asked" : "";
        if (positions_.find(channel_of(m.line)) == positions_.end()) return "asks somebody who is not there";
        if (number <= last_question_) return "asks under the number of another question";
        questions_.insert(last_question_ = number);
        return {};
    }

    // A part of the state.
    static std::string part(place& of, const hub::message& m, bool replayed) {
        const std::uint64_t number = number_after(m.line, "\"part\":");
        if (number == 0) return {};
        if (!of.state || of.has_begun || !replayed) return "a state comes where nobody waits for one";
        const std::uint64_t parts = number_after(m.line, "\"parts\":");
        if (number != ++of.part || (of.parts != 0 && of.parts != parts)) return "a part is missing";
        of.parts = parts;
        const std::uint64_t covers = number_after(m.line, ",\"offset\":");
        if (covers != (number == parts ? of.offset : 0))
            return "a state does not end where the stream begins";
        // Together they count as one.
        if (number == parts) --of.replay_until;
        return {};
    }

    // Whether the client has unsubscribed, and the server has not carried it out.
    bool is_leaving(std::uint64_t subscribe) {
        return std::any_of(leaving_.begin(), leaving_.end(), [&](auto& one) {
            return one.second.erase(subscribe) != 0;
        });
    }

    static std::string channel_of(std::string_view line) {
        const std::string_view quoted = string_after(line, "\"channel\":");
        return std::string(quoted.substr(1, quoted.size() - 2));
    }

    std::map<std::string, std::set<std::uint64_t>> asked_;  // ids of subscribes without an answer, by channel
    std::set<std::uint64_t> states_;                        // of those that want the state
    std::map<std::uint64_t, std::set<std::uint64_t>> leaving_;  // ... by the unsubscribe that came after them
    std::map<std::string, place, std::less<>> positions_;       // by channel
    std::map<std::uint64_t, int> unanswered_;                   // commands with an id
    std::set<std::uint64_t> questions_;                         // of other clients, unanswered
    std::uint64_t last_question_ = 0;
};

}  // namespace pulsewire::sim
