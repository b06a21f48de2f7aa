#include "common/protocol/event_stream.hpp"

#include "common/base/keyed_hash.hpp"
#include "common/protocol/line_writer.hpp"
#include "common/protocol/names.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace pulsewire::event_stream {
namespace {

// Digits of 2^53-1, the longest offset.
constexpr std::size_t offset_digits_max = 16;
// The version of the cursor's format.
constexpr std::string_view version = "1";
// The type that browsers give to an event without an `event:` line.
constexpr std::string_view default_type = "message";
// The events that EventSource fires for the connection itself. A message of such a type would look like the
// end of the stream to a page, so its event has a name that no type can have (1.3).
constexpr std::string_view taken_types[] = {"error", "open"};
constexpr std::string_view taken_prefix = "pulsewire.message.";

// Whether a browser would end the field at a byte of the text, or drop the field for it.
bool breaks_field(std::string_view text) {
    const auto has = [&](char c) { return text.find(c) != std::string_view::npos; };
    return has('\n') || has('\r') || has('\0');
}

void append_value(std::string& out, std::string_view text) {
    if (!breaks_field(text)) {
        out += text;
        return;
    }
    for (const char c : text) out.push_back(c == '\n' || c == '\r' || c == '\0' ? ' ' : c);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    append_value(out, value);
    out.push_back('\n');
}

std::string_view without_newline(std::string_view line) {
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    return line;
}

// A hash of all names, against mistakes and not against malice: whoever may read the channels may read them
// from any position.
std::string mark_of(const std::vector<std::string>& names) {
    constexpr int digits = 8;
    sip_hasher<> hash(hash_key{});
    for (const std::string& name : names) hash.piece(name);
    std::uint64_t rest = hash.end();
    std::string mark;
    for (int i = 0; i < digits; ++i, rest >>= 4) mark.push_back("0123456789abcdef"[rest & 15]);
    return mark;
}

// Reads an offset as encode() writes it: without sign and leading zeros.
std::optional<std::uint64_t> read_offset(std::string_view text) {
    if (text.empty() || text.size() > offset_digits_max) return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value <= id_max ? std::optional(value) : std::nullopt;
}

// Takes the text before the next '.', or all of it.
std::string_view take_part(std::string_view& text) {
    const std::size_t dot = text.find('.');
    const std::string_view part = text.substr(0, dot);
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    return part;
}

void append_retry(std::string& out, std::uint32_t ms) {
    out += "retry: ";
    append_number(out, ms);
    out.push_back('\n');
}

}  // namespace

bool safe_line(std::string_view line) {
    return !breaks_field(without_newline(line));
}

void append_batch(std::string& out, std::string_view lines) {
    bool any = false;
    while (!lines.empty()) {
        const std::size_t newline = lines.find('\n');
        const std::string_view line = lines.substr(0, newline);
        if (!line.empty()) append_data(out, line);
        any = any || !line.empty();
        lines = newline == std::string_view::npos ? std::string_view{} : lines.substr(newline + 1);
    }
    if (any) out += event_end;
}

void append_stream_event(std::string& out, std::string_view connection) {
    std::string json;
    line_writer(json, "stream").text("connection", connection).end();
    append_batch(out, json);
}

void cursor::set(std::size_t index, std::string_view epoch, std::uint64_t offset) {
    positions_[index].epoch.assign(epoch);
    positions_[index].offset = offset;
}

void cursor::mark(const std::vector<std::string>& sorted_channels) {
    mark_ = mark_of(sorted_channels);
}

bool cursor::complete() const {
    return std::none_of(positions_.begin(), positions_.end(), [](const position& p) {
        return p.epoch.empty();
    });
}

std::string cursor::encode() const {
    std::string out;
    append_to(out);
    return out;
}

void cursor::append_to(std::string& out) const {
    out += version;
    if (!mark_.empty()) (out += '.') += mark_;
    for (const position& p : positions_) {
        out.push_back('.');
        append_value(out, p.epoch);
        out.push_back('.');
        append_number(out, p.offset);
    }
}

result<cursor, cursor_error> cursor::parse(
    std::string_view text, const std::vector<std::string>& sorted_channels
) {
    const auto parts = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
    if (parts != 2 * sorted_channels.size() + 1) return parse(text, sorted_channels.size());
    std::string_view rest = text;
    if (take_part(rest) != version) return failure{cursor_error::wrong_version};
    if (take_part(rest) != mark_of(sorted_channels)) return failure{cursor_error::wrong_count};
    return parse(std::string(version).append(".").append(rest), sorted_channels.size());
}

result<cursor, cursor_error> cursor::parse(std::string_view text, std::size_t channel_count) {
    const std::size_t bytes_max = version.size() + channel_count * (epoch_bytes_max + offset_digits_max + 2);
    if (text.size() > bytes_max) return failure{cursor_error::too_long};
    const auto parts = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
    if (take_part(text) != version) return failure{cursor_error::wrong_version};
    if (channel_count == 0 || parts != 2 * channel_count) return failure{cursor_error::wrong_count};

    cursor read(channel_count);
    for (std::size_t i = 0; i < channel_count; ++i) {
        const std::string_view epoch = take_part(text);
        if (!is_epoch(epoch)) return failure{cursor_error::bad_epoch};
        const auto offset = read_offset(take_part(text));
        if (!offset) return failure{cursor_error::bad_offset};
        read.set(i, epoch, *offset);
    }
    return read;
}

void append_event_head(std::string& out, std::string_view type, const cursor* id) {
    const bool taken =
        std::find(std::begin(taken_types), std::end(taken_types), type) != std::end(taken_types);
    if (taken) {
        append_field(out, "event", std::string(taken_prefix).append(type));
    } else if (type != default_type) {
        append_field(out, "event", type);
    }
    if (id == nullptr) return;
    out += "id: ";
    id->append_to(out);
    out.push_back('\n');
}

void append_data(std::string& out, std::string_view json) {
    append_field(out, "data", json);
}

void append_event(std::string& out, std::string_view type, const cursor* id, std::string_view json) {
    append_event_head(out, type, id);
    append_data(out, json);
    out += event_end;
}

void append_open(
    std::string& out, const std::vector<std::string>& sorted_channels, const cursor& start, const cursor* id,
    std::uint32_t retry_after_ms
) {
    std::string json = "{\"positions\":[";
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (i != 0) json.push_back(',');
        line_writer(json)
            .text("channel", sorted_channels[i])
            .text("epoch", start.at(i).epoch)
            .number("offset", start.at(i).offset)
            .end();
    }
    json += "]}";
    append_retry(out, retry_after_ms);
    append_event(out, "pulsewire.open", id, json);
}

void append_gap(std::string& out, std::string_view channel, std::string_view reason, const cursor* id) {
    std::string json;
    line_writer(json).text("channel", channel).flag("recovered", false).text("reason", reason).end();
    append_event(out, "pulsewire.gap", id, json);
}

void append_ping(std::string& out, std::int64_t time_ms) {
    std::string json;
    line_writer(json).number("time", static_cast<std::uint64_t>(std::max<std::int64_t>(time_ms, 0))).end();
    append_event(out, "pulsewire.ping", nullptr, json);
}

void append_close(std::string& out, std::string_view json, std::uint32_t after_ms) {
    // At least the shortest of all waits, because the next server has to be there.
    if (after_ms != 0) append_retry(out, retry_min_ms + after_ms);
    append_event(out, "pulsewire.close", nullptr, without_newline(json));
}

}  // namespace pulsewire::event_stream
