#pragma once

// What is said to JetStream and what it answers, as texts: requests and replies of its API are JSON, and the
// place of a record is in the subject that it could be acknowledged to.

#include "common/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pulsewire::shell::nats {

// How a log's stream has to be.
struct stream_wish {
    std::string name;
    std::string subject;
    unsigned replicas = 1;
};

struct stream_found {
    bool is_empty = true;
    std::uint64_t first = 1;  // sequence of the first record, or of the next one where there is none
    std::uint64_t last = 0;   // of the last record that it ever had
    std::string created;      // when; a stream that was made anew has another time
    bool is_clustered = false;
};

// --- requests ---

std::string create_stream_request(const stream_wish& wish);
// A consumer that reads from a sequence on, acknowledges nothing, and is gone 10 s after its reader.
std::string create_consumer_request(const stream_wish& wish, std::string_view consumer, std::uint64_t from);
// The next records, so many and so many bytes at most. Without any for that long the request ends; a sign of
// life comes each second.
std::string pull_request(std::size_t records, std::size_t bytes, std::chrono::seconds expires);
std::string purge_request(std::uint64_t before);

// --- replies ---

// Of INFO and CREATE. Nothing: there is no such stream. The error is a sentence about a stream that is not as
// it was wished, or what the server has against it.
result<std::optional<stream_found>, std::string> read_stream(std::string_view reply, const stream_wish& wish);
// Whether a stream of this name, but with other settings, exists already.
bool says_stream_exists(std::string_view reply);
// Of anything else: what the server has against it, or nothing.
std::optional<std::string> error_of(std::string_view reply);
// The sequence of a record that was appended.
result<std::uint64_t, std::string> read_appended(std::string_view reply);

struct record_place {
    std::string_view consumer;
    std::uint64_t sequence = 0;
    std::string_view time;  // when the stream got it, in nanoseconds
};
// From the subject to which a record could be acknowledged; nothing: it is none.
std::optional<record_place> place_of(std::string_view reply_subject);

}  // namespace pulsewire::shell::nats
