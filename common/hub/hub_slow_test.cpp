// The properties of a message that matter for slow subscribers: the policy of its namespace, and what it is
// the latest of (docs/protocol.md 4.17, 5.4).

#include "common/hub/hub.hpp"

#include <gtest/gtest.h>

namespace pulsewire::hub {
namespace {

constexpr instant now{1'000, 1'700'000'000'000};

// All that a subscriber of the channel is sent after something was published there.
std::vector<message_ptr> sent_for(const namespace_options& options, const std::string& more) {
    config c;
    c.namespaces["fast"] = options;
    c.store_id = 7;
    hub h(c);
    h.open(1, face::protocol, {}, {}, now);
    h.receive(1, R"({"op":"connect","version":1,"session":"abcdefgh"})", now);
    h.receive(1, R"({"op":"subscribe","id":1,"channel":"fast:a","presence":true,"payload":{}})", now);
    h.receive(1, R"({"op":"publish","id":2,"channel":"fast:a","type":"t",)" + more + R"("payload":1})", now);
    h.receive(1, R"({"op":"history","id":3,"channel":"fast:a"})", now);
    h.stored(1'000, now);
    std::vector<message_ptr> sent;
    for (const output::send& s : h.out().sends) sent.push_back(s.what);
    return sent;
}

class hub_slow : public ::testing::TestWithParam<std::pair<slow_consumer, durability>> {
protected:
    hub_slow() {
        options.slow_consumers = GetParam().first;
        options.keeps = GetParam().second;
    }
    namespace_options options;
};

TEST_P(hub_slow, publications_and_transient_messages_carry_the_policy_and_nothing_else_does) {
    for (const std::string transient : {"", R"("transient":true,)"}) {
        int of_the_channel = 0;
        for (const message_ptr& m : sent_for(options, transient)) {
            const bool from_a_publish =
                m->kind == message_kind::publication || m->kind == message_kind::direct;
            of_the_channel += from_a_publish ? 1 : 0;
            EXPECT_EQ(m->when_slow, from_a_publish ? GetParam().first : slow_consumer::disconnect) << m->line;
        }
        EXPECT_EQ(of_the_channel, 1);
    }
}

TEST_P(hub_slow, a_publication_says_what_it_is_the_latest_of) {
    for (const message_ptr& m : sent_for(options, R"("conflate":"AAPL",)")) {
        if (m->kind != message_kind::publication) continue;
        EXPECT_EQ(m->conflate(), "AAPL");
        EXPECT_NE(m->line.find(R"("conflate":"AAPL","payload":1})"), std::string::npos) << m->line;
    }
    for (const message_ptr& m : sent_for(options, "")) {
        EXPECT_EQ(m->conflate(), "");
        EXPECT_EQ(m->line.find("conflate"), std::string::npos);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Policies, hub_slow,
    ::testing::Values(
        std::pair{slow_consumer::disconnect, durability::memory},
        std::pair{slow_consumer::drop_oldest, durability::memory},
        std::pair{slow_consumer::latest_per_key, durability::memory},
        std::pair{slow_consumer::drop_oldest, durability::disk}
    )
);

}  // namespace
}  // namespace pulsewire::hub
