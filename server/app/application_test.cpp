// The library pulsewire::server, used as a program uses it.

#include "common/session/public_name.hpp"
#include "server/testing/running_server.hpp"
#include "server/testing/token.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

namespace pulsewire {
namespace {

// The name that others, and handlers, see of the session "ada-session" (protocol 4.2).
const std::string ada_name = hub::public_name("ada-session");

using namespace testing;
using namespace std::chrono_literals;

struct note {
    std::string text;
    std::optional<int> stars;
};
PULSEWIRE_MESSAGE(note, "app.note", text, stars)

struct plain_text {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(plain_text, "message", text)

struct add {
    int a = 0;
    int b = 0;
};
PULSEWIRE_MESSAGE(add, "sum.add", a, b)

struct sum {
    int value = 0;
};
PULSEWIRE_FIELDS(sum, value)

std::string publish_line(
    int id, const std::string& channel, const std::string& type, const std::string& payload,
    const std::string& more = {}
) {
    return R"({"op":"publish","id":)" + std::to_string(id) + R"(,"channel":")" + channel + R"(","type":")" +
           type + "\"" + more + R"(,"payload":)" + payload + "}";
}

// A value that a thread of the server passes to a test.
template <class T>
T soon(std::future<T> f) {
    if (f.wait_for(patience) != std::future_status::ready) throw std::runtime_error("it did not happen");
    return f.get();
}

TEST(application, a_handler_sees_typed_messages_and_they_go_on) {
    std::promise<std::string> seen;
    running_server server(test_config(), [&](auto& s) {
        s.template on<note>([&](const note& n, publish_context& c) {
            seen.set_value(c.session() + " in " + c.channel() + ": " + n.text);
        });
    });
    auto c = subscribed(server.port(), "room", "ada-session");
    c.send_text(publish_line(3, "room", "app.note", R"({"text":"hi"})"));
    c.line_with("\"offset\":1");
    EXPECT_EQ(soon(seen.get_future()), ada_name + " in room: hi");
}

TEST(application, a_payload_that_does_not_fit_is_refused_with_its_place) {
    running_server server(test_config(), [](auto& s) { s.template declare<note>(); });
    auto c = subscribed(server.port(), "room");
    c.send_text(publish_line(3, "room", "app.note", R"({"text":"hi","stars":"five"})"));
    const std::string error = c.line_with("\"error\"");
    EXPECT_NE(error.find(R"("id":3,"code":"invalid_payload")"), std::string::npos) << error;
    EXPECT_NE(error.find(R"("pointer":"/stars")"), std::string::npos) << error;
    EXPECT_NE(error.find("app.note: /stars: expected integer, found string"), std::string::npos) << error;
}

TEST(application, a_handler_can_reject_drop_answer_and_replace) {
    running_server server(test_config(), [](auto& s) {
        s.template on<note>([](const note& n, publish_context& c) {
            if (n.text == "reject") c.reject("because \"so\"");
            if (n.text == "drop") c.drop();
            if (n.text == "instead") c.publish_instead(note{"instead of it", {}});
            if (n.text == "others") {
                c.send(plain_text{"to you"});
                c.publish_to_others(plain_text{"to others"});
            }
        });
    });
    auto ada = subscribed(server.port(), "room", "ada-session");
    auto bob = subscribed(server.port(), "room", "bob-session");
    ada.send_text(publish_line(3, "room", "app.note", R"({"text":"reject"})"));
    EXPECT_NE(
        ada.line_with("\"error\"").find(R"("id":3,"code":"rejected","message":"because \"so\"")"),
        std::string::npos
    );
    ada.send_text(publish_line(4, "room", "app.note", R"({"text":"drop"})"));
    EXPECT_EQ(ada.line_with("\"published\"").find("offset"), std::string::npos);
    ada.send_text(publish_line(5, "room", "app.note", R"({"text":"instead"})"));
    EXPECT_NE(bob.next_line().find("instead of it"), std::string::npos)
        << "nothing of what was refused before";
    ada.send_text(publish_line(6, "room", "app.note", R"({"text":"others"})"));
    ada.line_with(R"("payload":"to you")");
    EXPECT_NE(ada.line_with(R"("payload":"to others")").find(R"("except":")" + ada_name), std::string::npos);
    EXPECT_NE(ada.line_with("\"published\"").find(R"("offset":2)"), std::string::npos);
    EXPECT_NE(bob.next_line().find("to others"), std::string::npos);
}

TEST(application, a_handler_is_for_its_channels_alone) {
    running_server server(test_config(), [](auto& s) {
        s.template on<plain_text>("strict:", [](const plain_text&, publish_context& c) { c.reject("no"); });
    });
    auto c = connected(server.port());
    c.send_text(publish_line(3, "free:a", "message", "[1]"));
    c.line_with("\"published\"");
    c.send_text(publish_line(4, "strict:a", "message", "[1]"));
    EXPECT_NE(c.line_with("\"error\"").find("invalid_payload"), std::string::npos);
    c.send_text(publish_line(5, "strict:a", "message", "\"text\""));
    EXPECT_NE(c.line_with("\"error\"").find("rejected"), std::string::npos);
}

// A handler binds its type. Whoever wants it to bind its channels, too, lets in no other type.
TEST(application, a_namespace_may_take_declared_types_alone) {
    config settings = test_config();
    settings.namespaces["strict"].other_types = false;
    running_server server(settings, [](auto& s) {
        s.template on<plain_text>("strict:chat", [](const plain_text&, publish_context&) {});
    });
    auto c = connected(server.port());
    c.send_text(publish_line(3, "strict:chat", "message", "\"text\""));
    c.line_with("\"published\"");
    c.send_text(publish_line(4, "strict:chat", "poison", "1"));
    EXPECT_NE(c.line_with("\"id\":4").find("forbidden"), std::string::npos);
    c.send_text(publish_line(5, "strict:other", "message", "\"text\""));
    EXPECT_NE(c.line_with("\"id\":5").find("forbidden"), std::string::npos) << "declared for other channels";
    c.send_text(publish_line(6, "free:a", "poison", "1"));
    c.line_with("\"offset\":1");
}

TEST(application, without_any_no_type_is_declared) {
    config settings = test_config();
    settings.namespaces["strict"].other_types = false;
    running_server server(settings);
    auto c = connected(server.port());
    c.send_text(publish_line(3, "strict:chat", "message", "1"));
    EXPECT_NE(c.line_with("\"id\":3").find("forbidden"), std::string::npos);
}

// Promise P4 holds for what handlers do, too.
TEST(application, a_repeated_key_does_not_reach_the_handler_again) {
    std::atomic<int> calls{0};
    running_server server(test_config(), [&](auto& s) {
        s.template on<note>([&](const note& n, publish_context& c) {
            ++calls;
            if (n.text == "drop") c.drop();
            if (n.text == "reject") c.reject("no");
        });
    });
    auto c = connected(server.port());
    const std::string offset_1 = "\"offset\":1}";
    for (int i = 0; i < 2; ++i) {
        c.send_text(publish_line(10 + i, "room", "app.note", R"({"text":"x"})", R"(,"key":"k1")"));
        EXPECT_NE(c.line_with("\"published\"").find(offset_1), std::string::npos);
        c.send_text(publish_line(20 + i, "room", "app.note", R"({"text":"drop"})", R"(,"key":"k2")"));
        EXPECT_EQ(c.line_with("\"published\"").find("offset"), std::string::npos);
        c.send_text(publish_line(30 + i, "room", "app.note", R"({"text":"reject"})", R"(,"key":"k3")"));
        c.line_with("rejected");
    }
    EXPECT_EQ(calls, 4) << "what was rejected may be tried again";
}

// A publish that no handler has seen is never passed on because of another one: every second publish with a
// key that something passed with before, in all combinations.
TEST(application, a_key_that_passed_lets_nothing_else_pass) {
    running_server server(test_config(), [](auto& s) {
        s.template on<note>([](const note& n, publish_context& c) {
            if (n.text == "forged") c.reject("no");
        });
    });
    auto c = connected(server.port());
    const std::string good = R"({"text":"good"})", bad = R"({"text":42})", forged = R"({"text":"forged"})";
    int id = 10;
    const auto answer_to = [&](const std::string& type, const std::string& payload, const std::string& more) {
        c.send_text(publish_line(++id, "room", type, payload, more));
        return c.line_with("\"id\":" + std::to_string(id) + ",");
    };
    for (const std::string first_transient : {"", R"(,"transient":true)"}) {
        for (const std::string second_transient : {"", R"(,"transient":true)"}) {
            for (const auto& [type, payload] :
                 {std::pair("app.note", good), {"other", good}, {"other", bad}}) {
                for (const std::string& second : {bad, forged}) {
                    const std::string key = R"(,"key":"k)" + std::to_string(id) + "\"";
                    const std::string tried =
                        type + (" " + payload) + first_transient + " then " + second + second_transient;
                    EXPECT_NE(
                        answer_to(type, payload, first_transient + key).find("published"), std::string::npos
                    );
                    EXPECT_NE(
                        answer_to("app.note", second, second_transient + key).find("\"error\""),
                        std::string::npos
                    ) << tried;
                }
            }
        }
    }
    const std::string key = R"(,"key":"same")";
    answer_to("app.note", good, key);
    EXPECT_NE(answer_to("app.note", good, key).find("published"), std::string::npos);
    EXPECT_NE(answer_to("app.note", R"({"text":"else"})", key).find("key_reused"), std::string::npos);
}

TEST(application, publishes_of_one_client_keep_their_order_through_handlers) {
    running_server server(test_config(4), [](auto& s) { s.template declare<note>(); });
    auto c = subscribed(server.port(), "room");
    std::string lines;
    for (int i = 1; i <= 200; ++i)
        lines +=
            publish_line(
                i + 2, "room", i % 2 == 0 ? "app.note" : "other", "{\"text\":\"" + std::to_string(i) + "\"}"
            ) +
            "\n";
    c.send_text(lines);
    for (int i = 1; i <= 200; ++i)
        EXPECT_NE(
            c.line_with("\"type\"").find("{\"text\":\"" + std::to_string(i) + "\"}"), std::string::npos
        );
}

TEST(application, requests_are_answered) {
    running_server server(test_config(), [](auto& s) {
        s.template handle<add, sum>([](const add& q, request_context&) { return sum{q.a + q.b}; });
        s.template handle<note, std::vector<std::string>>(
            [](const note& n, request_context& c) -> result<std::vector<std::string>, rejection> {
                if (n.text.empty()) return failure{rejection{"empty"}};
                if (n.text == "throw") throw std::runtime_error("on purpose");
                return std::vector<std::string>{c.session(), n.text};
            }
        );
    });
    auto c = connected(server.port(), "ada-session");
    const auto ask_for = [&](const std::string& type, const std::string& payload) {
        c.send_text(R"({"op":"request","id":9,"type":")" + type + R"(","payload":)" + payload + "}");
        return c.line_with("\"id\":9");
    };
    EXPECT_EQ(ask_for("sum.add", R"({"a":1,"b":2})"), R"({"op":"response","id":9,"payload":{"value":3}})");
    EXPECT_EQ(
        ask_for("app.note", R"({"text":"x"})"),
        R"({"op":"response","id":9,"payload":[")" + ada_name + R"(","x"]})"
    );
    EXPECT_NE(
        ask_for("app.note", R"({"text":""})").find(R"("code":"rejected","message":"empty")"),
        std::string::npos
    );
    EXPECT_NE(ask_for("app.note", R"({"text":"throw"})").find("handler_failed"), std::string::npos);
    EXPECT_NE(
        ask_for("sum.add", R"({"a":1})").find(R"("code":"invalid_payload","pointer":"/b")"), std::string::npos
    );
    EXPECT_NE(ask_for("unknown", "{}").find("no_handler"), std::string::npos);
}

TEST(application, a_handler_that_throws_harms_its_message_alone) {
    running_server server(test_config(), [](auto& s) {
        s.template on<note>([](const note& n, publish_context&) {
            if (n.text == "throw") throw std::runtime_error("on purpose");
            if (n.text == "int") throw 7;
        });
    });
    auto c = connected(server.port());
    for (const std::string text : {"throw", "int"}) {
        c.send_text(publish_line(3, "room", "app.note", "{\"text\":\"" + text + "\"}"));
        EXPECT_NE(c.line_with("\"error\"").find("handler_failed"), std::string::npos);
    }
    c.send_text(publish_line(4, "room", "app.note", R"({"text":"fine"})"));
    c.line_with("\"published\"");
}

TEST(application, it_hears_who_comes_subscribes_and_goes) {
    std::promise<std::string> came, went;
    running_server server(test_config(), [&](auto& s) {
        s.on_connect([&](connection& c) { came.set_value(c.session()); });
        s.on_disconnect([&](connection& c) { went.set_value(c.session()); });
        s.on_subscribe("room", [](subscription_event& e) { e.send(plain_text{"welcome " + e.session()}); });
    });
    {
        auto c = subscribed(server.port(), "room", "ada-session");
        EXPECT_EQ(soon(came.get_future()), ada_name);
        c.line_with("\"payload\":\"welcome " + ada_name + "\"");
        websocket_client plain(server.port(), "/ws/plain/other", "");
        websocket_client greeted(server.port(), "/ws/plain/room", "");
        EXPECT_TRUE(greeted.next().data.starts_with("welcome "));
        c.connection().reset();
        EXPECT_EQ(soon(went.get_future()), ada_name);
    }
}

// Protocol 4.24.
TEST(application, it_hears_which_user_it_was) {
    std::promise<std::string> came, subscribed_to, published, went;
    running_server server(asking(test_config()), [&](auto& s) {
        s.on_connect([&](connection& c) { came.set_value(c.user()); });
        s.on_subscribe("room", [&](subscription_event& e) { subscribed_to.set_value(e.user()); });
        s.template on<note>([&](const note&, publish_context& c) { published.set_value(c.user()); });
        s.on_disconnect([&](connection& c) { went.set_value(c.user()); });
    });
    {
        websocket_client c(server.port(), "/ws", "pulsewire.v1");
        c.send_text(
            R"({"op":"connect","version":1,"session":"ada-session","token":")" +
            token_for("ann", R"({"room":["subscribe","publish"]})") + "\"}"
        );
        EXPECT_EQ(soon(came.get_future()), "ann");
        c.send_text(R"({"op":"subscribe","id":2,"channel":"room"})");
        EXPECT_EQ(soon(subscribed_to.get_future()), "ann");
        c.send_text(publish_line(3, "room", "app.note", R"({"text":"fine"})"));
        EXPECT_EQ(soon(published.get_future()), "ann");
        EXPECT_NE(c.line_with("\"payload\"").find(R"("user":"ann")"), std::string::npos);
    }
    EXPECT_EQ(soon(went.get_future()), "ann");
}

TEST(application, a_connection_can_be_ended) {
    running_server server(test_config(), [](auto& s) {
        s.on_connect([](connection& c) { c.close(close_code::unauthorized, "go away"); });
    });
    websocket_client c(server.port(), "/ws", "pulsewire.v1");
    c.send_text(R"({"op":"connect","id":1,"version":1,"session":"abcdefgh"})");
    EXPECT_EQ(c.closed().code, 4502);
}

TEST(application, every_thread_may_publish_and_keeps_its_order) {
    running_server server(test_config(4));
    constexpr int threads = 4, each = 100;
    auto c = subscribed(server.port(), "room");
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t)
        all.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) server->publish("room", add{t, i});
        });
    for (auto& t : all) t.join();
    int next[threads] = {};
    for (int i = 0; i < threads * each; ++i) {
        const std::string line = c.line_with("sum.add");
        const int t = std::stoi(line.substr(line.find("\"a\":") + 4));
        EXPECT_NE(line.find("\"b\":" + std::to_string(next[t]++) + "}"), std::string::npos) << line;
    }
}

