// The hub as keeper of channels, on one shard and on several, between which values take their time.

#include "common/exchange/message_text.hpp"
#include "common/hub/test_node.hpp"
#include "common/protocol/names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

// Some channel names, so that with several shards each of them owns some.
const texts channels = {"a", "chat:42", "b", "c", "news/2024"};

class hub_channel : public ::testing::TestWithParam<int> {
protected:
    explicit hub_channel(config c = {}) : node(static_cast<shard_index>(GetParam()), std::move(c)) {}

    // Clients sit on all shards in turn.
    client connect(const std::string& session) {
        return node.connect(static_cast<shard_index>(clients_++ % node.shards()), session);
    }
    void subscribe(client c, const std::string& channel, const std::string& more = {}) {
        node.say(c, R"({"op":"subscribe","id":1,"channel":")" + channel + "\"" + more + "}");
        node.settle();
    }
    void publish(
        client c, const std::string& channel, const std::string& json, const std::string& more = {}
    ) {
        node.say(
            c, R"({"op":"publish","id":2,"channel":")" + channel + R"(","type":"t")" + more +
                   R"(,"payload":)" + json + "}"
        );
        node.settle();
    }
    std::string epoch_of(client c, const std::string& channel) {
        node.say(c, R"({"op":"history","id":3,"channel":")" + channel + "\"}");
        return member_of(node.heard(c).back(), "epoch");
    }

    test_node node;
    int clients_ = 0;
    client ada = connect("ada-session"), bob = connect("bob-session"), eve = connect("eve-session");
};

class hub_channel_small : public hub_channel {
protected:
    static config small() {
        config c;
        c.default_namespace.history_count_max = 4;
        c.bounds.recovery_max = 3;
        return c;
    }
    hub_channel_small() : hub_channel(small()) {}
};

std::string shards_of(const ::testing::TestParamInfo<int>& info) {
    return std::to_string(info.param) + (info.param == 1 ? "_shard" : "_shards");
}
INSTANTIATE_TEST_SUITE_P(with, hub_channel, ::testing::Values(1, 3), shards_of);
INSTANTIATE_TEST_SUITE_P(with, hub_channel_small, ::testing::Values(1, 3), shards_of);

// --- subscribe and publish (4.3, 4.8, 4.9, 5.1) ---

TEST_P(hub_channel, everybody_gets_what_is_published_in_order) {
    for (const auto& channel : channels) {
        subscribe(ada, channel);
        subscribe(bob, channel);
    }
    for (const auto& channel : channels) {
        publish(ada, channel, "1");
        publish(eve, channel, "{\"n\":2}");
    }
    EXPECT_EQ(node.heard(bob).size(), 3 * channels.size());
    const texts heard = node.heard(ada);
    std::map<std::string, texts> offsets;
    for (const auto& line : heard)
        if (!member_of(line, "payload").empty())
            offsets[member_of(line, "channel")].push_back(member_of(line, "offset"));
    for (const auto& channel : channels) EXPECT_EQ(offsets[channel], (texts{"1", "2"})) << channel;
}

TEST_P(hub_channel, a_publication_looks_as_written_down) {
    subscribe(bob, "chat:42");
    publish(ada, "chat:42", R"({"text":"h\u00e9"})");
    const texts heard = node.heard(bob);
    ASSERT_EQ(heard.size(), 2u);
    const std::string epoch = member_of(heard[0], "epoch");
    EXPECT_EQ(
        heard[0],
        R"({"op":"subscribed","id":1,"channel":"chat:42","epoch":")" + epoch + R"(","offset":0,"replay":0})"
    );
    EXPECT_TRUE(is_epoch(epoch));
    EXPECT_EQ(
        heard[1],
        R"({"type":"t","channel":"chat:42","offset":1,"time":1700000001000,"payload":{"text":"h\u00e9"}})"
    );
    EXPECT_EQ(
        node.heard(ada),
        texts{R"({"op":"published","id":2,"channel":"chat:42","epoch":")" + epoch + R"(","offset":1})"}
    );
}

TEST_P(hub_channel, the_answer_of_a_publish_comes_behind_the_publication) {
    subscribe(ada, "a");
    node.heard(ada);
    publish(ada, "a", "1");
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"", "published"}));
}

