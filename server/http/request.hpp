#pragma once

// The head of an HTTP/1 request, read strictly: what two readers could understand differently is refused,
// because a proxy in front of us may be the other one. Boost.Beast 1.81 reads the head and never sees a body,
// since its faults are there (docs/decisions/0005-server-shell.md).

#include "common/base/result.hpp"
#include "common/protocol/codes.hpp"
#include "server/limits.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::shell {

enum class method : std::uint8_t { get, head, post, put, remove, options, other };
std::string_view name_of(method m);

// Why a request is not served: the status and the body of protocol 11.4. The text names no byte of the
// request.
struct refusal {
    int status = 400;
    error_code code = error_code::invalid_frame;
    std::string message;
    std::string_view setting = {};  // a literal: the bound to change where the request is an honest one
};

struct request {
    method verb = method::other;
    // Printable ASCII: a path with its query, or "*" of OPTIONS. Of a whole URL (RFC 9112 3.2.2) its path and
    // query; its authority has taken the place of the field Host.
    std::string target;
    std::string_view base;   // base_path, where the target begins with it
    std::string_view path;   // what follows in the target, still percent-encoded
    std::string_view query;  // without the '?', still percent-encoded
    bool http_1_0 = false;
    bool keep_alive = true;
    bool upgrade = false;  // Connection: upgrade
    bool expects_continue = false;
    // The body has so many bytes, or comes in chunks (server/http/chunked.hpp).
    std::uint64_t content_length = 0;
    bool chunked = false;
    std::vector<std::pair<std::string, std::string>> fields;

    request() = default;
    request(const request&) = delete;  // the views point into the target
    request& operator=(const request&) = delete;

    // Takes `base_path` off the path. False where the path is not below it, and then nothing is changed.
    bool enter(std::string_view base_path);
    // The first field of that name; empty when there is none.
    std::string_view field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    // The decoded values of a query parameter, in order; nothing for the whole request when an escape is
    // wrong.
    std::vector<std::string> parameters(std::string_view name) const;
    // The first one, or `otherwise`.
    std::string parameter(std::string_view name, std::string_view otherwise = {}) const;
};

// The refusal of a head of more than http_head_bytes_max.
refusal head_too_large(const shell_limits& bounds);

// `head` is everything up to and including the empty line.
result<std::unique_ptr<request>, refusal> read_request_head(
    std::string_view head, const shell_limits& bounds
);

// Where the head ends: the size of it with its empty line, 0 when more bytes are needed. `seen` bytes were
// searched before without success.
std::size_t find_head_end(std::string_view bytes, std::size_t seen);

}  // namespace pulsewire::shell
