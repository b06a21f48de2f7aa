// The code of docs/cpp.md: a test sees to it that every snippet there stands here or in hello.cpp.

#include "server/server.hpp"

#include <cstddef>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using pulsewire::authorization;
using pulsewire::failure;
using pulsewire::operation;
using pulsewire::publish_context;
using pulsewire::rejection;
using pulsewire::request_context;
using pulsewire::result;

enum class colour { red, green, blue };
PULSEWIRE_ENUM(colour, red, green, blue)

struct point {
    double x = 0;
    double y = 0;
};
PULSEWIRE_FIELDS(point, x, y)

struct stroke {
    colour ink = colour::red;
    std::vector<point> points;
    std::optional<std::string> author;
};
PULSEWIRE_MESSAGE(stroke, "board.stroke", ink, points, author)

struct plain_text {
    std::string text;
};
PULSEWIRE_VALUE_MESSAGE(plain_text, "message", text)

struct find_board {
    std::string name;
};
PULSEWIRE_MESSAGE(find_board, "board.find", name)

struct board {
    std::string channel;
    int strokes = 0;
};
PULSEWIRE_FIELDS(board, channel, strokes)

void handle_messages(pulsewire::server& server) {
    server.on<stroke>("board:", [](const stroke& s, publish_context& c) {
        if (s.points.size() > 1000) return c.reject("at most 1000 points in a stroke");
        if (s.points.empty()) return c.drop();
        if (!s.author) {
            stroke signed_one = s;
            signed_one.author = c.session();
            c.publish_instead(signed_one);
        }
    });

    server.on<plain_text>("echo:", [](const plain_text& m, publish_context& c) {
        c.send(plain_text{"you said: " + m.text});
        c.publish_to_others(plain_text{"somebody said: " + m.text});
    });
}

void handle_bytes(pulsewire::server& server) {
    server.on_bytes("file.part", [](std::span<const std::byte> bytes, publish_context& c) {
        if (bytes.empty()) c.reject("an empty part");
    });
}

void handle_connections(pulsewire::server& server) {
    server.on_connect([](pulsewire::connection& c) { std::cout << c.session() << " is here\n"; });
    server.on_disconnect([](pulsewire::connection& c) { std::cout << c.session() << " has gone\n"; });
    server.on_subscribe("board:", [](pulsewire::subscription_event& e) {
        e.send(plain_text{"welcome to " + e.channel()});
    });
}

// Stands for one that answers on a thread of its own.
struct slow_database {
    void ask(const std::string& user, const std::string&, std::function<void(bool)> answer) {
        threads.emplace_back([user, answer = std::move(answer)] { answer(user == "ann"); });
    }
    ~slow_database() {
        for (std::thread& one : threads) one.join();
    }
    std::vector<std::thread> threads;
};

void decide(pulsewire::server& server, const std::set<std::string>& members, slow_database& database) {
    server.authorize("club:", operation::subscribe, [&members](const pulsewire::authorization_request& r) {
        if (members.contains(r.user())) return authorization::allow();
        return authorization::deny("members only");
    });
    server.authorize(
        "room:", operation::publish,
        [&](const pulsewire::authorization_request& r) -> authorization {
            const auto answer = r.later();
            database.ask(r.user(), r.channel(), [answer](bool yes) {
                yes ? answer.allow() : answer.deny("read only");
            });
            return answer;
        }
    );
}

void answer_requests(pulsewire::server& server, std::map<std::string, board>& boards) {
    server.handle<find_board, board>(
        [&boards](const find_board& q, request_context&) -> result<board, rejection> {
            const auto found = boards.find(q.name);
            if (found == boards.end()) return failure{rejection{"there is no board " + q.name}};
            return found->second;
        }
    );
}

void publish_by_itself(pulsewire::server& server) {
    server.publish("board:lobby", stroke{colour::blue, {{0, 0}, {1, 1}}, "the server"});
    server.publish("board:lobby", plain_text{"somebody draws"}, pulsewire::keeping::transient);

    server.every(1min, [&server] { server.publish("board:lobby", plain_text{"a minute has passed"}); });
    const auto reminder = server.after(10s, [] { std::cout << "ten seconds have passed\n"; });
    server.cancel(reminder);
    server.run_soon([] { std::cout << "on the application's thread\n"; });
}

pulsewire::config settings(int argc, char** argv) {
    pulsewire::config defaults;
    defaults.namespaces["board"].history_count_max = 1000;
    defaults.namespaces["board"].history_age_ms = 24 * 3600 * 1000;
    defaults.namespaces["news"].client_publish = false;
    return pulsewire::config::from_command_line(argc, argv, defaults);
}

int main(int argc, char** argv) {
    std::map<std::string, board> boards = {{"lobby", {"board:lobby", 0}}};
    const std::set<std::string> members = {"ann", "bob"};
    pulsewire::server server(settings(argc, argv));
    // Ends before the server, to which its threads give their answers.
    slow_database database;
    decide(server, members, database);
    server.declare<plain_text>();
    server.publishes<stroke>();
    handle_messages(server);
    handle_bytes(server);
    handle_connections(server);
    answer_requests(server, boards);
    publish_by_itself(server);
    return server.run();
}