// The number by which a shell knows that a publication goes to the same connections as the one before it.
TEST(hub, an_audience_is_the_same_until_somebody_comes_or_goes) {
    hub h({});
    const instant now{1, 1};
    for (const std::uint64_t connection : {1, 2, 3}) {
        h.open(connection, face::protocol, {}, {}, now);
        h.receive(
            connection,
            R"({"op":"connect","version":1,"session":"session-)" + std::to_string(connection) + "\"}", now
        );
    }
    h.open(4, face::plain_websocket, {}, "session-4", now);
    const auto say = [&](std::uint64_t connection, const std::string& op, const std::string& more = "") {
        h.out().clear();
        h.receive(connection, "{\"op\":\"" + op + "\",\"channel\":\"a\"" + more + "}", now);
    };
    // The audience of a publication of the third.
    const auto audience = [&](const std::string& more = "") {
        say(3, "publish", R"(,"type":"t","payload":1)" + more);
        EXPECT_EQ(h.out().sends.size(), 1u);
        return h.out().sends.at(0).audience;
    };
    say(1, "subscribe");
    EXPECT_EQ(h.out().sends.at(0).audience, 0u);
    std::set<std::uint64_t> seen{0};
    const auto is_new = [&](std::uint64_t number) { return seen.insert(number).second; };
    const std::uint64_t alone = audience();
    EXPECT_TRUE(is_new(alone));
    EXPECT_EQ(audience(), alone);
    EXPECT_EQ(audience(R"(,"transient":true)"), alone);
    say(2, "subscribe");
    const std::uint64_t both = audience();
    EXPECT_TRUE(is_new(both));
    // The same connections, but one of them left in between.
    say(2, "unsubscribe");
    say(2, "subscribe");
    EXPECT_TRUE(is_new(audience()));
    h.closed(2, now);
    EXPECT_TRUE(is_new(audience()));
    // One that leaves out its publisher is a number of its own, and changes nothing for others.
    command c;
    c.op = command_op::subscribe;
    c.channel = "a";
    h.execute(4, c, now);
    const std::uint64_t with_plain = audience();
    EXPECT_TRUE(is_new(with_plain));
    c.op = command_op::publish;
    c.type = "message";
    c.payload = "1";
    c.echo = false;
    for (int i = 0; i < 2; ++i) {
        h.out().clear();
        h.execute(4, c, now);
        EXPECT_TRUE(is_new(h.out().sends.at(0).audience));
    }
    EXPECT_EQ(audience(), with_plain);
}

TEST_P(hub_channel, subscribing_twice_is_refused_even_before_the_first_answer) {
    node.say(
        ada, R"({"op":"subscribe","id":1,"channel":"a"})"
             "\n"
             R"({"op":"subscribe","id":2,"channel":"a"})"
    );
    texts heard = node.heard(ada);
    std::sort(heard.begin(), heard.end());
    EXPECT_EQ(members_of(heard, "op"), (texts{"error", "subscribed"}));
    EXPECT_EQ(member_of(heard[0], "code"), "already_subscribed");
    EXPECT_EQ(member_of(heard[0], "id"), "2");
}

TEST_P(hub_channel, nothing_comes_after_unsubscribed) {
    subscribe(ada, "a");
    subscribe(bob, "a");
    node.say(ada, R"({"op":"unsubscribe","id":5,"channel":"a"})");
    publish(eve, "a", "1");
    EXPECT_EQ(node.heard(ada).back(), R"({"op":"unsubscribed","id":5,"channel":"a"})");
    EXPECT_EQ(node.heard(bob).size(), 2u);
    node.say(ada, R"({"op":"unsubscribe","id":6,"channel":"a"})");
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"not_subscribed"});
}

TEST_P(hub_channel, a_subscription_that_ends_before_its_answer_gets_none) {
    node.say(
        ada, R"({"op":"subscribe","id":1,"channel":"a"})"
             "\n"
             R"({"op":"unsubscribe","id":2,"channel":"a"})"
             "\n"
             R"({"op":"subscribe","id":3,"channel":"a"})"
    );
    node.settle();
    publish(bob, "a", "1");
    texts heard = node.heard(ada);
    if (node.shards() == 1) heard.erase(heard.begin());  // answered at once
    ASSERT_EQ(members_of(heard, "id"), (texts{"2", "3", ""}));
    EXPECT_EQ(member_of(heard[1], "offset"), "0");
}

TEST_P(hub_channel, a_connection_that_ends_leaves_nothing_behind) {
    for (const auto& channel : channels) {
        subscribe(ada, channel);
        node.say(bob, R"({"op":"subscribe","channel":")" + channel + "\"}");
    }
    node.close(bob);  // with answers on their way
    node.close(ada);
    node.settle();
    EXPECT_EQ(node.subscription_count(), 0u);
    for (const auto& channel : channels) publish(eve, channel, "1");
    EXPECT_EQ(node.heard(ada).size(), channels.size());
    const texts heard = node.heard(bob);
    EXPECT_EQ(members_of(heard, "type"), texts(heard.size())) << "no publication";
}

TEST_P(hub_channel, a_connection_id_that_is_used_again_inherits_nothing) {
    node.say(ada, R"({"op":"subscribe","id":1,"channel":"a"})");
    node.close(ada);
    node.heard_so_far(ada);
    node.reopen(ada);
    node.say(
        ada, R"({"op":"connect","version":1,"session":"new-session"})"
             "\n"
             R"({"op":"subscribe","id":9,"channel":"a"})"
    );
    node.settle();
    publish(bob, "a", "1");
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"welcome", "subscribed", ""}));
}

