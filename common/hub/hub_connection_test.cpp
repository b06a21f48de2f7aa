// The hub towards one connection: connect, errors, limits, heartbeats, requests, the end.

#include "common/exchange/message_text.hpp"
#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace pulsewire::hub {
namespace {

using client = test_node::client;
using texts = std::vector<std::string>;

const std::string connect_frame = R"({"op":"connect","id":1,"version":1,"session":"ada-session"})";

config with(void (*change)(config&)) {
    config c;
    change(c);
    return c;
}

// --- connect (4.1) ---

TEST(hub_connection, is_welcomed_with_what_it_must_know) {
    test_node node(1, with([](config& c) {
                       c.server_name = "pulsewire/0.1.0";
                       c.bounds.ping_ms = 20'000;
                   }));
    const client ada = node.open(0, face::protocol_stream, "0.secret");
    node.say(ada, connect_frame);
    EXPECT_EQ(
        node.heard(ada),
        texts{
            R"({"op":"welcome","id":1,"session":")" + ada_name +
            R"(","connection":"0.secret","server":"pulsewire/0.1.0",)"
            R"("ping_ms":20000,"pong_ms":8000,"message_bytes_max":65536,"channels_max":128,"requests_max":64,)"
            R"("commands_per_second":1000})"}
    );
}

TEST(hub_connection, every_other_command_before_connect_is_refused) {
    test_node node;
    const client ada = node.open(0);
    for (const char* op : {"subscribe", "unsubscribe", "history", "presence"})
        node.say(ada, std::string(R"({"op":")") + op + R"(","id":2,"channel":"a"})");
    node.say(ada, R"({"op":"publish","id":2,"channel":"a","type":"t","payload":1})");
    node.say(ada, R"({"op":"request","id":2,"type":"t","payload":1})");
    node.say(ada, R"({"op":"cancel","id":2})");
    node.say(ada, R"({"op":"ping","id":2})");
    const texts heard = node.heard(ada);
    EXPECT_EQ(members_of(heard, "code"), texts(8, "not_connected"));
    EXPECT_EQ(members_of(heard, "id"), texts(8, "2"));
    EXPECT_EQ(node.channel_count(), 0u);
    node.say(ada, connect_frame);
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"welcome"}) << "the connection lives on (3.5)";
}

TEST(hub_connection, commands_may_follow_connect_without_waiting) {
    test_node node;
    const client ada = node.open(0);
    node.say(
        ada, connect_frame + "\n" + R"({"op":"subscribe","id":2,"channel":"a"})" + "\n\n" +
                 R"({"op":"ping","id":3})" + "\n"
    );
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"welcome", "subscribed", "pong"}));
}

TEST(hub_connection, connecting_twice_is_an_error_and_no_more) {
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(ada, connect_frame);
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"invalid_frame"});
    EXPECT_EQ(node.ended(ada), close_code::none);
}

TEST(hub_connection, an_unknown_version_and_a_bad_session_end_it_for_good) {
    for (const auto& [frame, code] : std::vector<std::pair<std::string, close_code>>{
             {R"({"op":"connect","version":2,"session":"ada-session"})", close_code::unsupported_version},
             {R"({"op":"connect","session":"ada-session"})", close_code::unsupported_version},
             {R"({"op":"connect","version":1})", close_code::invalid_connect},
             {R"({"op":"connect","version":1,"session":"1234567"})", close_code::invalid_connect},
             {R"({"op":"connect","version":1,"session":"ada session"})", close_code::invalid_connect}}) {
        test_node node;
        const client ada = node.open(0);
        node.say(ada, frame + "\n" + connect_frame + "\n" + R"({"op":"ping"})");
        const texts heard = node.heard(ada);
        ASSERT_EQ(members_of(heard, "op"), texts{"close"})
            << frame << " (the lines behind it are nobody's any more)";
        EXPECT_EQ(member_of(heard[0], "code"), std::to_string(static_cast<int>(code)));
        EXPECT_EQ(member_of(heard[0], "reconnect"), "false");
        EXPECT_EQ(node.ended(ada), code);
        EXPECT_EQ(node.session_count(), 0u);
    }
}

