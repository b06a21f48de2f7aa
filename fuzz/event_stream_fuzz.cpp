// The text of event streams: nothing breaks out of its field, and a cursor reads exactly what it writes. The
// input is read as a cursor, and then cut at 0xff bytes into the texts of an event.

#include "common/protocol/event_stream.hpp"
#include "common/protocol/event_stream_reference_test.hpp"
#include "fuzz/fuzz.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace pulsewire::fuzz {
namespace {

using namespace event_stream;
using event_stream::testing::event_source;

std::string as_sent(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c == '\n' || c == '\r' || c == '\0') c = ' ';
    return out;
}

bool only_events(const event_source& s) {
    return s.unknown_fields.empty() && s.comments.empty() && !s.unfinished;
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::size_t size = input.size();
    for (const std::size_t count : {std::size_t{1}, std::size_t{2}, channels_max})
        if (const auto read = cursor::parse(input, count)) {
            require(read->size() == count, "as many positions as channels");
            require(read->complete(), "no epoch is empty");
            require(read->encode() == input, "a cursor reads exactly what it writes");
        }

    const std::vector<std::string> names = {"a", "b"};
    if (auto read = cursor::parse(input, names)) {
        read->mark(names);
        const std::string marked = read->encode();
        require(cursor::parse(marked, names).has_value(), "a marked cursor fits its channels");
        require(!cursor::parse(marked, {"a", "c"}), "and no others");
    }

    const std::string_view type = take_until(input, '\xff');
    const std::string_view json = take_until(input, '\xff');
    const std::string_view epoch = take_until(input, '\xff');
    cursor id(1);
    id.set(0, epoch, size);
    std::string out;
    append_event(out, type, &id, json);
    const event_source one(out);
    require(only_events(one) && one.events.size() == 1 && !one.retry_ms, "exactly one event");
    const bool taken = type == "error" || type == "open";
    require(
        one.events[0].type ==
            (type.empty() ? "message" : (taken ? "pulsewire.message." : "") + as_sent(type)),
        "its type is the type, and never one of the connection's own events"
    );
    require(one.events[0].data == as_sent(json), "its data is the JSON");
    require(one.last_id == "1." + as_sent(epoch) + "." + std::to_string(size), "its id is the cursor");

    out.clear();
    append_gap(out, type, epoch, nullptr);
    append_stream_event(out, type);
    append_close(out, json);
    append_ping(out, static_cast<std::int64_t>(size));
    append_open(out, {std::string(type)}, id, nullptr);
    require(only_events(event_source(out)) && event_source(out).events.size() == 5, "five events");

    out.clear();
    append_batch(out, json);
    std::string expected;
    for (std::size_t at = 0; at < json.size();) {
        const std::string_view line = json.substr(at, json.find('\n', at) - at);
        if (!line.empty()) expected += (expected.empty() ? "" : "\n") + as_sent(line);
        at += line.size() + 1;
    }
    const event_source batch(out);
    require(
        only_events(batch) && batch.events.size() == (expected.empty() ? 0 : 1),
        "a batch is one event or nothing"
    );
    require(expected.empty() || batch.events[0].data == expected, "with one data line per frame");
}

}  // namespace pulsewire::fuzz