// --- publish: keys, except, transient (4.9 to 4.11) ---

TEST_P(hub_channel, a_repeated_key_has_one_effect_and_the_first_position) {
    subscribe(bob, "a");
    publish(ada, "a", "1", R"(,"key":"k1")");
    publish(ada, "a", "2", R"(,"key":"k2")");
    publish(ada, "a", "1", R"(,"key":"k1")");
    publish(eve, "b", "1", R"(,"key":"k1")");
    EXPECT_EQ(members_of(node.heard(ada), "offset"), (texts{"1", "2", "1"}));
    EXPECT_EQ(members_of(node.heard(bob), "offset"), (texts{"0", "1", "2"}));
    EXPECT_EQ(members_of(node.heard(eve), "offset"), texts{"1"}) << "in another channel it is another key";
}

TEST_P(hub_channel, a_key_is_forgotten_after_its_window) {
    publish(ada, "a", "1", R"(,"key":"k1")");
    node.skip(5 * 60'000);
    publish(ada, "a", "1", R"(,"key":"k1")");
    node.skip(1);
    publish(ada, "a", "1", R"(,"key":"k1")");
    EXPECT_EQ(members_of(node.heard(ada), "offset"), (texts{"1", "1", "2"}));
}

TEST_P(hub_channel, the_time_of_publications_never_runs_back) {  // 5.1
    subscribe(ada, "a");
    const auto time_of_next = [&](const std::string& more) {
        publish(ada, "a", "1", more);
        for (const auto& line : node.heard(ada))
            if (!member_of(line, "time").empty()) return std::stoll(member_of(line, "time"));
        return 0LL;
    };
    const std::int64_t before = time_of_next("");
    node.set_clock(-3'600'000);
    EXPECT_EQ(time_of_next(""), before);
    EXPECT_EQ(time_of_next(R"(,"transient":true)"), before);
    node.set_clock(7'200'000);
    EXPECT_EQ(time_of_next(""), before + 3'600'000);
}

TEST_P(hub_channel, without_echo_the_publication_names_whom_it_is_not_for) {
    subscribe(ada, "a");
    subscribe(bob, "a");
    publish(ada, "a", "1", R"(,"echo":false)");
    EXPECT_EQ(member_of(node.heard(bob).at(1), "except"), ada_name);
    const texts heard = node.heard(ada);
    EXPECT_EQ(member_of(heard.at(1), "except"), ada_name)
        << "the publisher gets it too: offsets have no gaps";
}

TEST_P(hub_channel, a_plain_socket_does_not_get_its_own_messages) {  // 10.1
    const client plain = node.open(0, face::plain_websocket, {}, "plain-session");
    command c;
    c.op = command_op::subscribe;
    c.channel = "a";
    node.at(0).execute(plain.connection, c, node.now());
    c.op = command_op::publish;
    c.type = "message";
    c.payload = "\"x\"";
    c.echo = false;
    node.carry_out(0);
    node.settle();
    node.at(0).execute(plain.connection, c, node.now());
    node.carry_out(0);
    publish(ada, "a", "2");
    EXPECT_EQ(members_of(node.heard(plain), "payload"), (texts{"", "2"}));
}

TEST_P(hub_channel, a_transient_message_has_no_place_and_is_not_kept) {
    subscribe(bob, "a");
    publish(ada, "a", "1");
    publish(ada, "a", "\"typing\"", R"(,"transient":true,"key":"k")");
    publish(ada, "a", "2");
    EXPECT_EQ(node.heard(ada).at(1), R"({"op":"published","id":2,"channel":"a"})");
    const texts heard = node.heard(bob);
    EXPECT_EQ(members_of(heard, "offset"), (texts{"0", "1", "", "2"}));
    EXPECT_EQ(heard[2], R"({"type":"t","channel":"a","time":1700000001000,"payload":"typing"})");
    node.say(eve, R"({"op":"history","id":3,"channel":"a"})");
    EXPECT_EQ(node.heard(eve).at(0).find("typing"), std::string::npos);
}

// --- recovery (4.4, 4.5) ---

TEST_P(hub_channel, what_was_missed_is_replayed_behind_the_answer) {
    const std::string epoch = epoch_of(ada, "a");
    for (int i = 1; i <= 5; ++i) publish(ada, "a", std::to_string(i));
    subscribe(bob, "a", R"(,"epoch":")" + epoch + R"(","offset":2)");
    publish(ada, "a", "6");
    const texts heard = node.heard(bob);
    EXPECT_EQ(
        heard.at(0), R"({"op":"subscribed","id":1,"channel":"a","epoch":")" + epoch +
                         R"(","offset":2,"replay":3,"recovered":true})"
    );
    EXPECT_EQ(members_of(heard, "payload"), (texts{"", "3", "4", "5", "6"}));
    EXPECT_EQ(node.owner_of("a").count().recoveries, 1u);
}

