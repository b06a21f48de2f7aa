#pragma once

// What a request about a stream (docs/streams.md) asks for, read strictly, and the answers that all of them
// share.

#include "common/base/result.hpp"
#include "server/config.hpp"
#include "server/http/origin.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/streams/log.hpp"
#include "server/streams/record.hpp"
#include "server/streams/words.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::shell {

inline constexpr std::string_view streams_path = "/streams/";

// Whether the request appends its body piece by piece while it arrives: in chunks, without a number that
// would make all of it one.
bool comes_in_pieces(const request& r, const config& settings);
// Whether the connection serves this request for long.
bool is_live(const request& r, const config& settings);

// PUT. The data is ready to be written; a failure is the answer.
struct stream_creation {
    streams::creation made;
    std::string data;
    bool is_json = false;
};
result<stream_creation, response> read_creation(const request& r, std::string_view body);

// POST. Without a body it only closes; `in_pieces`: the body comes later.
struct stream_addition {
    streams::addition added;
    std::string content_type;
    std::string data;
    bool is_json = false;
};
enum class body_is : bool { here, in_pieces };
result<stream_addition, response> read_addition(const request& r, std::string_view body, body_is where);

// GET.
struct stream_reading {
    enum class mode : std::uint8_t { catch_up, long_poll, sse };
    mode how = mode::catch_up;
    streams::start from;
    std::string cursor;
};
result<stream_reading, response> read_reading(const request& r);

// --- answers ---

// {"error":{"code":…,"message":…}}, as everywhere.
response stream_error(int status, std::string_view code, std::string_view message);
response no_stream();
// Of one that was there before the client's place was given.
response stream_gone();
// With the fields that every answer about a stream has.
response stream_answer(int status);
// The fields that say where the stream is.
void add_place(response& r, const streams::place& at);
// What came of an addition; `a` is the one that was judged.
response answer_to(const streams::outcome& o, const stream_addition& a, std::int64_t born_ms);
// What the hub says when it refuses.
response refused_by_hub(const hub::message& m);

// The address of the stream that was asked for, for the field Location; empty where the name by which the
// client calls the server cannot stand in a URL.
std::string stream_address(const request& r, reached how);

}  // namespace pulsewire::shell
