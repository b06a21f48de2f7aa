#pragma once

// Reads JSON without building anything: checks a text against RFC 8259 and finds the slices of an object's
// members, in one pass. With it the server makes sure that a payload it only carries is well-formed.

#include "common/protocol/skip_plain.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace pulsewire {

class json_scan {
public:
    // `text` outlives the scan.
    explicit json_scan(std::string_view text)
        : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}

    // Each returns false at the first fault, after which at() tells where reading stopped.
    bool skip_space();         // always true
    bool take(char expected);  // takes this one character, after space
    bool peek(char expected);  // whether this character comes next, after space
    // One value of any kind after space, with UTF-8 strings and at most `depth_max` levels of nesting.
    bool take_value(std::string_view& slice, int depth_max);
    // A string after space; `inner` is the text between the quotes, still escaped.
    bool take_string(std::string_view& inner);

    bool at_end() const { return at_ == end_; }
    std::size_t at() const { return static_cast<std::size_t>(at_ - begin_); }
    // Whether reading stopped because a value nests too deeply.
    bool too_deep() const { return too_deep_; }
    // Whether there were line ends between tokens, or escapes in strings, so far.
    bool has_line_ends() const { return has_line_ends_; }
    bool has_escapes() const { return has_escapes_; }
    // Whether there was a value that usual readers refuse, so far: see first_unreadable().
    bool has_unreadable() const { return has_unreadable_; }

private:
    bool next_is(char expected) const { return at_ != end_ && *at_ == expected; }
    void skip_spaces();
    bool skip_string();
    bool skip_rest_of_string();
    bool skip_escape();
    bool skip_unicode_escape();
    bool starts_unicode_escape() const;
    bool skip_literal(std::string_view literal);
    bool skip_digits();
    bool skip_number();
    bool skip_scalar();
    bool skip_container(int depth_max);

    const char* begin_;
    const char* at_;
    const char* end_;
    bool too_deep_ = false;
    bool has_line_ends_ = false;
    bool has_escapes_ = false;
    bool has_unreadable_ = false;
};

// Inline, because mostly there is no space.
inline bool json_scan::skip_space() {
    if (at_ != end_ && static_cast<unsigned char>(*at_) <= ' ') skip_spaces();
    return true;
}

inline bool json_scan::peek(char expected) {
    skip_space();
    return next_is(expected);
}

inline bool json_scan::take(char expected) {
    if (!peek(expected)) return false;
    ++at_;
    return true;
}

inline bool json_scan::skip_string() {
    if (!take('"')) return false;
    at_ = skip_plain(begin_, at_, end_);
    if (!next_is('"')) return skip_rest_of_string();
    ++at_;
    return true;
}

inline bool json_scan::take_string(std::string_view& inner) {
    skip_space();
    const char* const quote = at_;
    if (!skip_string()) return false;
    inner = {quote + 1, static_cast<std::size_t>(at_ - quote) - 2};
    return true;
}

inline bool json_scan::take_value(std::string_view& slice, int depth_max) {
    skip_space();
    const char* const first = at_;
    const bool opens = next_is('{') || next_is('[');
    if (!(next_is('"') ? skip_string() : opens ? skip_container(depth_max) : skip_scalar())) return false;
    slice = {first, static_cast<std::size_t>(at_ - first)};
    return true;
}

// Whether `text` is one JSON value with at most `depth_max` levels of nesting; on failure `stopped_at` is the
// byte at which reading stopped.
bool is_json(std::string_view text, int depth_max, std::size_t& stopped_at);

// Decodes the escapes of the text inside a string, as take_string() gave it, and appends it to `out`. The
// result is never longer than `inner`. Lone surrogates become U+FFFD.
template <class String>
void append_unescaped(String& out, std::string_view inner);
// The same as a text of its own.
std::string unescaped(std::string_view inner);

// Calls `member(key, value)` for each member of the object that comes next in `scan`, with the text inside
// the key and the slice of the value; stops when `member` returns false. Returns false at the first fault.
// Keys with escapes are passed on unchanged, because no name of the protocol needs escapes.
template <class Member>
bool for_each_member(json_scan& scan, int depth_max, Member&& member) {
    if (!scan.take('{')) return false;
    if (scan.take('}')) return true;
    while (true) {
        std::string_view key, value;
        if (!scan.take_string(key) || !scan.take(':') || !scan.take_value(value, depth_max - 1)) return false;
        if (!member(key, value)) return true;
        if (scan.take('}')) return true;
        if (!scan.take(',')) return false;
    }
}

}  // namespace pulsewire

#include "common/protocol/json_unescape.hpp"
