#include "server/http/request.hpp"

#include "server/http/text.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <algorithm>
#include <optional>

namespace pulsewire::shell {
namespace {

namespace http = boost::beast::http;

using fault = std::optional<refusal>;

fault bad(std::string message) {
    return refusal{400, error_code::invalid_frame, std::move(message)};
}

// Before Beast sees it, which would refuse some of them as something else.
fault check_codings(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos ||
        !same_ignoring_case(trimmed(line.substr(0, colon)), "Transfer-Encoding"))
        return std::nullopt;
    for (std::string_view rest = line.substr(colon + 1);;) {
        const std::size_t comma = rest.find(',');
        if (!same_ignoring_case(trimmed(rest.substr(0, comma)), "chunked"))
            return refusal{
                501, error_code::not_supported, "the only Transfer-Encoding that is supported is chunked"};
        if (comma == std::string_view::npos) return std::nullopt;
        rest.remove_prefix(comma + 1);
    }
}

// Refuses faults that Beast 1.81 would let pass: folded lines, lone CR or LF, too many fields, control bytes.
fault check_lines(std::string_view head, const shell_limits& bounds) {
    if (head.starts_with("PRI * HTTP/2"))
        return refusal{505, error_code::not_supported, "HTTP/2 is not spoken here; use HTTP/1.1"};
    std::uint32_t lines = 0;
    while (true) {
        const std::size_t end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        if (line.empty()) break;
        if (lines > 0 && (line[0] == ' ' || line[0] == '\t'))
            return bad("a field is folded over two lines, which RFC 9112 5.2 forbids");
        if (std::any_of(line.begin(), line.end(), is_control))
            return bad("there is a control byte in the head of the request");
        if (auto refused = check_codings(line)) return refused;
        if (++lines > bounds.http_fields_max + 1)
            return refusal{
                431, error_code::too_large,
                "the request has more than " + std::to_string(bounds.http_fields_max) +
                    " fields (http_fields_max)",
                "http_fields_max"};
        head.remove_prefix(end + 2);
    }
    return lines == 0 ? bad("the request line is missing") : std::nullopt;
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~[]:%").find(c) != std::string_view::npos;
}

bool is_host(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_host_character);
}

fault check_host(const request& r) {
    const std::size_t hosts = r.count("Host");
    if (hosts > 1) return bad("the field Host stands twice");
    if (hosts == 0) return r.http_1_0 ? std::nullopt : bad("the field Host is missing");
    if (!is_host(r.field("Host")))
        return bad("there is a character in the field Host that does not belong there");
    return std::nullopt;
}

// "http://host/path" as clients write it that take us for a proxy. The path is served here, wherever the URL
// leads: nothing is passed on. What counts as the field Host is the authority, as RFC 9112 3.2.2 demands, so
// allowed_hosts and the check of the page's origin hold for it.
fault take_authority(request& r) {
    constexpr std::string_view schemes[] = {"http://", "https://"};
    for (const std::string_view scheme : schemes) {
        if (!same_ignoring_case(std::string_view(r.target).substr(0, scheme.size()), scheme)) continue;
        const std::size_t end = std::min(r.target.find_first_of("/?#", scheme.size()), r.target.size());
        std::string authority = r.target.substr(scheme.size(), end - scheme.size());
        if (authority.empty() || !is_host(authority))
            return bad("the target names no host that could be this server");
        const bool whole_server = end == r.target.size() && r.verb == method::options;  // RFC 9112 3.2.4
        r.target.erase(0, end);
        if (!r.target.starts_with('/')) r.target.insert(0, whole_server ? "*" : "/");
        std::erase_if(r.fields, [](const auto& f) { return same_ignoring_case(f.first, "Host"); });
        r.fields.emplace_back("Host", std::move(authority));
        return std::nullopt;
    }
    return std::nullopt;
}

fault check_target(request& r) {
    if (auto wrong = take_authority(r)) return wrong;
    if (r.target == "*" && r.verb == method::options) return std::nullopt;
    if (r.target == "*")
        return bad("the target * means the whole server, which only OPTIONS asks about; name a path");
    if (!r.target.starts_with('/'))
        return bad(
            "the target must be a path that starts with '/', or a URL of this server; it is not a proxy"
        );
    if (std::any_of(r.target.begin(), r.target.end(), [](char c) {
            return c <= ' ' || c >= 0x7f || c == '#';
        }))
        return bad("there is a byte in the target that must be percent-encoded");
    return std::nullopt;
}

// The codings of the body: none, or "chunked" alone. Beside a Content-Length, and from a peer of HTTP/1.0,
// they are the classic means of request smuggling (RFC 9112 6.1).
fault check_transfer_encoding(request& r) {
    if (r.count("Transfer-Encoding") == 0) return std::nullopt;
    std::ptrdiff_t codings = 0;
    for (const auto& [name, value] : r.fields)
        if (same_ignoring_case(name, "Transfer-Encoding"))
            codings += 1 + std::count(value.begin(), value.end(), ',');
    if (codings > 1) return bad("the body is chunked twice");
    if (r.count("Content-Length") > 0)
        return bad("the body has both a Content-Length and a Transfer-Encoding");
    if (r.http_1_0) return bad("a body in chunks needs HTTP/1.1");
    r.chunked = true;
    return std::nullopt;
}

