// The real client machine speaks to the real hub, without a network in between: each
// understands what the other writes.

#include "common/client/machine.hpp"
#include "common/hub/hub.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire {
namespace {

using client::action;
using client::action_kind;

// One shard and any number of clients; what one side sends reaches the other at once and in order.
class conversation : public ::testing::Test {
protected:
    struct peer {
        explicit peer(const std::string& session) : machine({}, session, 1) {}

        client::machine machine;
        std::uint64_t connection = 0;
        std::uint32_t attempt = 0;
        std::map<std::uint32_t, std::string> payloads;
        std::vector<std::string> seen;
    };

    conversation() : hub_(config()) {}

    static hub::config config() {
        hub::config c;
        c.seed = 7;
        return c;
    }

    hub::instant now() const { return {now_ms, 1'700'000'000'000 + now_ms}; }

    void run(peer& p) {
        for (bool busy = true; busy;) {
            busy = false;
            const auto todo = take(p);
            for (const task& t : todo) {
                busy = true;
                obey(p, t);
            }
            pump();
        }
    }

    // An action and the text that it sends, kept apart from the machine.
    struct task {
        action what;
        std::string text;
    };

    static std::vector<task> take(peer& p) {
        std::vector<task> tasks;
        for (const action& a : p.machine.actions()) tasks.push_back({a, std::string(p.machine.text_of(a))});
        p.machine.clear_actions();
        return tasks;
    }

    void obey(peer& p, const task& t) {
        const action& a = t.what;
        switch (a.kind) {
            case action_kind::open_transport:
                p.connection = ++last_connection_;
                p.attempt = a.attempt;
                peers_[p.connection] = &p;
                hub_.open(p.connection, hub::face::protocol, {}, {}, now());
                p.machine.transport_opened(a.attempt, now_ms);
                break;
            case action_kind::send:
                hub_.receive(
                    p.connection, a.payload_of != 0 ? t.text + p.payloads[a.payload_of] + "}" : t.text, now()
                );
                break;
            case action_kind::close_transport:
                peers_.erase(p.connection);
                hub_.closed(p.connection, now());
                break;
            default:
                break;
        }
    }

    static std::vector<std::pair<hub::message_ptr, std::uint64_t>> sends_of(const hub::output& out) {
        std::vector<std::pair<hub::message_ptr, std::uint64_t>> all;
        for (const hub::output::send& s : out.sends)
            for (const std::uint64_t connection : out.to(s)) all.emplace_back(s.what, connection);
        return all;
    }

    void pump() {
        const hub::output todo = std::exchange(hub_.out(), {});
        for (const auto& [what, connection] : sends_of(todo)) {
            if (!peers_.contains(connection)) continue;
            peer& p = *peers_[connection];
            std::string line = what->line;
            line.pop_back();
            const auto payload = line.find("\"payload\":");
            const auto header = payload == std::string::npos ? line.size() : payload + 10;
            const std::size_t before = p.machine.actions().size();
            p.machine.line(
                p.attempt, std::string_view(line).substr(0, header), static_cast<std::uint32_t>(line.size()),
                now_ms
            );
            note(p, line, before);
        }
        for (auto& [connection, p] : peers_)
            if (!p->machine.actions().empty() && !todo.sends.empty()) return run(*p);
    }

    // Slices are good only until the next line: what counts is noted at once.
    void note(peer& p, std::string_view line, std::size_t from) {
        for (std::size_t i = from; i < p.machine.actions().size(); ++i) {
            const action& a = p.machine.actions()[i];
            if (a.kind == action_kind::deliver)
                p.seen.push_back(std::to_string(a.offset) + ":" + std::string(a.payload.of(line)));
            if (a.kind == action_kind::published)
                p.seen.push_back("published " + std::to_string(a.id) + " at " + std::to_string(a.offset));
            if (a.kind == action_kind::subscribed)
                p.seen.push_back(
                    a.outcome == client::recovery_outcome::fresh       ? "fresh"
                    : a.outcome == client::recovery_outcome::recovered ? "recovered"
                                                                       : "lost"
                );
        }
    }