TEST(hub_connection, without_connect_in_time_it_is_closed) {
    test_node node;
    const client ada = node.open(0), bob = node.connect(0, "bob-session");
    node.pass(9'000);
    EXPECT_EQ(node.ended(ada), close_code::none);
    node.say(ada, "rubbish");
    node.pass(1'000);
    EXPECT_EQ(node.ended(ada), close_code::connect_timeout);
    EXPECT_EQ(members_of(node.heard(ada), "op"), (texts{"error", "close"}));
    EXPECT_EQ(node.ended(bob), close_code::none);
}

// --- frames (3) ---

TEST(hub_connection, errors_answer_their_line_and_the_others_are_handled) {  // 3.5, 6.1
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(
        ada,
        "{\"op\":\"ping\",\"id\":1}\nhello\n{\"op\":\"dance\",\"id\":3}\r\n{\"op\":\"publish\",\"id\":4}\n{"
        "\"op\":\"ping\",\"id\":5}"
    );
    EXPECT_EQ(
        node.heard(ada),
        (texts{
            R"({"op":"pong","id":1})",
            R"({"op":"error","code":"malformed_json","message":"not valid JSON, reading stopped at byte 0"})",
            R"({"op":"error","id":3,"code":"unknown_op","message":"\"op\" is not a command of pulsewire.v1"})",
            R"({"op":"error","id":4,"code":"invalid_frame","message":"\"channel\" is missing"})",
            R"({"op":"pong","id":5})"})
    );
    EXPECT_EQ(node.at(0).count().errors, 3u);
    EXPECT_EQ(node.at(0).count().commands, 6u) << "with connect";
}

TEST(hub_connection, commands_without_an_id_are_answered_by_errors_only) {  // 3.4
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(ada, R"({"op":"publish","channel":"a","type":"t","payload":1})");
    node.say(ada, R"({"op":"subscribe","channel":"a"})");
    node.say(ada, R"({"op":"unsubscribe","channel":"a"})");
    node.say(ada, R"({"op":"unsubscribe","channel":"a"})");
    node.say(ada, R"({"op":"history","channel":"a"})");
    const texts heard = node.heard(ada);
    ASSERT_EQ(members_of(heard, "op"), (texts{"subscribed", "error", "error"}))
        << "and where the stream begins";
    EXPECT_EQ(member_of(heard[0], "id"), "");
    EXPECT_EQ(member_of(heard[0], "offset"), "1");
    EXPECT_EQ(members_of(heard, "code"), (texts{"", "not_subscribed", "invalid_frame"}));
}

TEST(hub_connection, a_message_that_is_too_large_is_told_with_the_id_of_its_first_frame) {  // 3.6
    test_node node(1, with([](config& c) { c.bounds.message_bytes_max = 1'000; }));
    const client ada = node.connect(0, "ada-session");
    node.at(0).receive_oversized(ada.connection, R"({"op":"publish","id":17,"payload":"aaaaaaa)", node.now());
    node.at(0).receive_oversized(ada.connection, R"({"op":"publish","payload":"aaaaaaa)", node.now());
    node.at(0).receive_oversized(77, "{}", node.now());
    node.carry_out(0);
    EXPECT_EQ(
        node.heard(ada),
        (texts{
            R"({"op":"error","id":17,"code":"too_large","message":"the message is larger than 1000 bytes"})",
            R"({"op":"error","code":"too_large","message":"the message is larger than 1000 bytes"})"})
    );
}

TEST(hub_connection, nothing_is_done_for_connections_that_are_not_there) {
    test_node node;
    const client nobody{0, 99};
    node.say(nobody, connect_frame);
    node.at(0).heard(99, node.now());
    node.at(0).execute(99, {}, node.now());
    node.close(nobody);
    EXPECT_TRUE(node.at(0).out().empty());
    EXPECT_TRUE(node.heard(nobody).empty());
}

TEST(hub_connection, an_id_that_is_opened_twice_begins_anew) {
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(ada, R"({"op":"subscribe","id":1,"channel":"a"})");
    node.heard(ada);
    node.reopen(ada);
    EXPECT_EQ(node.session_count(), 1u);
    EXPECT_EQ(node.subscription_count(), 0u);
    node.say(ada, connect_frame);
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"welcome"});
}

// --- limits (12) ---

TEST(hub_connection, more_commands_than_allowed_are_refused_and_not_carried_out) {
    test_node node(1, with([](config& c) { c.bounds.commands_per_second = 10; }));
    const client ada = node.open(0);
    std::string many = connect_frame + "\n";
    for (int i = 2; i <= 22; ++i)
        many += R"({"op":"publish","id":)" + std::to_string(i) + R"(,"channel":"a","type":"t","payload":1})" +
                "\n";
    node.say(ada, many);
    const texts heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 22u);
    EXPECT_EQ(member_of(heard[19], "op"), "published") << "twice the rate at once";
    EXPECT_EQ(
        heard[20], R"({"op":"error","id":21,"code":"rate_limited","message":"too many commands per second"})"
    );
    EXPECT_EQ(member_of(heard[21], "id"), "22");
    node.skip(100);
    node.say(ada, R"({"op":"publish","id":23,"channel":"a","type":"t","payload":1})");
    EXPECT_EQ(member_of(node.heard(ada)[0], "offset"), "20") << "the two refused had no effect";
}