fault check_body(request& r) {
    if (auto wrong = check_transfer_encoding(r)) return wrong;
    const std::size_t lengths = r.count("Content-Length");
    if (lengths > 1) return bad("the field Content-Length stands twice");
    if (lengths == 1) {
        const auto length = parse_number(r.field("Content-Length"));
        if (!length) return bad("Content-Length is not a number");
        r.content_length = *length;
    }
    if (const std::string_view expect = r.field("Expect"); !expect.empty()) {
        if (!same_ignoring_case(expect, "100-continue"))
            return refusal{417, error_code::not_supported, "the only supported expectation is 100-continue"};
        r.expects_continue = !r.http_1_0;
    }
    return std::nullopt;
}

// Beast reports some faults by exceptions.
fault parse_with_beast(std::string_view head, const shell_limits& bounds, request& r) try {
    http::request_parser<http::empty_body> parser;
    parser.header_limit(bounds.http_head_bytes_max);
    parser.body_limit(boost::none);
    boost::system::error_code error;
    parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error == http::error::bad_version)
        return refusal{505, error_code::not_supported, "the version of HTTP is not supported; use HTTP/1.1"};
    if (error == http::error::header_limit) return head_too_large(bounds);
    if (error == http::error::bad_content_length) return bad("Content-Length is not one number");
    if (error && error != http::error::need_more)
        return bad("the request is not valid HTTP: " + error.message());
    if (!error && !parser.is_header_done()) return bad("the head of the request is not complete");
    const auto& message = parser.get();
    switch (message.method()) {
        case http::verb::get:
            r.verb = method::get;
            break;
        case http::verb::head:
            r.verb = method::head;
            break;
        case http::verb::post:
            r.verb = method::post;
            break;
        case http::verb::put:
            r.verb = method::put;
            break;
        case http::verb::delete_:
            r.verb = method::remove;
            break;
        case http::verb::options:
            r.verb = method::options;
            break;
        default:
            r.verb = method::other;
    }
    r.target = std::string(message.target());
    r.http_1_0 = message.version() == 10;
    for (const auto& f : message) r.fields.emplace_back(std::string(f.name_string()), std::string(f.value()));
    return std::nullopt;
} catch (const std::exception&) {
    return bad("the request is not valid HTTP");
}

void split_target(request& r) {
    const std::string_view target = r.target;
    const std::size_t mark = target.find('?');
    r.path = target.substr(0, mark);
    r.query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

void read_connection(request& r) {
    bool close = false;
    for (const auto& [name, value] : r.fields) {
        if (!same_ignoring_case(name, "Connection")) continue;
        close = close || list_has(value, "close");
        r.upgrade = r.upgrade || list_has(value, "upgrade");
    }
    // HTTP/1.0 clients would have to be told; they connect again instead.
    r.keep_alive = !close && !r.http_1_0;
}

}  // namespace

std::string_view name_of(method m) {
    switch (m) {
        case method::get:
            return "GET";
        case method::head:
            return "HEAD";
        case method::post:
            return "POST";
        case method::put:
            return "PUT";
        case method::remove:
            return "DELETE";
        case method::options:
            return "OPTIONS";
        case method::other:
            break;
    }
    return "other";
}

refusal head_too_large(const shell_limits& bounds) {
    return {
        431, error_code::too_large,
        "the head of the request is larger than " + std::to_string(bounds.http_head_bytes_max) +
            " bytes (http_head_bytes_max). Mostly the cookies of the page's site are too large: delete them, "
            "or "
            "give this server a host name of its own, to which they are not sent",
        "http_head_bytes_max"};
}

bool request::enter(std::string_view base_path) {
    if (!path.starts_with(base_path)) return false;
    const std::string_view rest = path.substr(base_path.size());
    if (!rest.empty() && rest[0] != '/') return false;  // "/realtimes"
    base = path.substr(0, base_path.size());
    path = rest;
    return true;
}

std::string_view request::field(std::string_view name) const {
    for (const auto& [known, value] : fields)
        if (same_ignoring_case(known, name)) return value;
    return {};
}

std::size_t request::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(fields.begin(), fields.end(), [&](const auto& f) {
        return same_ignoring_case(f.first, name);
    }));
}

// '+' is not read as a space: no value has spaces, and channel names may hold a '+' that was typed by hand.
std::vector<std::string> request::parameters(std::string_view name) const {
    std::vector<std::string> values;
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::size_t end = rest.find('&');
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        const std::size_t equals = pair.find('=');
        const auto key = decode_percent(pair.substr(0, equals));
        if (!key || *key != name) continue;
        const auto value =
            decode_percent(equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
        // An escape that is wrong becomes a byte that no value may hold, so that its own check refuses it.
        values.push_back(value ? *value : std::string(1, '\0'));
    }
    return values;
}

std::string request::parameter(std::string_view name, std::string_view otherwise) const {
    const auto values = parameters(name);
    return values.empty() ? std::string(otherwise) : values.front();
}

std::size_t find_head_end(std::string_view bytes, std::size_t seen) {
    const std::size_t end = bytes.find("\r\n\r\n", seen > 3 ? seen - 3 : 0);
    return end == std::string_view::npos ? 0 : end + 4;
}

result<std::unique_ptr<request>, refusal> read_request_head(
    std::string_view head, const shell_limits& bounds
) {
    auto r = std::make_unique<request>();
    fault wrong = check_lines(head, bounds);
    if (!wrong) wrong = parse_with_beast(head, bounds, *r);
    if (!wrong) wrong = check_host(*r);
    if (!wrong) wrong = check_target(*r);
    if (!wrong) wrong = check_body(*r);
    if (wrong) return failure{std::move(*wrong)};
    split_target(*r);
    read_connection(*r);
    return r;
}

}  // namespace pulsewire::shell