    std::uint32_t publish(peer& p, std::string payload, client::publish_options how = {}) {
        const auto id =
            p.machine.publish("chat:1", "message", static_cast<std::uint32_t>(payload.size()), how, now_ms);
        p.payloads[id] = std::move(payload);
        run(p);
        return id;
    }

    void cut(peer& p) {
        peers_.erase(p.connection);
        hub_.closed(p.connection, now());
        hub_.out().clear();
        p.machine.transport_closed(p.attempt, 1006, now_ms);
        p.machine.clear_actions();
    }

    void come_back(peer& p) {
        now_ms += 25'000;
        p.machine.timer(now_ms);
        run(p);
    }

    std::int64_t now_ms = 1'000;
    hub::hub hub_;
    std::uint64_t last_connection_ = 0;
    std::map<std::uint64_t, peer*> peers_;
};

using lines = std::vector<std::string>;

TEST_F(conversation, messages_reach_subscribers_in_order_and_are_acknowledged) {
    peer ada("ada-session"), bob("bob-session");
    ada.machine.start(now_ms);
    bob.machine.start(now_ms);
    bob.machine.subscribe("chat:1", {}, now_ms);
    run(ada);
    run(bob);
    EXPECT_EQ(ada.machine.current(), client::state::open);
    const auto first = publish(ada, "1");
    const auto second = publish(ada, "{\"n\":2}");
    EXPECT_EQ(bob.seen, (lines{"fresh", "1:1", "2:{\"n\":2}"}));
    EXPECT_EQ(
        ada.seen,
        (lines{
            "published " + std::to_string(first) + " at 1", "published " + std::to_string(second) + " at 2"})
    );
}

TEST_F(conversation, a_client_that_was_away_gets_what_it_missed_once) {
    peer ada("ada-session"), bob("bob-session");
    ada.machine.start(now_ms);
    bob.machine.start(now_ms);
    bob.machine.subscribe("chat:1", {}, now_ms);
    run(ada);
    run(bob);
    publish(ada, "1");
    cut(bob);
    publish(ada, "2");
    publish(ada, "3");
    come_back(bob);
    publish(ada, "4");
    EXPECT_EQ(bob.seen, (lines{"fresh", "1:1", "recovered", "2:2", "3:3", "4:4"}));
}

TEST_F(conversation, a_publish_repeated_after_a_lost_answer_has_one_effect) {
    peer ada("ada-session"), bob("bob-session");
    ada.machine.start(now_ms);
    bob.machine.start(now_ms);
    bob.machine.subscribe("chat:1", {}, now_ms);
    run(ada);
    run(bob);
    const auto id = ada.machine.publish("chat:1", "message", 1, {}, now_ms);
    ada.payloads[id] = "1";
    for (const task& t : take(ada)) obey(ada, t);
    std::erase_if(hub_.out().sends, [&](const auto& s) { return hub_.out().to(s)[0] == ada.connection; });
    pump();
    cut(ada);
    come_back(ada);
    run(bob);
    EXPECT_EQ(ada.seen, (lines{"published " + std::to_string(id) + " at 1"}));
    EXPECT_EQ(bob.seen, (lines{"fresh", "1:1"}));
    EXPECT_EQ(hub_.count().duplicates, 1u);
}

TEST_F(conversation, without_echo_the_publisher_sees_the_others_messages_only_and_no_gap) {
    peer ada("ada-session"), bob("bob-session");
    ada.machine.start(now_ms);
    bob.machine.start(now_ms);
    ada.machine.subscribe("chat:1", {}, now_ms);
    bob.machine.subscribe("chat:1", {}, now_ms);
    run(ada);
    run(bob);
    const auto id = publish(ada, "1", {.echo = false, .transient = false, .timeout_ms = 0});
    publish(bob, "2");
    run(ada);
    EXPECT_EQ(ada.seen, (lines{"fresh", "published " + std::to_string(id) + " at 1", "2:2"}));
}

}  // namespace
}  // namespace pulsewire