TEST_P(hub_channel, nothing_missed_is_recovered_too) {
    const std::string epoch = epoch_of(ada, "a");
    subscribe(bob, "a", R"(,"epoch":")" + epoch + R"(","offset":0)");
    EXPECT_EQ(member_of(node.heard(bob).at(0), "recovered"), "true");
}

TEST_P(hub_channel, another_epoch_cannot_be_recovered) {
    publish(ada, "a", "1");
    const std::string epoch = epoch_of(eve, "a");
    subscribe(bob, "a", R"(,"epoch":"other","offset":0)");
    texts heard = node.heard(bob);
    ASSERT_EQ(heard.size(), 1u);
    EXPECT_EQ(
        heard[0], R"({"op":"subscribed","id":1,"channel":"a","epoch":")" + epoch +
                      R"(","offset":1,"replay":0,"recovered":false,"reason":"epoch_changed"})"
    );
    subscribe(ada, "a", R"(,"epoch":")" + epoch + R"(","offset":2)");
    heard = node.heard(ada);
    EXPECT_EQ(member_of(heard.back(), "reason"), "epoch_changed") << "a position that never was";
    EXPECT_EQ(node.owner_of("a").count().failed_recoveries, 2u);
}

TEST_P(hub_channel_small, what_the_history_does_not_hold_has_expired) {
    const std::string epoch = epoch_of(ada, "a");
    for (int i = 1; i <= 6; ++i) publish(ada, "a", std::to_string(i));
    node.skip(10 * 60'000 + 1);  // what was kept is too old now
    publish(ada, "a", "7");
    subscribe(bob, "a", R"(,"latest":3,"epoch":")" + epoch + R"(","offset":5)");
    const texts heard = node.heard(bob);
    EXPECT_EQ(member_of(heard.at(0), "reason"), "expired");
    EXPECT_EQ(members_of(heard, "offset"), (texts{"6", "7"})) << "never partial: then as latest says";
}

TEST_P(hub_channel_small, more_than_recovery_max_is_not_replayed) {
    const std::string epoch = epoch_of(ada, "a");
    for (int i = 1; i <= 4; ++i) publish(ada, "a", std::to_string(i));
    subscribe(bob, "a", R"(,"epoch":")" + epoch + R"(","offset":1)");
    EXPECT_EQ(members_of(node.heard(bob), "offset"), (texts{"1", "2", "3", "4"}));
    subscribe(eve, "a", R"(,"epoch":")" + epoch + R"(","offset":0)");
    const texts heard = node.heard(eve);
    EXPECT_EQ(member_of(heard.at(0), "reason"), "limit");
    EXPECT_EQ(members_of(heard, "offset"), texts{"4"});
}

TEST_P(hub_channel_small, latest_replays_the_newest_up_to_a_bound) {
    subscribe(ada, "a", R"(,"latest":2)");
    EXPECT_EQ(members_of(node.heard(ada), "offset"), texts{"0"});
    for (int i = 1; i <= 6; ++i) publish(eve, "a", std::to_string(i));
    subscribe(bob, "a", R"(,"latest":2)");
    const texts heard = node.heard(bob);
    EXPECT_EQ(members_of(heard, "offset"), (texts{"4", "5", "6"}));
    EXPECT_EQ(member_of(heard[0], "replay"), "2");
    EXPECT_EQ(heard[0].find("recovered"), std::string::npos);
    const client zoe = connect("zoe-session");
    subscribe(zoe, "a", R"(,"latest":9007199254740991)");
    EXPECT_EQ(members_of(node.heard(zoe), "offset"), (texts{"3", "4", "5", "6"}));
}

// --- history (4.14) ---

TEST_P(hub_channel_small, history_is_read_in_pages) {
    for (int i = 1; i <= 6; ++i) publish(ada, "a", std::to_string(i));  // 3 to 6 are kept
    struct page {
        std::string asked, offsets, more;
    };
    for (const page& p : std::vector<page>{
             {R"()", "3 4 5 ", "true"},
             {R"(,"offset":5)", "6 ", "false"},
             {R"(,"offset":6)", "", "false"},
             {R"(,"offset":3,"limit":2)", "4 5 ", "true"},
             {R"(,"offset":4,"limit":2)", "5 6 ", "false"},
             {R"(,"backwards":true)", "6 5 4 ", "true"},
             {R"(,"backwards":true,"limit":1)", "6 ", "true"},
             {R"(,"backwards":true,"offset":5)", "4 3 ", "false"},
             {R"(,"backwards":true,"offset":3)", "", "false"},
             {R"(,"backwards":true,"offset":0)", "", "false"},
             {R"(,"backwards":true,"offset":9007199254740991,"limit":2)", "6 5 ", "true"}}) {
        node.say(bob, R"({"op":"history","id":8,"channel":"a")" + p.asked + "}");
        const texts heard = node.heard(bob);
        ASSERT_EQ(heard.size(), 1u);
        std::string offsets;
        for (std::size_t at = 0;
             (at = heard[0].find("\"type\":\"t\",\"channel\":\"a\",\"offset\":", at)) != std::string::npos;
             ++at)
            offsets += heard[0].substr(at + 34, 1) + " ";
        EXPECT_EQ(offsets, p.offsets) << p.asked;
        EXPECT_EQ(member_of(heard[0], "more"), p.more) << p.asked;
        EXPECT_EQ(member_of(heard[0], "offset"), "6") << "the head";
    }
}

// Four publications are kept.
TEST_P(hub_channel_small, a_page_tells_that_what_was_asked_for_first_is_gone) {
    for (int i = 1; i <= 10; ++i) publish(ada, "a", std::to_string(i));
    const auto missed = [&](const std::string& asked) {
        node.say(bob, R"({"op":"history","id":8,"channel":"a")" + asked + "}");
        return member_of(node.heard(bob).at(0), "missed");
    };
    EXPECT_EQ(missed(R"(,"offset":0)"), "true");
    EXPECT_EQ(missed(R"(,"offset":5)"), "true");
    EXPECT_EQ(missed(R"(,"offset":6)"), "") << "7 to 10 are there";
    EXPECT_EQ(missed(R"(,"offset":10)"), "");
    EXPECT_EQ(missed(R"(,"offset":99)"), "");
    EXPECT_EQ(missed(""), "") << "from the oldest on";
    EXPECT_EQ(missed(R"(,"offset":8,"backwards":true)"), "");
}

TEST_P(hub_channel, history_is_read_from_a_time_on_and_back_from_it) {
    const std::int64_t begin = node.now().wall_ms;
    for (int i = 1; i <= 4; ++i) {
        publish(ada, "a", std::to_string(i));
        node.settle();
        node.skip(100);
    }
    const auto payloads = [&](const std::string& asked) {
        node.say(bob, R"({"op":"history","id":8,"channel":"a",)" + asked + "}");
        std::string found;
        const std::string heard = node.heard(bob).at(0);
        for (std::size_t at = 0; (at = heard.find("\"payload\":", at)) != std::string::npos; at += 10)
            if (heard[at + 10] != '[') found += heard.substr(at + 10, 1);
        return found;
    };
    const auto at = [&](std::int64_t after_ms) { return "\"time\":" + std::to_string(begin + after_ms); };
    EXPECT_EQ(payloads(at(100)), "234");
    EXPECT_EQ(payloads(at(101)), "34");
    EXPECT_EQ(payloads(at(101) + ",\"limit\":1"), "3");
    EXPECT_EQ(payloads(at(9'999)), "");
    EXPECT_EQ(payloads("\"time\":0"), "1234");
    EXPECT_EQ(payloads(at(200) + ",\"backwards\":true"), "21");
    EXPECT_EQ(payloads(at(0) + ",\"backwards\":true"), "");
    EXPECT_EQ(payloads(at(9'999) + ",\"backwards\":true,\"limit\":2"), "43");
    node.say(bob, R"({"op":"history","id":8,"channel":"a","offset":1,"time":1})");
    EXPECT_EQ(member_of(node.heard(bob).at(0), "code"), "invalid_frame");
}

TEST_P(hub_channel, history_asks_for_at_most_300) {
    node.say(ada, R"({"op":"history","id":8,"channel":"a","limit":301})");
    EXPECT_EQ(
        node.heard(ada),
        texts{R"({"op":"error","id":8,"code":"invalid_frame","message":"\"limit\" is at most 300"})"}
    );
    for (int i = 1; i <= 101; ++i) publish(ada, "a", "1");
    node.heard(ada);
    node.say(ada, R"({"op":"history","id":8,"channel":"a"})");
    const std::string heard = node.heard(ada).at(0);
    EXPECT_NE(heard.find("\"offset\":100,"), std::string::npos);
    EXPECT_EQ(heard.find("\"offset\":102,"), std::string::npos);
    EXPECT_EQ(member_of(heard, "more"), "true") << "100 unless told";
}

TEST_P(hub_channel, a_page_of_history_is_short_when_its_messages_are_long) {
    const auto text = [](std::size_t bytes) { return "\"" + std::string(bytes, 'x') + "\""; };
    for (int i = 0; i < 5; ++i) publish(ada, "a", text(60'000));
    pulsewire::hub::publish from_the_application;  // whose messages may be longer than those of clients
    from_the_application.channel = "a";
    from_the_application.type = "t";
    from_the_application.payload = text(200'000);
    node.post(node.owner_index("a"), channel_change(std::move(from_the_application)));
    node.heard(ada);
    const auto ask = [&](const std::string& more) {
        node.say(bob, R"({"op":"history","id":8,"channel":"a")" + more + "}");
        const std::string heard = node.heard(bob).at(0);
        std::string offsets = member_of(heard, "more") + " ";
        for (int o = 1; o <= 6; ++o)
            if (heard.find("\"offset\":" + std::to_string(o) + ",\"time\"") != std::string::npos)
                offsets += std::to_string(o);
        return offsets;
    };
    EXPECT_EQ(ask(""), "true 12");
    EXPECT_EQ(ask(R"(,"offset":2)"), "true 34");
    EXPECT_EQ(ask(R"(,"offset":5)"), "false 6") << "one in any case";
    EXPECT_EQ(ask(R"(,"backwards":true)"), "true 6");
    EXPECT_EQ(ask(R"(,"backwards":true,"offset":6)"), "true 45");
    EXPECT_EQ(ask(R"(,"backwards":true,"offset":2)"), "false 1");
}

// --- presence (4.6, 4.7, 4.16) ---

TEST_P(hub_channel, who_wants_to_know_hears_who_is_there_who_comes_and_who_goes) {
    subscribe(eve, "a");
    subscribe(ada, "a", R"(,"presence":true,"payload":{"name":"Ada"})");
    publish(eve, "a", "1");
    subscribe(bob, "a", R"(,"latest":1,"presence":true,"payload":{"name":"Bob"})");
    node.say(bob, R"({"op":"unsubscribe","channel":"a"})");
    node.pass(2'000);
    EXPECT_EQ(
        node.heard(ada),
        (texts{
            R"({"op":"subscribed","id":1,"channel":"a","epoch":")" + epoch_of(eve, "a") +
                R"(","offset":0,"replay":0})",
            R"({"op":"presence","channel":"a","payload":[{"session":")" + ada_name +
                R"(","info":{"name":"Ada"}}]})",
            R"({"type":"t","channel":"a","offset":1,"time":1700000001000,"payload":1})",
            R"({"op":"join","channel":"a","session":")" + bob_name + R"(","payload":{"name":"Bob"}})"})
    );
    EXPECT_EQ(members_of(node.heard(bob), "op"), (texts{"subscribed", "presence", ""}))
        << "the list comes before the replay, and no join of oneself";
    node.pass(2'000);
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"leave","channel":"a","session":")" + bob_name + R"("})"});
    for (const auto& line : node.heard(eve))
        EXPECT_TRUE(member_of(line, "op") != "join" && member_of(line, "op") != "leave");
}

TEST_P(hub_channel, a_reload_is_no_leave) {
    subscribe(ada, "a", R"(,"presence":true)");
    subscribe(bob, "a", R"(,"payload":1)");
    node.heard(ada);
    node.close(bob);
    node.pass(2'000);
    const client again = connect("bob-session");
    subscribe(again, "a", R"(,"payload":1)");
    node.pass(20'000);
    EXPECT_EQ(node.heard(ada), texts{});
    node.close(again);
    node.pass(4'000);
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"ping", "leave"}));
}

TEST_P(hub_channel, a_session_with_two_connections_leaves_with_the_second) {
    subscribe(ada, "a", R"(,"presence":true)");
    const client first = connect("zoe-session"), second = connect("zoe-session");
    subscribe(first, "a", R"(,"payload":1)");
    subscribe(second, "a", R"(,"payload":1)");
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"subscribed", "presence", "join"}));
    node.close(first);
    node.pass(10'000);
    EXPECT_EQ(node.heard(ada), texts{});
    node.close(second);
    node.pass(10'000);
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"leave"});
}

