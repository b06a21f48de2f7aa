#include "common/hub/hub.hpp"

#include "common/channel/channel_log.hpp"
#include "common/exchange/message_text.hpp"

#include <memory>
#include <string>

#include "bench/micro/parts.hpp"

namespace pulsewire::bench {
namespace {

constexpr hub::instant now{1'000, 1'764'000'000'000};

std::shared_ptr<hub::hub> make_hub(std::uint32_t clients) {
    hub::config c;
    c.bounds.commands_per_second = 0;
    c.bounds.channels_per_connection_max = 100'000;
    c.seed = 1;
    auto h = std::make_shared<hub::hub>(c);
    for (std::uint32_t i = 1; i <= clients; ++i) {
        h->open(i, hub::face::protocol, "secret", {}, now);
        h->receive(
            i, R"({"op":"connect","version":1,"session":"session-)" + std::to_string(i) + R"("})", now
        );
        h->out().clear();
    }
    return h;
}

void say(hub::hub& h, std::uint64_t connection, std::string_view line) {
    h.receive(connection, line, now);
    use(h.out().sends.size());
    h.out().clear();
}

// One publisher; everybody else is subscribed.
std::function<void(std::uint64_t)> fan_out(std::uint32_t subscribers) {
    auto h = make_hub(subscribers + 1);
    for (std::uint32_t i = 2; i <= subscribers + 1; ++i)
        say(*h, i, R"({"op":"subscribe","channel":"chat:42"})");
    // A full history, as a channel has it after a while.
    const std::string line = publish_line("chat:42");
    for (int i = 0; i < 400; ++i) say(*h, 1, line);
    return [h, line](std::uint64_t times) {
        for (; times != 0; --times) say(*h, 1, line);
    };
}

std::function<void(std::uint64_t)> subscribe_and_leave() {
    auto h = make_hub(100);
    for (std::uint32_t i = 2; i <= 100; ++i) say(*h, i, R"({"op":"subscribe","channel":"chat:42"})");
    return [h](std::uint64_t times) {
        for (; times != 0; --times) {
            say(*h, 1, R"({"op":"subscribe","id":2,"channel":"chat:42"})");
            say(*h, 1, R"({"op":"unsubscribe","id":3,"channel":"chat:42"})");
        }
    };
}

// A client comes back and gets the last 100 publications.
std::function<void(std::uint64_t)> recover() {
    auto h = make_hub(2);
    say(*h, 2, R"({"op":"subscribe","channel":"chat:42"})");
    h->receive(2, R"({"op":"unsubscribe","channel":"chat:42"})", now);
    h->out().clear();
    const std::string line = publish_line("chat:42");
    for (int i = 0; i < 200; ++i) say(*h, 1, line);
    h->receive(2, R"({"op":"subscribe","id":2,"channel":"chat:42"})", now);
    const std::string epoch(h->out().sends.front().what->epoch());
    h->out().clear();
    say(*h, 2, R"({"op":"unsubscribe","channel":"chat:42"})");
    return [h, subscribe = R"({"op":"subscribe","id":2,"channel":"chat:42","epoch":")" + epoch +
                           R"(","offset":100})"](std::uint64_t times) {
        for (; times != 0; --times) {
            say(*h, 2, subscribe);
            say(*h, 2, R"({"op":"unsubscribe","channel":"chat:42"})");
        }
    };
}

// With as many as are kept, so each pushes the oldest out.
std::function<void(std::uint64_t)> append_to_log() {
    auto log = std::make_shared<hub::channel_log>("x7Qa", namespace_options{});
    hub::publish p;
    p.channel = "chat:42";
    p.type = "chat.message";
    p.payload = payload();
    const auto m = hub::make_message(p, 1, now.wall_ms);
    for (int i = 0; i < 400; ++i) log->append(m, now.monotonic_ms);
    return [log, m](std::uint64_t times) {
        for (; times != 0; --times) log->append(m, now.monotonic_ms);
    };
}

}  // namespace

void add_hub(std::vector<work>& all) {
    all.push_back({"hub/publish_to_1000", 1'000, [] { return fan_out(1'000); }});
    all.push_back({"hub/publish_to_2", 2, [] { return fan_out(2); }});
    all.push_back({"hub/subscribe_unsubscribe", 1, subscribe_and_leave});
    all.push_back({"hub/recover_100", 100, recover});
    all.push_back({"channel_log/append", 1, append_to_log});
}

}  // namespace pulsewire::bench
