#include "common/client/machine.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include "bench/micro/parts.hpp"

namespace pulsewire::bench {
namespace {

// The clock stands still, so no timer is due.
constexpr client::time_ms now = 1'000;

struct page {
    client::machine machine{client::options{}, "bench-session", 1};
    std::uint32_t attempt = 0;

    void obey() {
        for (std::size_t i = 0; i < machine.actions().size(); ++i)
            if (machine.actions()[i].kind == client::action_kind::open_transport)
                attempt = machine.actions()[i].attempt;
        machine.clear_actions();
    }
    // A line as it stands before its payload.
    void hear(std::string_view header, std::size_t line_bytes) {
        machine.line(attempt, header, static_cast<std::uint32_t>(line_bytes), now);
        obey();
    }
};

// Messages of one channel in order, with so many other subscriptions beside it.
std::function<void(std::uint64_t)> receive(std::uint32_t subscriptions) {
    auto p = std::make_shared<page>();
    p->machine.start(now);
    p->obey();
    p->machine.transport_opened(p->attempt, now);
    p->obey();
    const std::string welcome =
        R"({"op":"welcome","session":"bench-session","server":"s","ping_ms":25000,"pong_ms":8000,"message_bytes_max":65536})";
    p->hear(welcome, welcome.size());
    for (std::uint32_t i = 0; i < subscriptions; ++i) {
        const std::string channel = "chat:" + std::to_string(i);
        p->machine.subscribe(channel, {}, now);
        const client::action& sent = p->machine.actions()[p->machine.actions().size() - 1];
        const std::string text(p->machine.text_of(sent));
        const std::size_t id = text.find("\"id\":") + 5;
        const std::string answer = R"({"op":"subscribed","id":)" + text.substr(id, text.find(',', id) - id) +
                                   R"(,"channel":")" + channel + R"(","epoch":"x7Qa","offset":0,"replay":0})";
        p->obey();
        p->hear(answer, answer.size());
    }
    // The line around its offset, which grows from message to message.
    const std::string line = publication_line("chat:0", 0);
    const std::size_t at = line.find("\"offset\":") + 9;
    const std::string before = line.substr(0, at);
    const std::string after = line.substr(at + 1, line.find("\"payload\":") + 10 - at - 1);
    auto offset = std::make_shared<std::uint64_t>(0);
    return [p, before, after, bytes = line.size() - 1, offset](std::uint64_t times) {
        std::string header = before;
        for (; times != 0; --times) {
            const std::string number = std::to_string(++*offset);
            header.resize(before.size());
            header.append(number).append(after);
            p->machine.line(p->attempt, header, static_cast<std::uint32_t>(bytes + number.size()), now);
            if (p->machine.actions()[0].kind != client::action_kind::deliver) std::abort();
            p->machine.clear_actions();
        }
    };
}

}  // namespace

void add_client(std::vector<work>& all) {
    all.push_back({"client/receive", 1, [] { return receive(1); }});
    all.push_back({"client/receive_of_1000", 1, [] { return receive(1'000); }});
}

}  // namespace pulsewire::bench