TEST_P(hub_channel, presence_can_be_asked_for_without_subscribing) {
    subscribe(bob, "a", R"(,"payload":[1,"\"x"])");
    node.say(ada, R"({"op":"presence","id":9,"channel":"a"})");
    EXPECT_EQ(
        node.heard(ada),
        texts{
            R"({"op":"presence","id":9,"channel":"a","payload":[{"session":")" + bob_name +
            R"(","info":[1,"\"x"]}]})"}
    );
    node.say(ada, R"({"op":"presence","id":9,"channel":"b"})");
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"presence","id":9,"channel":"b","payload":[]})"});
}

TEST_P(hub_channel, asking_for_presence_and_passing_words_make_no_channel) {
    node.say(ada, R"({"op":"presence","id":9,"channel":"b"})");
    publish(ada, "b", "\"typing\"", R"(,"transient":true)");
    EXPECT_EQ(node.heard(ada).back(), R"({"op":"published","id":2,"channel":"b"})");
    EXPECT_EQ(node.channel_count(), 0u);
}

TEST_P(hub_channel, presence_info_has_a_bound) {
    const auto info = [](std::size_t bytes) {
        return R"(,"payload":")" + std::string(bytes - 2, 'x') + "\"";
    };
    subscribe(ada, "a", info(1'025));
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"too_large"});
    subscribe(ada, "a", info(1'024));
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"subscribed"});
}