TEST(application, what_is_published_before_the_start_is_kept) {
    running_server server(test_config(), [](auto& s) {
        s.publish("room", plain_text{"early"});
        s.publish("room", plain_text{"nobody hears"}, keeping::transient);
    });
    server->publish("room", plain_text{"late"});
    auto c = connected(server.port());
    // The application's thread has worked both off before it answers.
    std::promise<void> done;
    server->run_soon([&] { done.set_value(); });
    soon(done.get_future());
    c.send_text(R"({"op":"subscribe","id":2,"channel":"room","latest":10})");
    c.line_with(R"("replay":2)");
    EXPECT_NE(c.next_line().find("early"), std::string::npos);
    EXPECT_NE(c.next_line().find("late"), std::string::npos);
}

TEST(application, publishing_to_no_channel_is_a_bug) {
    server s(test_config());
    EXPECT_THROW(s.publish("not a channel", plain_text{"x"}), std::invalid_argument);
    EXPECT_THROW(s.publish("", plain_text{"x"}), std::invalid_argument);
    EXPECT_THROW(s.every(0ms, [] {}), std::invalid_argument);
}

TEST(application, timers_run_again_once_and_not_at_all) {
    std::promise<void> third, once;
    std::atomic<int> canceled_runs{0};
    running_server server(test_config(), [&](auto& s) {
        s.every(1ms, [&, count = 0]() mutable {
            if (++count == 3) third.set_value();
            if (count == 2) throw std::runtime_error("a timer goes on after an exception");
        });
        s.after(2ms, [&] { once.set_value(); });
        const auto id = s.every(1ms, [&] { ++canceled_runs; });
        s.cancel(id);
    });
    soon(third.get_future());
    soon(once.get_future());
    EXPECT_EQ(canceled_runs, 0);
}

