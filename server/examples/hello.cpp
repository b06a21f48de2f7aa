// A whole Pulsewire application: a chat that refuses empty messages, a question that the server answers, and
// a clock.
//
//     build/release/pulsewire-hello --port 8080
//
// In a browser, with the npm package `pulsewire`:
//
//     const client = connect('http://localhost:8080');
//     const chat = client.channel('chat:lobby');
//     chat.on('chat.message', ({user, text}) => console.log(`${user}: ${text}`));
//     await chat.publish('chat.message', {user: 'Ada', text: 'hello'});
//     console.log(await client.request('sum.add', {a: 1, b: 2}));             // {sum: 3}
//
// and without it: curl -N 'http://localhost:8080/events?channel=time:now'

#include "server/server.hpp"

#include <ctime>

// A message type is a struct and one line: its name on the wire and its fields.
struct chat_message {
    std::string user;
    std::string text;
};
PULSEWIRE_MESSAGE(chat_message, "chat.message", user, text)

struct add {
    double a = 0;
    double b = 0;
};
PULSEWIRE_MESSAGE(add, "sum.add", a, b)

struct sum {
    double sum = 0;
};
PULSEWIRE_FIELDS(sum, sum)

struct tick {
    std::int64_t seconds = 0;
};
PULSEWIRE_MESSAGE(tick, "time.tick", seconds)

int main(int argc, char** argv) {
    using namespace std::chrono_literals;
    pulsewire::server server(pulsewire::config::from_command_line(argc, argv));

    // A payload that does not fit the struct never comes here; its sender is told what is wrong and where.
    server.on<chat_message>("chat:", [](const chat_message& m, pulsewire::publish_context& c) {
        if (m.text.empty()) c.reject("say something");
    });

    // To the newcomer alone, behind what the channel's history had for them.
    server.on_subscribe("chat:", [](pulsewire::subscription_event& e) {
        e.send(chat_message{"server", "welcome to " + e.channel()});
    });

    server.handle<add, sum>([](const add& q, pulsewire::request_context&) { return sum{q.a + q.b}; });

    server.publishes<tick>();
    server.every(1s, [&] { server.publish("time:now", tick{std::time(nullptr)}); });

    return server.run();
}