// --- namespaces and limits ---

class hub_channel_options : public hub_channel {
protected:
    static config options() {
        config c;
        namespace_options& news = c.namespaces["news"];
        news.client_publish = false;
        news.presence = false;
        news.history_count_max = 1;
        c.bounds.presence_members_max = 1;
        c.bounds.channels_max = 2;
        return c;
    }
    hub_channel_options() : hub_channel(options()) {}
};
INSTANTIATE_TEST_SUITE_P(with, hub_channel_options, ::testing::Values(1, 3), shards_of);

TEST_P(hub_channel_options, a_namespace_may_forbid_publishing_and_presence) {
    publish(ada, "news:1", "1");
    subscribe(ada, "news:1", R"(,"presence":true)");
    subscribe(ada, "news:1", R"(,"payload":1)");
    node.say(ada, R"({"op":"presence","id":9,"channel":"news:1"})");
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts(4, "forbidden"));
    EXPECT_EQ(node.channel_count(), 0u);
    subscribe(ada, "news:1");
    const client api = node.open(0, face::api, {}, "api-session");
    publish(api, "news:1", "1");
    EXPECT_EQ(members_of(node.heard(ada), "offset"), (texts{"0", "1"})) << "the HTTP API may";
    publish(ada, "newsroom:1", "1");
    EXPECT_EQ(member_of(node.heard(ada).at(0), "op"), "published") << "the default namespace";
}