TEST(application, a_timer_may_cancel_itself) {
    std::promise<void> after;
    std::atomic<int> runs{0};
    running_server server(test_config(), [&](auto& s) {
        auto id = std::make_shared<server::timer_id>();
        *id = s.every(1ms, [&, id] {
            ++runs;
            s.cancel(*id);
            s.after(10ms, [&] { after.set_value(); });
        });
    });
    soon(after.get_future());
    EXPECT_EQ(runs, 1);
}

const std::string subscribe_room = R"({"op":"subscribe","id":2,"channel":"room"})";

TEST(application, a_handler_permits_and_refuses_with_its_reason) {
    running_server server(test_config(), [](auto& s) {
        s.authorize("room", operation::subscribe, [](const authorization_request& r) {
            return r.session() == ada_name ? authorization::allow() : authorization::deny("not you");
        });
    });
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(subscribe_room);
    ada.line_with("\"subscribed\"");
    auto bob = connected(server.port(), "bob-session");
    bob.send_text(subscribe_room);
    EXPECT_NE(bob.line_with("\"error\"").find("not you"), std::string::npos);
    // Nobody decides about other operations and other channels.
    bob.send_text(publish_line(3, "room", "app.note", R"({"text":"x"})"));
    bob.line_with("\"published\"");
    bob.send_text(R"({"op":"subscribe","id":4,"channel":"hall"})");
    bob.line_with("\"subscribed\"");
}

