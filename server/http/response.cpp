#include "server/http/response.hpp"

#include "common/protocol/line_writer.hpp"

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

std::string_view reason_of(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 204:
            return "No Content";
        case 304:
            return "Not Modified";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 410:
            return "Gone";
        case 413:
            return "Content Too Large";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        case 507:
            return "Insufficient Storage";
        default:
            return "Unknown";
    }
}

// RFC 9110 5.6.7; not strftime, whose names follow the locale. Made once a second for each thread.
const std::string& date_now() {
    static thread_local std::time_t made_at = -1;
    static thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now == made_at) return text;
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    ::gmtime_r(&now, &t);
    char buffer[64];
    const int size = std::snprintf(
        buffer, sizeof buffer, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
        months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec
    );
    text.assign(buffer, static_cast<std::size_t>(size));
    made_at = now;
    return text;
}

}  // namespace

void response::add(std::string name, std::string value) {
    const auto splits = [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    };
    if (std::any_of(name.begin(), name.end(), splits) || std::any_of(value.begin(), value.end(), splits))
        throw std::logic_error("a response field would hold a control byte");
    fields.emplace_back(std::move(name), std::move(value));
}

std::string head_of(const response& r, after_response then) {
    std::string head;
    head.reserve(256);
    head += "HTTP/1.1 ";
    append_number(head, static_cast<std::uint64_t>(r.status));
    head += ' ';
    head += reason_of(r.status);
    head += "\r\n";
    const auto field = [&](std::string_view name, std::string_view value) {
        head += name;
        head += ": ";
        head += value;
        head += "\r\n";
    };
    if (r.status != 101) {
        field("Date", date_now());
        if (then == after_response::close) field("Connection", "close");
        const bool bodiless = r.status == 204 || r.status == 304;
        if (!bodiless && !r.streams)
            field("Content-Length", std::to_string(r.has_body_elsewhere ? r.content_length : r.body.size()));
        if (!bodiless && (r.streams || r.has_body_elsewhere || !r.body.empty()))
            field("Content-Type", r.content_type);
        field("X-Content-Type-Options", "nosniff");
    }
    for (const auto& [name, value] : r.fields) field(name, value);
    head += "\r\n";
    return head;
}

std::string last_words(const response& r) {
    return head_of(r, after_response::close) + r.body;
}

response error_response(
    int status, error_code code, std::string_view message, std::string_view pointer, std::uint64_t offset
) {
    response r;
    r.body = "{\"error\":";
    line_writer error(r.body);
    error.name("code", name_of(code)).text("message", message);
    if (!pointer.empty()) error.text("pointer", pointer);
    if (offset != 0) error.number("offset", offset);
    error.end();
    r.body += "}\n";
    r.status = status;
    r.add("Cache-Control", "no-store");
    return r;
}

response error_response(const refusal& why) {
    response r = error_response(why.status, why.code, why.message);
    r.closes = true;
    return r;
}

response wrong_method(std::string_view allowed) {
    response r = error_response(
        405, error_code::not_supported,
        "this path does not know that method; it knows " + std::string(allowed)
    );
    r.add("Allow", std::string(allowed));
    return r;
}

response not_found() {
    return error_response(404, error_code::not_found, "there is nothing at this path");
}

response server_is_full() {
    response r = error_response(503, error_code::overloaded, "the server has no room for more connections");
    r.add("Retry-After", std::to_string(full_wait_ms / 1'000));
    r.closes = true;
    return r;
}

response server_is_late() {
    response r =
        error_response(503, error_code::overloaded, "the server has too much to do for new clients now");
    r.add("Retry-After", std::to_string(full_wait_ms / 1'000));
    return r;
}

response address_is_full() {
    response r =
        too_many_requests("this address has too many connections, or opens them too quickly", full_wait_ms);
    r.closes = true;
    return r;
}

response too_many_requests(std::string_view message, std::int64_t wait_ms) {
    response r = error_response(429, error_code::rate_limited, message);
    r.add("Retry-After", std::to_string((wait_ms + 999) / 1'000));
    return r;
}

}  // namespace pulsewire::shell