TEST_P(hub_channel_options, a_namespace_keeps_as_much_history_as_it_says) {
    const client api = node.open(0, face::api, {}, "api-session");
    for (int i = 0; i < 3; ++i) publish(api, "news:1", "1");
    subscribe(ada, "news:1", R"(,"latest":10)");
    EXPECT_EQ(members_of(node.heard(ada), "offset"), (texts{"2", "3"}));
}

TEST_P(hub_channel_options, who_finds_no_room_in_presence_is_subscribed_but_not_listed) {
    subscribe(ada, "a", R"(,"presence":true,"payload":1)");
    subscribe(bob, "a", R"(,"presence":true,"payload":1)");
    publish(eve, "a", "1");
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"subscribed", "presence", ""}));
    const texts heard = node.heard(bob);
    EXPECT_EQ(members_of(heard, "op"), (texts{"subscribed", "presence", ""}));
    EXPECT_EQ(member_of(heard.at(1), "payload"), R"([{"session":")" + ada_name + R"(","info":1}])");
    node.close(bob);
    node.pass(10'000);
    EXPECT_EQ(node.heard(ada), texts{}) << "and leaves without a word";
}

TEST_P(hub_channel_options, a_shard_with_too_many_channels_in_use_takes_no_new_ones) {
    if (node.shards() > 1) return;
    subscribe(bob, "a", {});
    subscribe(bob, "b", {});
    publish(ada, "b", "1");
    node.heard(ada);
    publish(ada, "c", "1");
    subscribe(ada, "c", R"(,"payload":1)");
    node.say(
        ada, R"({"op":"history","id":3,"channel":"c"})"
             "\n"
             R"({"op":"presence","id":4,"channel":"c"})"
    );
    EXPECT_EQ(members_of(node.heard(ada), "code"), (texts{"overloaded", "overloaded", "", ""}))
        << "what is only read needs no room";
    EXPECT_EQ(node.subscription_count(), 2u) << "and the subscription is gone";
    publish(ada, "b", "2");
    EXPECT_EQ(member_of(node.heard(ada).at(0), "offset"), "2") << "the others go on";
}

TEST_P(hub_channel_options, of_too_many_channels_the_one_that_nobody_used_for_longest_makes_room) {
    if (node.shards() > 1) return;
    subscribe(bob, "a", {});
    publish(ada, "a", "1");
    publish(ada, "b", "1");
    const std::string epoch = epoch_of(ada, "b");
    node.heard(ada);
    for (const char* name : {"c", "d", "e"}) publish(ada, name, "1");
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"published", "published", "published"}));
    EXPECT_EQ(node.channel_count(), 2u);
    publish(ada, "a", "2");
    EXPECT_EQ(member_of(node.heard(ada).at(0), "offset"), "2") << "a channel with a subscriber stays";
    EXPECT_NE(epoch_of(ada, "b"), epoch) << "and who saw the forgotten one learns that it began again";
}

// --- memory ---

