#include "server/endpoint/stream_request.hpp"

#include "common/protocol/json_scan.hpp"
#include "common/protocol/line_writer.hpp"
#include "server/base/host_name.hpp"
#include "server/http/text.hpp"

#include <algorithm>
#include <optional>

namespace pulsewire::shell {
namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view default_type = "application/octet-stream";
constexpr std::size_t producer_bytes_max = 256;
constexpr std::size_t order_bytes_max = 256;

response bad(std::string_view message) {
    return stream_error(400, "invalid_frame", message);
}

bool is_json(std::string_view content_type) {
    return streams::media_type_of(content_type) == json_type;
}

bool closes(const request& r) {
    return same_ignoring_case(r.field("Stream-Closed"), "true");
}

bool is_printable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

result<std::optional<streams::producer>, response> read_producer(const request& r) {
    constexpr std::string_view names[] = {"Producer-Id", "Producer-Epoch", "Producer-Seq"};
    const auto there =
        std::count_if(std::begin(names), std::end(names), [&](auto name) { return r.count(name) > 0; });
    if (there == 0) return std::optional<streams::producer>();
    const auto epoch = streams::read_count(r.field("Producer-Epoch"));
    const auto seq = streams::read_count(r.field("Producer-Seq"));
    const std::string_view id = r.field("Producer-Id");
    if (there != 3 || id.empty() || id.size() > producer_bytes_max || !is_printable(id) || !epoch || !seq)
        return failure{
            bad("Producer-Id, Producer-Epoch and Producer-Seq come together: a name of up to 256 characters "
                "and two whole numbers")};
    return std::optional(streams::producer{std::string(id), *epoch, *seq});
}

response bad_offset() {
    return bad("offset is one that this stream has given, -1 for its beginning, or now");
}

}  // namespace

bool comes_in_pieces(const request& r, const config& settings) {
    return !settings.streams.empty() && r.verb == method::post && r.chunked &&
           r.path.starts_with(streams_path) && !r.field("Content-Type").empty() &&
           !is_json(r.field("Content-Type")) && r.count("Producer-Id") == 0 && r.count("Stream-Seq") == 0;
}

bool is_live(const request& r, const config& settings) {
    return (r.verb == method::get && !r.parameter("live").empty()) || comes_in_pieces(r, settings);
}

result<stream_creation, response> read_creation(const request& r, std::string_view body) {
    stream_creation c;
    if (r.count("Stream-Forked-From") > 0)
        return failure{stream_error(501, "not_supported", "this server does not fork streams")};
    c.made.content_type = r.count("Content-Type") == 0 ? default_type : r.field("Content-Type");
    if (!streams::is_content_type(c.made.content_type))
        return failure{bad("Content-Type is no type of up to 200 characters, as text/plain")};
    c.is_json = is_json(c.made.content_type);
    c.made.closed = closes(r);
    const bool has_ttl = r.count("Stream-TTL") > 0, has_end = r.count("Stream-Expires-At") > 0;
    if (has_ttl && has_end) return failure{bad("give Stream-TTL or Stream-Expires-At, not both")};
    if (has_ttl) {
        c.made.ttl_s = streams::read_count(r.field("Stream-TTL"));
        if (!c.made.ttl_s) return failure{bad("Stream-TTL is a whole number of seconds")};
    }
    if (has_end) {
        c.made.expires = r.field("Stream-Expires-At");
        const auto at = streams::read_time(c.made.expires);
        if (!at || *at <= 0)
            return failure{bad("Stream-Expires-At is a time as 2027-01-31T12:00:00Z (RFC 3339)")};
        c.made.expires_ms = *at;
    }
    if (body.empty()) return c;
    if (!c.is_json) {
        c.data = body;
        return c;
    }
    auto values = streams::messages_of(body);
    if (!values) return failure{stream_error(400, "malformed_json", values.error())};
    c.data = std::move(values->text);
    return c;
}

result<stream_addition, response> read_addition(const request& r, std::string_view body, body_is where) {
    stream_addition a;
    auto by = read_producer(r);
    if (!by) return failure{std::move(by).error()};
    a.added.by = std::move(*by);
    a.added.closed = closes(r);
    a.added.order = r.field("Stream-Seq");
    if (a.added.order.size() > order_bytes_max || !is_printable(a.added.order))
        return failure{bad("Stream-Seq has up to 256 characters of ASCII")};
    if (where == body_is::here && body.empty()) {
        if (!a.added.closed) return failure{bad("there is nothing to append: the body is empty")};
        return a;
    }
    a.content_type = r.field("Content-Type");
    if (!streams::is_content_type(a.content_type))
        return failure{bad("Content-Type is missing; it is the one that the stream was made with")};
    a.is_json = is_json(a.content_type);
    if (!a.is_json) {
        a.data = body;
        return a;
    }
    auto values = streams::messages_of(body);
    if (!values) return failure{stream_error(400, "malformed_json", values.error())};
    if (values->many == 0) return failure{bad("there is nothing to append: the array is empty")};
    a.data = std::move(values->text);
    return a;
}

