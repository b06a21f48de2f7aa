#include "server/streams/record.hpp"

#include "common/exchange/message_text.hpp"
#include "common/protocol/json_readable.hpp"
#include "common/protocol/json_scan.hpp"
#include "common/protocol/limits.hpp"
#include "common/protocol/line_writer.hpp"
#include "server/text.hpp"

#include <algorithm>

namespace pulsewire::shell::streams {
namespace {

// The record has two levels around the values, and a client of the protocol must be able to read it.
constexpr int values_depth_max = json_depth_max - 2;

written joined(std::string head, std::string_view data, bool is_json) {
    if (data.empty() || is_json) {
        std::string text = "{\"head\":" + std::move(head);
        if (!data.empty()) text.append(",\"messages\":[").append(data).append("]");
        return {std::move(text) + "}", false};
    }
    head.push_back('\n');
    return {head.append(data), true};
}

std::string text_in(std::string_view value) {
    json_scan scan(value);
    std::string_view inner;
    return scan.take_string(inner) ? unescaped(inner) : std::string();
}

bool read_head(std::string_view head, record& r) {
    std::optional<producer> by;
    bool good = true;
    json_scan scan(head);
    const auto number = [&](std::string_view value) {
        const auto n = parse_number(value);
        good = good && n.has_value();
        return n.value_or(0);
    };
    const bool whole = for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view v) {
        if (key == "content_type") r.made.content_type = text_in(v);
        if (key == "ttl") r.made.ttl_s = number(v);
        if (key == "expires") r.made.expires = text_in(v);
        if (key == "expires_ms") r.made.expires_ms = static_cast<std::int64_t>(number(v));
        if (key == "closed") r.made.closed = r.added.closed = v == "true";
        if (key == "of") r.added.of = number(v);
        if (key == "stream_seq") r.added.order = text_in(v);
        if (key == "producer" || key == "epoch" || key == "seq") {
            if (!by) by.emplace();
            if (key == "producer") by->id = text_in(v);
            if (key == "epoch") by->epoch = number(v);
            if (key == "seq") by->seq = number(v);
        }
        return true;
    });
    r.added.by = std::move(by);
    return whole && good && (!r.added.by || !r.added.by->id.empty());
}

}  // namespace

written write(const creation& c, std::string_view data, bool is_json) {
    std::string head;
    line_writer json(head);
    json.text("content_type", c.content_type);
    if (c.ttl_s) json.number("ttl", *c.ttl_s);
    if (!c.expires.empty())
        json.text("expires", c.expires).number("expires_ms", static_cast<std::uint64_t>(c.expires_ms));
    if (c.closed) json.flag("closed", true);
    head.push_back('}');
    return joined(std::move(head), data, is_json);
}

written write(const addition& a, std::string_view data, bool is_json) {
    std::string head;
    line_writer json(head);
    json.number("of", a.of);
    if (a.by) json.text("producer", a.by->id).number("epoch", a.by->epoch).number("seq", a.by->seq);
    if (!a.order.empty()) json.text("stream_seq", a.order);
    if (a.closed) json.flag("closed", true);
    head.push_back('}');
    return joined(std::move(head), data, is_json);
}

std::optional<record> read(const hub::message& m) {
    record r;
    if (m.is_snapshot) {
        r.kind = m.type() == delete_type ? record_kind::remove : record_kind::covered;
        r.covers = hub::snapshot_of(m).covers;
        return r;
    }
    if (m.type() == create_type) {
        r.kind = record_kind::create;
    } else if (m.type() == read_type) {
        r.kind = record_kind::read;
    } else if (m.type() != append_type) {
        return std::nullopt;
    }
    std::string_view head;
    if (m.binary) {
        const std::string_view payload = m.payload();
        const std::size_t end = payload.find('\n');
        if (end == payload.npos) return std::nullopt;
        head = payload.substr(0, end);
        r.data = payload.substr(end + 1);
    } else {
        json_scan scan(m.payload());
        for_each_member(scan, json_depth_max, [&](std::string_view key, std::string_view value) {
            if (key == "head") head = value;
            if (key == "messages" && value.starts_with('[')) r.data = value.substr(1, value.size() - 2);
            return true;
        });
    }
    if (!read_head(head, r)) return std::nullopt;
    return r;
}

result<json_values, std::string> messages_of(std::string_view body) {
    json_values all;
    json_scan scan(body);
    const auto faulty = [&]() -> failure<std::string> {
        return failure{
            scan.too_deep() ? "the JSON nests more than " + std::to_string(values_depth_max) + " levels"
                            : "the body is no JSON: reading stopped at byte " + std::to_string(scan.at())};
    };
    const auto take = [&] {
        std::string_view value;
        if (!scan.take_value(value, values_depth_max)) return false;
        if (all.many++ > 0) all.text.push_back(',');
        all.text += value;
        return true;
    };
    if (scan.take('[')) {
        if (!scan.take(']')) {
            do
                if (!take()) return faulty();
            while (scan.take(','));
            if (!scan.take(']')) return faulty();
        }
    } else if (!take()) {
        return faulty();
    }
    scan.skip_space();
    if (!scan.at_end()) return faulty();
    if (scan.has_unreadable()) {
        if (const auto bad = first_unreadable("[" + all.text + "]"))
            return failure{"the body cannot be read everywhere: " + bad->what};
    }
    // Strings have no raw line ends, so each is between two tokens.
    if (scan.has_line_ends())
        std::replace_if(
            all.text.begin(), all.text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' '
        );
    return all;
}

}  // namespace pulsewire::shell::streams
