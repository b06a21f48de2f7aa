// Reading a server's frame, held against the scan of JSON: where both read a line, they see the same members.
// The client trusts the server's JSON, so the reader takes more than JSON; but never does it cut outside the
// line.

#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"
#include "common/protocol/server_frame.hpp"
#include "fuzz/fuzz.hpp"

#include <cstdint>
#include <string>

namespace pulsewire::fuzz {
namespace {

constexpr slice server_frame::*slices[] = {
    &server_frame::type,    &server_frame::channel, &server_frame::epoch,   &server_frame::session,
    &server_frame::except,  &server_frame::reason,  &server_frame::message, &server_frame::code,
    &server_frame::pointer, &server_frame::url,
};
// A few whose name no other member shares a place with.
constexpr std::pair<std::string_view, slice server_frame::*> texts[] = {
    {"type", &server_frame::type},   {"channel", &server_frame::channel}, {"except", &server_frame::except},
    {"epoch", &server_frame::epoch}, {"reason", &server_frame::reason},   {"url", &server_frame::url},
};
constexpr std::pair<std::string_view, std::uint64_t server_frame::*> numbers[] = {
    {"offset", &server_frame::offset},
    {"time", &server_frame::time},
    {"replay", &server_frame::replay},
    {"after_ms", &server_frame::after_ms},
};

// What the frame has of a member is what the line has last under its name.
void agrees(std::string_view line, const server_frame& frame, std::string_view key, std::string_view value) {
    if (value.front() == '"')
        for (const auto& [name, member] : texts)
            if (key == name) require((frame.*member).of(line) == value.substr(1, value.size() - 2), "a text");
    if (value.find_first_not_of("0123456789") == value.npos && value.size() < 19)
        for (const auto& [name, member] : numbers)
            if (key == name) require(frame.*member == std::stoull(std::string(value)), "a number");
    if (key == "recovered") require(frame.has_recovered && frame.recovered == (value == "true"), "recovered");
    if (key == "payload") require(frame.payload.of(line) == value, "the payload");
}

bool named_twice(std::string_view line, std::string_view key) {
    int times = 0;
    json_scan scan(line);
    for_each_member(scan, json_depth_max, [&](std::string_view name, std::string_view) {
        times += name == key;
        return true;
    });
    return times > 1;
}

}  // namespace

void test_one_input(std::string_view line) {
    // As the host cuts it.
    constexpr std::string_view payload = "\"payload\":";
    const std::size_t at = line.find(payload);
    const std::string_view header = at == line.npos ? line : line.substr(0, at + payload.size());
    server_frame frame;
    if (!read_server_frame(header, static_cast<std::uint32_t>(line.size()), frame)) return;
    for (const auto member : slices)
        require((frame.*member).at + (frame.*member).size <= header.size(), "a text is in the header");
    require(frame.payload.at + frame.payload.size <= line.size(), "the payload is in the line");
    require(frame.op <= server_op::unknown, "an operation has a name");

    std::size_t stopped_at = 0;
    if (!is_json(line, json_depth_max, stopped_at)) return;
    json_scan scan(line);
    for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view value) {
        if (!named_twice(line, key)) agrees(line, frame, key, value);
        return true;
    });
}

}  // namespace pulsewire::fuzz