TEST(application, a_word_may_come_later_and_from_another_thread) {
    std::promise<pending_authorization> asked;
    running_server server(test_config(), [&](auto& s) {
        s.authorize("room", operation::subscribe, [&](const authorization_request& r) {
            asked.set_value(r.later());
            return r.later();
        });
    });
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(subscribe_room);
    const pending_authorization answer = soon(asked.get_future());
    // Neither other clients nor heartbeats wait.
    ada.send_text(R"({"op":"ping","id":99})");
    ada.line_with("\"pong\"");
    std::thread([answer] { answer.allow(); }).join();
    ada.line_with("\"subscribed\"");
}

TEST(application, a_handler_of_permissions_that_throws_lets_nobody_in) {
    running_server server(test_config(), [](auto& s) {
        s.authorize({}, operation::publish, [](const authorization_request&) -> authorization {
            throw std::runtime_error("the database is away");
        });
    });
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(publish_line(3, "room", "app.note", R"({"text":"x"})"));
    const std::string told = ada.line_with("\"error\"");
    EXPECT_NE(told.find("handler_failed"), std::string::npos) << told;
    EXPECT_EQ(told.find("database"), std::string::npos) << told;
}

TEST(application, on_subscribe_can_end_the_subscription_again) {
    running_server server(test_config(), [](auto& s) {
        s.on_subscribe("room", [](subscription_event& e) { e.refuse(); });
    });
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(subscribe_room);
    ada.line_with("\"subscribed\"");
    EXPECT_NE(ada.line_with("\"unsubscribed\"").find("forbidden"), std::string::npos);
}

