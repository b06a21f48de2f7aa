#include "common/exchange/message_text.hpp"
#include "common/protocol/command.hpp"
#include "common/protocol/server_frame.hpp"
#include "common/protocol/websocket_reader.hpp"
#include "common/protocol/websocket_writer.hpp"
#include "common/schema/checker.hpp"

#include <memory>
#include <span>
#include <string>

#include "bench/micro/parts.hpp"

namespace pulsewire::bench {
namespace {

std::function<void(std::uint64_t)> read_commands(const std::string& line) {
    return [line, scratch = std::make_shared<std::string>()](std::uint64_t times) {
        for (; times != 0; --times) use(read_command(line, *scratch).has_value());
    };
}

// As the SDK does it: the header alone, up to the payload.
std::function<void(std::uint64_t)> read_publications() {
    const std::string line = publication_line("chat:42", 1'234'567);
    return [line, header = line.substr(0, line.find("\"payload\":") + 10)](std::uint64_t times) {
        server_frame frame;
        for (; times != 0; --times)
            use(read_server_frame(header, static_cast<std::uint32_t>(line.size()), frame));
    };
}

std::function<void(std::uint64_t)> write_publications() {
    hub::publish p;
    p.channel = "chat:42";
    p.type = "chat.message";
    p.payload = payload();
    return [p](std::uint64_t times) {
        for (; times != 0; --times) use(hub::make_message(p, 1'234'567 + times, 1'764'000'000'000).get());
    };
}

// A masked frame of a client, masked again for each reading, since reading unmasks in place.
std::function<void(std::uint64_t)> read_websocket() {
    constexpr websocket::masking_key key{1, 2, 3, 4};
    const std::string text = publish_line("chat:42");
    std::string frame(websocket::frame_header(websocket::opcode::text, text.size(), key).view());
    const std::size_t at = frame.size();
    frame += text;
    websocket::apply_mask(std::span(frame).subspan(at), key);
    auto reader = std::make_shared<websocket::reader>(websocket::role::server, 65'536u);
    return [frame, reader](std::uint64_t times) {
        std::string copy;
        for (; times != 0; --times) {
            copy = frame;
            std::span<char> bytes(copy);
            while (reader->next(bytes).kind != websocket::event_kind::more) continue;
        }
    };
}

// A schema as chats have one, for payload().
std::function<void(std::uint64_t)> check_payloads() {
    const auto rules = schema::checker::compile(
        R"({"type":"object","properties":{"from":{"type":"string","minLength":1,"maxLength":40},
            "at":{"type":"integer","minimum":0},"text":{"type":"string","maxLength":2000}},
            "required":["from","text"],"additionalProperties":false})"
    );
    return [rules = *rules, text = payload()](std::uint64_t times) {
        for (; times != 0; --times) use(rules.check(text).has_value());
    };
}

}  // namespace

void add_codec(std::vector<work>& all) {
    all.push_back({"read_command/publish", 1, [] { return read_commands(publish_line("chat:42")); }});
    all.push_back({"read_command/subscribe", 1, [] {
                       return read_commands(
                           R"({"op":"subscribe","id":2,"channel":"chat:42","epoch":"x7Qa","offset":15})"
                       );
                   }});
    all.push_back({"read_server_frame/publication", 1, read_publications});
    all.push_back({"make_message/publication", 1, write_publications});
    all.push_back({"websocket_reader/text", 1, read_websocket});
    all.push_back({"schema_check/payload", 1, check_payloads});
}

}  // namespace pulsewire::bench