TEST(hub_connection, the_rate_is_kept_to_on_average_however_the_commands_are_spread) {
    for (const int every_ms : {7, 90, 150, 333, 667, 999}) {
        test_node node(1, with([](config& c) { c.bounds.commands_per_second = 3; }));
        const client ada = node.connect(0, "ada-session");
        node.say(
            ada, R"({"op":"ping"})"
                 "\n"
                 R"({"op":"ping"})"
                 "\n"
                 R"({"op":"ping"})"
                 "\n"
                 R"({"op":"ping"})"
                 "\n"
                 R"({"op":"ping"})"
        );
        node.heard(ada);  // the six that are free at the beginning
        int carried_out = 0;
        for (int ms = 0; ms < 100'000; ms += every_ms) {
            node.skip(every_ms);
            // More than enough to use up whatever was earned.
            for (int i = 0; i < 6; ++i) node.say(ada, R"({"op":"ping","id":1})");
            for (const auto& line : node.heard_so_far(ada))
                carried_out += member_of(line, "op") == "pong" ? 1 : 0;
        }
        EXPECT_GE(carried_out, 294) << "every " << every_ms << " ms";
        EXPECT_LE(carried_out, 306) << "every " << every_ms << " ms";
    }
}

TEST(hub_connection, rubbish_beyond_the_rate_is_answered_once_per_message) {
    test_node node(1, with([](config& c) { c.bounds.commands_per_second = 10; }));
    const client ada = node.connect(0, "ada-session");
    std::string rubbish;
    for (int i = 0; i < 30'000; ++i) rubbish += "x\n";
    rubbish += R"({"op":"ping","id":7})";
    node.say(ada, rubbish);
    const texts heard = node.heard(ada);
    ASSERT_EQ(heard.size(), 19u + 2u) << "who has no id waits for no answer: it would only be memory";
    EXPECT_EQ(member_of(heard[19], "code"), "rate_limited");
    EXPECT_EQ(member_of(heard[20], "id"), "7");
}

TEST(hub_connection, a_message_full_of_queries_does_not_fill_the_memory) {
    test_node node;
    const client ada = node.connect(0, "ada-session"), eve = node.connect(0, "eve-session");
    const std::string large = "\"" + std::string(3'000, 'x') + "\"";
    for (int i = 0; i < 300; ++i)
        node.say(ada, R"({"op":"publish","channel":"a","type":"t","payload":)" + large + "}");
    std::string queries;
    for (int i = 1; queries.size() < 65'000; ++i)
        queries += R"({"op":"history","id":)" + std::to_string(i) + R"(,"channel":"a","limit":300})" + "\n";
    node.say(eve, queries);
    std::size_t bytes = 0, pages = 0;
    for (const auto& line : node.heard(eve)) {
        bytes += line.size();
        pages += member_of(line, "op") == "history" ? 1 : 0;
    }
    EXPECT_GT(pages, 150u);
    EXPECT_LT(bytes, 30'000'000u) << "and not 1,200 times a megabyte";
}

TEST(hub_connection, queries_cost_no_more_than_a_second_of_commands) {
    test_node node(1, with([](config& c) { c.bounds.commands_per_second = 2; }));
    const client ada = node.connect(0, "ada-session");
    node.say(ada, R"({"op":"presence","id":1,"channel":"a"})");
    node.say(ada, R"({"op":"presence","id":2,"channel":"a"})");
    EXPECT_EQ(members_of(node.heard(ada), "code"), (texts{"", "rate_limited"}));
}

TEST(hub_connection, has_no_rate_limit_when_that_is_zero) {
    test_node node(1, with([](config& c) { c.bounds.commands_per_second = 0; }));
    const client ada = node.connect(0, "ada-session");
    for (int i = 0; i < 5'000; ++i) node.say(ada, R"({"op":"ping"})");
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts(5'000, "pong"));
}

TEST(hub_connection, holds_so_many_subscriptions_and_no_more) {
    test_node node(2, with([](config& c) { c.bounds.channels_per_connection_max = 2; }));
    const client ada = node.connect(0, "ada-session"), bob = node.connect(0, "bob-session");
    for (const char* channel : {"a", "b", "c"})
        node.say(ada, std::string(R"({"op":"subscribe","id":1,"channel":")") + channel + "\"}");
    node.say(bob, R"({"op":"subscribe","id":1,"channel":"c"})");
    const texts heard = node.heard(ada);
    EXPECT_EQ(node.subscription_count(), 3u);
    EXPECT_EQ(
        std::count_if(
            heard.begin(), heard.end(), [](auto& l) { return member_of(l, "code") == "too_many_channels"; }
        ),
        1
    );
    EXPECT_EQ(members_of(node.heard(bob), "op"), texts{"subscribed"});
    node.say(
        ada, R"({"op":"unsubscribe","channel":"a"})"
             "\n"
             R"({"op":"subscribe","id":2,"channel":"c"})"
    );
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"subscribed"});
}

// --- heartbeats (4.15) ---

TEST(hub_connection, answers_a_ping_and_returns_its_id) {
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(
        ada, R"({"op":"ping"})"
             "\n"
             R"({"op":"ping","id":9})"
             "\n"
             R"({"op":"pong"})"
    );
    EXPECT_EQ(node.heard(ada), (texts{R"({"op":"pong"})", R"({"op":"pong","id":9})"}));
}

TEST(hub_connection, is_pinged_when_silent_and_closed_when_it_stays_so) {
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.pass(24'000);
    EXPECT_EQ(node.heard(ada), texts{});
    node.pass(1'000);
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"ping"})"});
    node.pass(7'000);
    EXPECT_EQ(node.heard(ada), texts{}) << "one ping is enough";
    EXPECT_EQ(node.ended(ada), close_code::none);
    node.pass(1'000);
    EXPECT_EQ(node.ended(ada), close_code::no_pong);
    EXPECT_EQ(member_of(node.heard(ada)[0], "code"), "4001");
    EXPECT_EQ(node.session_count(), 0u);
}

// 20 clients, each in 100 channels of its own.
std::vector<test_node::client> clients_of_many_channels(test_node& node, const std::string& member_info) {
    std::vector<test_node::client> all;
    for (int i = 0; i < 20; ++i) {
        all.push_back(node.connect(0, "session-" + std::to_string(i)));
        for (int channel = 0; channel < 100; ++channel)
            node.say(
                all.back(), R"({"op":"subscribe","channel":"c)" + std::to_string(100 * i + channel) + "\"" +
                                member_info + "}"
            );
        node.settle();
    }
    return all;
}

TEST(hub_connection, many_who_fall_silent_together_are_ended_in_parts) {
    config c;
    test_node node(1, c);
    const auto all = clients_of_many_channels(node, "");
    const auto ended = [&] {
        return std::count_if(all.begin(), all.end(), [&](const auto& one) {
            return node.ended(one) == close_code::no_pong;
        });
    };
    node.skip(c.bounds.ping_ms);
    node.tick();
    node.skip(c.bounds.pong_ms);
    EXPECT_TRUE(node.at(0).tick(node.now()));
    node.carry_out(0);
    EXPECT_GT(ended(), 0);
    EXPECT_LT(ended(), 20);
    int parts = 1;
    for (; node.at(0).tick_on(node.now()) && parts < 100; ++parts) node.carry_out(0);
    node.carry_out(0);
    EXPECT_EQ(ended(), 20);
    EXPECT_EQ(node.channel_count(), 0u);
    EXPECT_FALSE(node.at(0).tick_on(node.now()));
}

TEST(hub_connection, many_members_of_one_channel_leave_its_list_in_parts_and_all_are_told) {
    config c;
    test_node node(1, c);
    const auto watcher = node.connect(0, "watcher-session");
    node.say(watcher, R"({"op":"subscribe","channel":"room","presence":true})");
    std::vector<test_node::client> members;
    for (int i = 0; i < 150; ++i) {
        members.push_back(node.connect(0, "session-" + std::to_string(i)));
        node.say(members.back(), R"({"op":"subscribe","channel":"room","payload":{}})");
    }
    for (const auto& one : members) node.close(one);
    node.heard(watcher);
    node.skip(c.bounds.presence_leave_ms);
    EXPECT_TRUE(node.at(0).tick(node.now()));
    node.carry_out(0);
    const std::size_t first = node.heard(watcher).size();
    EXPECT_GT(first, 0u);
    EXPECT_LT(first, 150u);
    std::size_t told = first;
    for (bool more = true; more && told < 1'000;) {
        more = node.at(0).tick_on(node.now());
        node.carry_out(0);
        told += node.heard(watcher).size();
    }
    EXPECT_EQ(told, 150u);
}

TEST(hub_connection, members_of_many_channels_leave_their_lists_in_parts) {
    config c;
    test_node node(1, c);
    for (const auto& one : clients_of_many_channels(node, R"(,"payload":{})")) node.close(one);
    EXPECT_EQ(node.channel_count(), 2'000u) << "until their time to leave comes";
    EXPECT_TRUE(node.at(0).tick(node.now())) << "to look through so many lists takes several turns, too";
    node.skip(c.bounds.presence_leave_ms);
    EXPECT_TRUE(node.at(0).tick(node.now()));
    EXPECT_GT(node.channel_count(), 0u);
    EXPECT_LT(node.channel_count(), 2'000u);
    int parts = 0;
    while (node.at(0).tick_on(node.now()) && parts < 1'000) ++parts;
    // Those before the place at which the first look ended have their turn in the next round.
    while (node.at(0).tick(node.now()) && parts < 1'000) ++parts;
    EXPECT_EQ(node.channel_count(), 0u);
}

TEST(hub_connection, any_sign_of_life_counts) {
    test_node node;
    const client ada = node.connect(0, "ada-session"), bob = node.connect(0, "bob-session");
    for (int i = 0; i < 10; ++i) {
        node.pass(30'000);
        node.say(ada, R"({"op":"pong"})");
        node.at(0).heard(bob.connection, node.now());
    }
    EXPECT_EQ(node.session_count(), 2u);
    EXPECT_EQ(node.heard(ada), texts(10, R"({"op":"ping"})"));
}

TEST(hub_connection, who_sends_but_gets_nothing_is_pinged_too) {
    // A client takes a connection on which nothing arrives for lost, so the server must say something.
    test_node node;
    const client ada = node.connect(0, "ada-session");
    for (int i = 0; i < 25; ++i) {
        node.pass(1'000);
        node.say(ada, R"({"op":"publish","channel":"a","type":"t","payload":1})");
    }
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"ping"})"});
}

TEST(hub_connection, a_stream_is_pinged_and_never_expected_to_answer) {
    for (const face f : {face::protocol_stream, face::event_stream}) {
        test_node node;
        const client stream = node.open(0, f, "0.secret", "ada-session");
        node.pass(100'000);
        EXPECT_EQ(members_of(node.heard(stream), "op"), texts(4, "ping"));
        EXPECT_EQ(node.ended(stream), close_code::none);
    }
}

TEST(hub_connection, a_plain_socket_is_pinged_and_closed_and_an_http_request_neither) {
    test_node node;
    const client plain = node.open(0, face::plain_websocket, {}, "plain-session");
    const client api = node.open(0, face::api, {}, "api-session");
    node.pass(100'000);
    EXPECT_EQ(node.ended(plain), close_code::no_pong);
    EXPECT_EQ(node.heard(api), texts{});
    EXPECT_EQ(node.ended(api), close_code::none);
}

// --- requests (4.12, 4.13) ---

struct hub_requests : ::testing::Test {
    test_node node{2, with([](config& c) {
                       c.observers = {{.requests = true}};
                       c.bounds.requests_per_connection_max = 3;
                   })};
    client ada = node.connect(1, "ada-session");

    void ask(int id, const std::string& more = {}) {
        node.say(
            ada, R"({"op":"request","id":)" + std::to_string(id) + R"(,"type":"sum.add")" + more +
                     R"(,"payload":[1]})"
        );
    }
    void answer(std::uint64_t id, const std::string& json = "2") {
        node.post(ada.shard, reply{{ada.shard, ada.connection}, make_response(id, json), id});
    }
    std::vector<client_request> asked() {
        std::vector<client_request> all;
        for (auto& m : node.told()) all.push_back(std::get<client_request>(m));
        return all;
    }
};

TEST_F(hub_requests, reach_the_application_and_its_answer_the_client) {
    ask(7);
    const auto all = asked();
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].from, (connection_ref{ada.shard, ada.connection}));
    EXPECT_EQ(all[0].id, 7u);
    EXPECT_EQ(all[0].session, ada_name);
    EXPECT_EQ(all[0].type, "sum.add");
    EXPECT_EQ(all[0].payload, "[1]");
    EXPECT_EQ(all[0].timeout_ms, 10'000u);
    answer(7);
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"response","id":7,"payload":2})"});
    answer(7);
    EXPECT_EQ(node.heard(ada), texts{}) << "there is one answer";
}

TEST_F(hub_requests, an_error_is_an_answer_too) {
    ask(7);
    node.post(ada.shard, reply{{ada.shard, ada.connection}, make_error(7, error_code::rejected, "no"), 7});
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"error","id":7,"code":"rejected","message":"no"})"});
}

TEST_F(hub_requests, name_their_deadline_up_to_a_bound) {
    ask(7, R"(,"timeout_ms":5000)");
    ask(8, R"(,"timeout_ms":5000000000)");
    const auto all = asked();
    EXPECT_EQ(all.at(0).timeout_ms, 5'000u);
    EXPECT_EQ(all.at(1).timeout_ms, 120'000u);
}

TEST_F(hub_requests, are_answered_by_timeout_when_the_application_is_not_in_time) {
    ask(7);
    ask(8, R"(,"timeout_ms":30000)");
    node.pass(9'000);
    EXPECT_EQ(node.heard(ada), texts{});
    node.pass(2'000);
    EXPECT_EQ(
        node.heard(ada),
        texts{R"({"op":"error","id":7,"code":"timeout","message":"no answer within 10000 ms"})"}
    );
    answer(7);
    EXPECT_EQ(node.heard(ada), texts{}) << "too late";
    node.pass(19'000);
    EXPECT_EQ(members_of(node.heard(ada), "id"), (texts{"", "8"})) << "a ping, and the other timeout";
}

TEST_F(hub_requests, so_many_may_wait_and_no_more) {
    for (int id = 7; id <= 10; ++id) ask(id);
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"too_many_requests"});
    answer(8);
    EXPECT_EQ(members_of(node.heard(ada), "op"), texts{"response"});
    ask(11);
    EXPECT_EQ(node.heard(ada), texts{});
    EXPECT_EQ(asked().size(), 4u);
}

TEST_F(hub_requests, need_ids_of_their_own) {
    ask(7);
    ask(7);
    EXPECT_EQ(members_of(node.heard(ada), "code"), texts{"invalid_frame"});
    EXPECT_EQ(asked().size(), 1u);
}

TEST_F(hub_requests, that_are_withdrawn_are_not_answered_any_more) {
    ask(7);
    node.say(
        ada, R"({"op":"cancel","id":7})"
             "\n"
             R"({"op":"cancel","id":99})"
    );
    answer(7);
    EXPECT_EQ(node.heard(ada), texts{});
    for (int id = 8; id <= 10; ++id) ask(id);
    EXPECT_EQ(node.heard(ada), texts{}) << "its place is free again";
}

TEST_F(hub_requests, of_a_connection_that_is_gone_are_nobodys) {
    ask(7);
    node.close(ada);
    answer(7);
    EXPECT_EQ(node.heard(ada), texts{});
}

TEST(hub_connection, without_handlers_a_request_is_answered_at_once) {
    test_node node;
    const client ada = node.connect(0, "ada-session");
    node.say(ada, R"({"op":"request","id":7,"type":"sum.add","payload":1})");
    EXPECT_EQ(
        node.heard(ada),
        texts{
            R"({"op":"error","id":7,"code":"no_handler","message":"no handler for requests of type sum.add"})"}
    );
}

// --- the application hears of connections, and ends them ---

TEST(hub_connection, the_application_hears_of_clients_that_come_and_go) {
    test_node node(2, with([](config& c) { c.observers = {{.connections = true, .subscriptions = true}}; }));
    const client ada = node.connect(0, "ada-session");
    const client api = node.open(1, face::api, {}, "api-session");
    const client stranger = node.open(1);
    const client plain = node.open(1, face::plain_websocket, {}, "plain-session");
    node.say(ada, R"({"op":"subscribe","channel":"a"})");
    node.settle();
    for (const client c : {ada, api, stranger, plain}) node.close(c);
    std::vector<std::string> story;
    for (const to_observer& m : node.told()) {
        if (const auto* c = std::get_if<connected>(&m)) story.push_back("+" + c->session);
        if (const auto* d = std::get_if<disconnected>(&m)) story.push_back("-" + d->session);
        if (const auto* s = std::get_if<client_subscribed>(&m))
            story.push_back(s->session + " in " + s->channel);
    }
    EXPECT_EQ(
        story, (texts{"+" + ada_name, "+plain-session", ada_name + " in a", "-" + ada_name, "-plain-session"})
    );
}

TEST(hub_connection, the_application_can_end_a_connection_and_speak_to_it_alone) {  // 5.2, 7.1
    test_node node(2);
    const client ada = node.connect(1, "ada-session");
    node.post(1, reply{{1, ada.connection}, make_direct("a", "note", "7"), 0});
    node.post(1, disconnect{{1, ada.connection}, close_code::unauthorized, "token \"expired\""});
    node.post(1, disconnect{{1, ada.connection}, close_code::normal, "again"});
    EXPECT_EQ(
        node.heard(ada), (texts{
                             R"({"type":"note","channel":"a","payload":7})",
                             R"({"op":"close","code":4502,"reconnect":false,"message":"token \"expired\""})"})
    );
    EXPECT_EQ(node.ended(ada), close_code::unauthorized);
}

// --- the end of the server (7.1) ---

TEST(hub_connection, a_server_that_goes_down_tells_everybody_a_moment_to_come_back) {
    const auto run = [](std::uint64_t seed) {
        test_node node(1, with([](config& c) { c.observers = {{.connections = true}}; }), seed);
        std::vector<client> clients;
        for (int i = 0; i < 50; ++i) clients.push_back(node.connect(0, "session-" + std::to_string(i)));
        for (const client c : clients) node.say(c, R"({"op":"subscribe","channel":"a","payload":1})");
        const client api = node.open(0, face::api, {}, "api-session");
        const client plain = node.open(0, face::plain_websocket, {}, "plain-session");
        for (const client c : clients) node.heard(c);
        node.at(0).drain(close_code::service_restart, 5'000, node.now());
        node.carry_out(0);
        texts moments;
        for (const client c : clients) {
            const texts heard = node.heard(c);
            EXPECT_EQ(members_of(heard, "op"), texts{"close"}) << "and nothing behind it";
            EXPECT_EQ(node.ended(c), close_code::service_restart);
            moments.push_back(member_of(heard.at(0), "after_ms"));
            const int after_ms = std::stoi(moments.back());
            EXPECT_TRUE(after_ms >= 1 && after_ms <= 5'000) << after_ms;
        }
        EXPECT_EQ(members_of(node.heard(plain), "op"), texts{"close"});
        EXPECT_EQ(node.ended(api), close_code::service_restart);
        EXPECT_EQ(node.heard(api), texts{});
        EXPECT_EQ(node.session_count() + node.subscription_count(), 0u);
        EXPECT_EQ(node.told().size(), 2u * 51u) << "51 came, and 51 went";
        return moments;
    };
    const texts moments = run(1);
    EXPECT_GT(std::set<std::string>(moments.begin(), moments.end()).size(), 40u) << "spread";
    EXPECT_EQ(run(1), moments) << "the same seed, the same moments, whatever the standard library";
    EXPECT_EQ(moments[0], "2466");
}

TEST(hub_connection, a_server_that_goes_down_may_name_another_address) {
    test_node node(1, with([](config& c) { c.drain_url = "wss://b.example.com/rt"; }));
    const client ada = node.connect(0, "session-ada");
    const client plain = node.open(0, face::plain_websocket, {}, "plain-session");
    node.heard(ada);
    node.at(0).hand_over(close_code::service_restart, 1, node.now());
    node.carry_out(0);
    EXPECT_EQ(node.heard(ada), texts{R"({"op":"drain","after_ms":1,"url":"wss://b.example.com/rt"})"});
    EXPECT_EQ(
        node.heard(plain), texts{R"({"op":"close","code":1012,"reconnect":true,"after_ms":1,)"
                                 R"("url":"wss://b.example.com/rt","message":"the server restarts"})"}
    );
    node.at(0).drain(close_code::service_restart, 1, node.now());
    node.carry_out(0);
    EXPECT_EQ(member_of(node.heard(ada).at(0), "op"), "close");
}

}  // namespace
}  // namespace pulsewire::hub
