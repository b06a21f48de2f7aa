#pragma once

// Answers of the HTTP half as text. No field ever carries text of the request that was not checked: add()
// refuses what could end the field.

#include "common/protocol/codes.hpp"
#include "server/http/request.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::shell {

enum class after_response : bool { keep_alive, close };

struct response {
    int status = 200;
    std::string_view content_type = "application/json";  // a literal
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;
    // For answers whose body is not here: a file, or nothing where HEAD asked.
    std::uint64_t content_length = 0;
    bool has_body_elsewhere = false;
    // The body ends with the connection: event streams.
    bool streams = false;
    // Not kept alive, whatever the client asked for.
    bool closes = false;

    // Throws std::logic_error when the value holds a control byte: reflecting it would split the response.
    void add(std::string name, std::string value);
};

// Status line and fields, with the empty line.
std::string head_of(const response& r, after_response then);
// The whole of an answer behind which the connection is closed.
std::string last_words(const response& r);

// The body of protocol 11.4. `offset` is that of the publication that stands in the way, 0 for none.
response error_response(
    int status, error_code code, std::string_view message, std::string_view pointer = {},
    std::uint64_t offset = 0
);
response error_response(const refusal& r);
// 405 with what is allowed: "GET, HEAD".
response wrong_method(std::string_view allowed);
response not_found();
// 503, for a connection beyond connections_max.
response server_is_full();
// 503, for a new client of a loop that is late.
response server_is_late();
// 429, for one beyond the limits of its address.
response address_is_full();
// The time that all three tell a program to wait.
inline constexpr std::int64_t full_wait_ms = 5'000;
// 429, with the time until one more is admitted.
response too_many_requests(std::string_view message, std::int64_t wait_ms);

}  // namespace pulsewire::shell