result<stream_reading, response> read_reading(const request& r) {
    stream_reading wanted;
    const std::string live = r.parameter("live");
    if (live == "sse") wanted.how = stream_reading::mode::sse;
    if (live == "long-poll" || live == "true") wanted.how = stream_reading::mode::long_poll;
    const bool is_known = live.empty() || live == "false" || wanted.how != stream_reading::mode::catch_up;
    if (!is_known) return failure{bad("live is long-poll or sse")};
    const auto offsets = r.parameters("offset");
    if (offsets.size() > 1) return failure{bad_offset()};
    if (offsets.empty()) {
        if (wanted.how != stream_reading::mode::catch_up || r.query.find("offset") != r.query.npos)
            return failure{bad_offset()};
    } else {
        const auto from = streams::read_start(offsets.front());
        if (!from) return failure{bad_offset()};
        wanted.from = *from;
    }
    wanted.cursor = r.parameter("cursor");
    return wanted;
}

response stream_error(int status, std::string_view code, std::string_view message) {
    response r = stream_answer(status);
    r.body = "{\"error\":";
    line_writer error(r.body);
    error.name("code", code).text("message", message);
    error.end();
    r.body += "}\n";
    r.add("Cache-Control", "no-store");
    return r;
}

response no_stream() {
    return stream_error(404, "not_found", "there is no stream of this name");
}

response stream_gone() {
    return stream_error(
        410, "epoch_changed", "this is not the stream any more that gave the offset; begin with offset=-1"
    );
}

response stream_answer(int status) {
    response r;
    r.status = status;
    // What somebody stored here must not run as a page of this server.
    r.add("Content-Security-Policy", "sandbox; default-src 'none'");
    r.add("Cross-Origin-Resource-Policy", "cross-origin");
    return r;
}

void add_place(response& r, const streams::place& at) {
    r.add("Stream-Next-Offset", streams::text_of(at));
}

response answer_to(const streams::outcome& o, const stream_addition& a, std::int64_t born_ms) {
    using streams::verdict;
    const auto about_stream = [&](response r) {
        add_place(r, {born_ms, o.offset});
        if (o.closed) r.add("Stream-Closed", "true");
        return r;
    };
    const auto about_producer = [&](response r) {
        if (!a.added.by) return r;
        r.add("Producer-Epoch", std::to_string(o.epoch));
        r.add("Producer-Seq", std::to_string(o.seq));
        return r;
    };
    switch (o.what) {
        case verdict::taken:
            return about_producer(about_stream(stream_answer(a.added.by && !a.data.empty() ? 200 : 204)));
        case verdict::repeated:
        case verdict::same:
            return about_producer(about_stream(stream_answer(204)));
        case verdict::none:
            return no_stream();
        case verdict::closed:
            return about_stream(stream_error(409, "stream_closed", "the stream is closed"));
        case verdict::other_type:
            return about_stream(
                stream_error(409, "invalid_payload", "the stream was made with another Content-Type")
            );
        case verdict::out_of_order:
            return about_stream(
                stream_error(409, "out_of_order", "Stream-Seq is not greater than the one before it")
            );
        case verdict::fenced: {
            response r = stream_error(403, "forbidden", "a newer epoch of this producer has begun");
            r.add("Producer-Epoch", std::to_string(o.epoch));
            return r;
        }
        case verdict::late_start:
            return bad("a new epoch of a producer begins with Producer-Seq: 0");
        case verdict::gap: {
            response r = stream_error(409, "out_of_order", "a number of this producer is missing before");
            r.add("Producer-Expected-Seq", std::to_string(o.seq));
            r.add("Producer-Received-Seq", std::to_string(a.added.by ? a.added.by->seq : 0));
            return r;
        }
        case verdict::differs:
        case verdict::ignored:
            break;
    }
    return stream_error(503, "overloaded", "what became of it cannot be told now; look at the stream");
}

response refused_by_hub(const hub::message& m) {
    const auto status = [&] {
        switch (m.code) {
            case error_code::unauthorized:
                return 401;
            case error_code::forbidden:
                return 403;
            case error_code::stale_snapshot:
                return 409;
            case error_code::too_large:
                return 413;
            case error_code::rate_limited:
                return 429;
            case error_code::state_full:
                return 507;
            case error_code::overloaded:
            case error_code::broker_unavailable:
            case error_code::storage_failed:
            case error_code::storage_full:
                return 503;
            case error_code::internal:
            case error_code::handler_failed:
                return 500;
            default:
                return 400;
        }
    };
    return stream_error(status(), name_of(m.code), unescaped(m.text()));
}

std::string stream_address(const request& r, reached how) {
    const std::string_view host = r.field("Host");
    if (!is_host_pattern(host) || host.starts_with('*')) return {};
    const bool secure = how == reached::over_tls || same_ignoring_case(r.field("X-Forwarded-Proto"), "https");
    return (secure ? "https://" : "http://") + std::string(host) + std::string(r.base) + std::string(r.path);
}

}  // namespace pulsewire::shell