TEST_P(hub_channel, a_channel_is_forgotten_when_nobody_needs_it_and_has_a_new_epoch_then) {
    const std::string epoch = epoch_of(ada, "a");
    publish(ada, "a", "1");
    subscribe(bob, "a", R"(,"payload":1)");
    const auto keep_alive = [&](client c) { node.say(c, R"({"op":"pong"})"); };
    for (int minute = 0; minute < 120; ++minute) {
        node.pass(20'000);
        keep_alive(bob);
    }
    EXPECT_EQ(node.channel_count(), 1u) << "as long as somebody is there";
    EXPECT_EQ(node.session_count(), 1u);
    node.close(bob);
    node.pass(59 * 60'000);
    EXPECT_EQ(node.channel_count(), 1u);
    node.pass(90'000);
    EXPECT_EQ(node.channel_count(), 0u);
    const client zoe = connect("zoe-session");
    EXPECT_NE(epoch_of(zoe, "a"), epoch);
}

// More than one tick looks through.
TEST_P(hub_channel, of_very_many_channels_all_are_forgotten_when_nobody_needs_them) {
    if (node.shards() > 1) return;
    constexpr std::size_t many = 50'000;
    for (std::size_t i = 0; i < many; ++i) {
        // As quickly as one client may.
        if (i % 1'000 == 0) node.pass(1'000);
        node.say(ada, R"({"op":"publish","channel":"c)" + std::to_string(i) + R"(","type":"t","payload":1})");
    }
    EXPECT_EQ(node.channel_count(), many);
    node.pass(62 * 60'000);
    EXPECT_EQ(node.channel_count(), 0u);
}

TEST_P(hub_channel, all_memory_comes_back_when_everybody_leaves) {
    std::vector<client> clients;
    for (int i = 0; i < 20; ++i) {
        clients.push_back(connect("session-" + std::to_string(i)));
        for (int j = 0; j < 10; ++j) {
            const std::string channel = "room:" + std::to_string((i + j) % 15);
            subscribe(clients.back(), channel, j % 2 == 0 ? R"(,"presence":true,"payload":1)" : "");
            publish(clients.back(), channel, "1", R"(,"key":"k)" + std::to_string(j) + "\"");
        }
    }
    EXPECT_EQ(node.subscription_count(), 200u);
    EXPECT_EQ(node.channel_count(), 15u);
    for (const client c : clients) node.close(c);
    for (const client c : {ada, bob, eve}) node.close(c);
    node.pass(70 * 60'000);
    EXPECT_EQ(node.session_count() + node.subscription_count() + node.channel_count(), 0u);
}

// --- the application in the middle of every publish ---

class hub_channel_application : public hub_channel {
protected:
    static config told() {
        config c;
        c.observers = {{.publishes = true}};
        return c;
    }
    hub_channel_application() : hub_channel(told()) {}

    // The application refuses publishes whose payload is `refuse`, and passes on the others.
    void pass_on(const std::string& refuse = "none") {
        for (to_observer& m : node.told()) {
            auto& p = std::get<client_publish>(m);
            if (p.what.payload != refuse) {
                const shard_index owner = node.owner_index(p.what.channel);
                node.post(owner, std::move(p.what));
            } else {
                node.post(
                    p.what.from.shard,
                    reply{p.what.from, make_error(p.what.id, error_code::rejected, "no"), 0}
                );
            }
        }
        node.settle();
    }
};
INSTANTIATE_TEST_SUITE_P(with, hub_channel_application, ::testing::Values(1, 3), shards_of);

TEST_P(hub_channel_application, sees_each_publish_before_it_has_an_effect) {
    subscribe(bob, "a");
    publish(ada, "a", "1");
    EXPECT_EQ(node.heard(bob).size(), 1u);
    EXPECT_EQ(node.heard(ada), texts{});
    pass_on();
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{"1"});
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"published"});
}

TEST_P(hub_channel_application, may_refuse_one) {
    subscribe(bob, "a");
    publish(ada, "a", "1");
    publish(ada, "a", "2");
    publish(ada, "a", "3", R"(,"echo":false,"key":"k")");
    pass_on("2");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), (texts{"", "1", "3"}));
    texts heard = node.heard(ada);
    std::sort(heard.begin(), heard.end());
    EXPECT_EQ(members_of(heard, "op"), (texts{"error", "published", "published"}));
    EXPECT_EQ(heard[0], R"({"op":"error","id":2,"code":"rejected","message":"no"})");
}

TEST_P(hub_channel_application, keeps_the_order_of_a_client) {
    subscribe(bob, "a");
    std::string many;
    texts expected = {""};
    for (int i = 0; i < 50; ++i) {
        many += R"({"op":"publish","channel":"a","type":"t","payload":)" + std::to_string(i) + "}\n";
        expected.push_back(std::to_string(i));
    }
    node.say(ada, many);
    pass_on();
    EXPECT_EQ(members_of(node.heard(bob), "payload"), expected);
}

TEST_P(hub_channel_application, may_publish_itself_without_an_answer) {
    subscribe(bob, "a");
    pulsewire::hub::publish p;
    p.channel = "a";
    p.type = "t";
    p.payload = "1";
    node.post(node.owner_index("a"), std::move(p));
    EXPECT_EQ(members_of(node.heard(bob), "payload"), (texts{"", "1"}));
    const client api = node.open(0, face::api, {}, "api-session");
    publish(api, "a", "2");
    EXPECT_EQ(members_of(node.heard(bob), "payload"), texts{"2"})
        << "the HTTP API is no client: nobody is asked";
}

}  // namespace
}  // namespace pulsewire::hub
