#pragma once

// RESP 2, the language of Redis: hiredis' reader and formatter, which touch no socket.
// docs/decisions/0018-redis.md.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct redisReader;
struct redisReply;

namespace pulsewire::shell::redis {

// Part of a reply. What it lacks reads as nothing, so that a reply of an unforeseen shape needs no check at
// each step: an element that is not there is nil, the text of a number is empty. Valid as long as its reply.
class reply_view {
public:
    explicit reply_view(const redisReply* found) : found_(found) {}

    bool is_nil() const;
    bool is_error() const;
    bool is_array() const;
    // Of a string, a status or an error.
    std::string_view text() const;
    std::int64_t number() const;
    // Of an array.
    std::size_t size() const;
    reply_view operator[](std::size_t index) const;

private:
    const redisReply* found_;  // null: nil
};

class reply {
public:
    explicit reply(redisReply* owned) : owned_(owned) {}
    reply_view operator*() const { return reply_view(owned_.get()); }

private:
    struct release {
        void operator()(redisReply* p) const;
    };
    std::unique_ptr<redisReply, release> owned_;
};

// Takes replies out of what was received, cut anywhere.
class reply_reader {
public:
    reply_reader();
    void feed(std::span<const char> bytes);
    // The next reply that is complete. Nothing when more bytes are needed, and after a failure.
    std::optional<reply> next();
    // What was fed is no RESP.
    bool failed() const { return failed_; }

private:
    struct release {
        void operator()(redisReader* p) const;
    };
    std::unique_ptr<redisReader, release> reader_;
    bool failed_ = false;
};

// Appends a command of these words, of any bytes.
void append_command(std::string& out, std::span<const std::string_view> words);

}  // namespace pulsewire::shell::redis
