#pragma once

// The state of one stream: a function of the publications of its channel in their order, so that restarts,
// shards and nodes agree on it without a word. Each publication asks for something, and its place in the
// order decides whether it takes effect; what came too late is in the channel and in no stream.

#include "common/exchange/message.hpp"
#include "server/streams/record.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::shell::streams {

enum class verdict : std::uint8_t {
    taken,
    same,          // a creation: the stream is there and was made so
    differs,       // a creation: it is there, made otherwise
    none,          // there is no stream
    closed,        // nothing more may be appended
    other_type,    // the data is of another content type
    repeated,      // of a producer, or a second close: it took effect before
    fenced,        // a newer epoch of this producer has begun
    late_start,    // a new epoch that does not begin with 0
    gap,           // a number of the producer is missing before
    out_of_order,  // Stream-Seq is not greater than the one before
    ignored        // no part of a stream
};

struct outcome {
    verdict what = verdict::ignored;
    std::uint64_t offset = 0;  // the stream's newest, after this
    bool closed = false;       // the stream, after this
    std::uint64_t epoch = 0;   // of the producer that was named, as far as it got
    std::uint64_t seq = 0;     // ... its last number; gap: the number that is missing
};

class log {
public:
    // A publication of the channel; each once, in order. The message stays as long as its data may be read.
    outcome apply(const hub::message_ptr& m);
    // Nothing of the channel is kept up to this offset.
    void start_at(std::uint64_t offset) { head_ = offset; }

    // What would come of it now (wall clock).
    outcome judge(const creation& c, std::int64_t now_ms) const;
    outcome judge(const addition& a, bool has_data, std::string_view content_type, std::int64_t now_ms) const;

    bool exists(std::int64_t now_ms) const { return there_ && now_ms < ends_ms(); }
    // Whether there was one that nobody has removed yet.
    bool is_kept() const { return there_; }
    // The members below are of the stream that is there, or was there last.
    const creation& made() const { return made_; }
    bool is_json() const { return is_json_; }
    bool closed() const { return closed_; }
    std::uint64_t born_offset() const { return born_offset_; }
    std::int64_t born_ms() const { return born_ms_; }
    // The offset of the newest publication that is part of the stream, and of the newest of the channel.
    std::uint64_t tail() const { return tail_; }
    std::uint64_t head() const { return head_; }
    // Wall clock; when the stream ends by itself. Never: the largest number.
    std::int64_t ends_ms() const;
    // Whether a read at this time must be written down, so that the stream lives on.
    bool read_counts(std::int64_t now_ms) const;

    // A publication with data.
    struct piece {
        std::uint64_t offset;
        std::string_view data;  // into `what`
        hub::message_ptr what;
    };
    // Those after the offset, in order; valid until the next apply().
    std::span<const piece> after(std::uint64_t offset) const;

private:
    struct reached {
        std::uint64_t epoch = 0, seq = 0;
    };
    outcome made_of(verdict what) const { return {what, tail_, closed_, 0, 0}; }
    outcome on_create(record&& r, const hub::message_ptr& m);
    outcome on_append(record&& r, const hub::message_ptr& m);
    void lives_on(std::int64_t time_ms, bool exactly);
    void forget();

    bool there_ = false;
    bool is_json_ = false;
    bool closed_ = false;
    creation made_;
    std::uint64_t born_offset_ = 0, tail_ = 0, head_ = 0;
    std::int64_t born_ms_ = 0;
    std::int64_t lives_until_ms_ = 0;  // where there is a ttl
    std::string order_;
    std::map<std::string, reached, std::less<>> producers_;
    std::vector<piece> pieces_;
};

// "application/json" of "Application/JSON; charset=utf-8".
std::string media_type_of(std::string_view content_type);
// Whether an event can carry the data as it is.
bool is_text(std::string_view content_type);

}  // namespace pulsewire::shell::streams