TEST(application, permissions_hold_for_plain_websockets_and_event_streams) {
    running_server server(test_config(), [](auto& s) {
        s.authorize({}, operation::subscribe, [](const authorization_request& r) {
            return r.channel() == "open" ? authorization::allow() : authorization::deny();
        });
    });
    client stream(server.port());
    stream.send("GET /events?channel=open&channel=closed HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const std::string ended = stream.read_to_end();
    EXPECT_NE(ended.find("\"code\":4502,\"reconnect\":false"), std::string::npos) << ended;
    EXPECT_NE(ended.find("retry: 3601000"), std::string::npos)
        << "EventSource always comes back, but not soon";
    websocket_client plain(server.port(), "/ws/plain/closed", "");
    EXPECT_NE(plain.next().data.find("error forbidden"), std::string::npos);
}

// A slow handler holds up no connection, and what waits for it is bounded.
TEST(application, a_slow_handler_fills_a_bounded_queue) {
    config c = test_config();
    c.shell.application_queue_max = 5;
    std::promise<void> begun, go_on;
    auto released = go_on.get_future();
    running_server server(c, [&](auto& s) {
        s.template on<note>([&](const note& n, publish_context&) {
            if (n.text != "block") return;
            begun.set_value();
            released.wait();
        });
    });
    auto ada = connected(server.port(), "ada-session");
    ada.send_text(publish_line(3, "room", "app.note", R"({"text":"block"})"));
    soon(begun.get_future());
    std::string lines;
    for (int i = 0; i < 8; ++i) lines += publish_line(10 + i, "room", "app.note", R"({"text":"x"})") + "\n";
    ada.send_text(lines);
    for (int i = 0; i < 3; ++i) EXPECT_NE(ada.line_with("\"error\"").find("overloaded"), std::string::npos);
    ada.send_text(R"({"op":"ping","id":99})");
    ada.line_with("\"pong\"");
    go_on.set_value();
    for (int i = 0; i < 6; ++i) ada.line_with("\"published\"");
}

TEST(application, typescript_is_written_from_what_is_registered) {
    server s(test_config());
    s.on<note>([](const note&, publish_context&) {});
    s.publishes<plain_text>();
    s.handle<add, sum>([](const add& q, request_context&) { return sum{q.a + q.b}; });
    const auto module = s.typescript();
    ASSERT_TRUE(module.has_value());
    for (const char* part :
         {"export interface Note {", "\"app.note\": Note;", "\"message\": PlainText;",
          "\"sum.add\": { request: Add; response: Sum };"})
        EXPECT_NE(module->find(part), std::string::npos) << part << " is missing in\n" << *module;
}

}  // namespace
}  // namespace pulsewire
