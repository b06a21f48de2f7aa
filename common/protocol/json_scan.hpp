#pragma once

// Reading JSON without building anything from it: checks a text against RFC 8259 and finds the slices of an
// object's members. This is how the server makes sure that a payload it only carries is well-formed, in one
// pass.

#include <cstddef>
#include <string_view>

namespace pulsewire {

class json_scan {
public:
    // `text` outlives the scan.
    explicit json_scan(std::string_view text) : text_(text) {}

    // Each returns false at the first fault, after which at() tells where reading stopped.
    bool skip_space();         // always true
    bool take(char expected);  // this one character, after space
    bool peek(char expected);  // whether it comes next, after space
    // One value of any kind after space, with UTF-8 strings and at most `depth_max` levels of nesting.
    bool take_value(std::string_view& slice, int depth_max);
    // A string after space; `inner` is what stands between the quotes, still escaped.
    bool take_string(std::string_view& inner, bool& escaped);

    bool at_end() const { return at_ == text_.size(); }
    std::size_t at() const { return at_; }
    // Whether it stopped because a value nests deeper than it may.
    bool too_deep() const { return too_deep_; }

private:
    bool take_escape();
    bool take_literal(std::string_view literal);
    bool take_number();
    bool take_digits();
    bool take_scalar();

    std::string_view text_;
    std::size_t at_ = 0;
    bool too_deep_ = false;
};

inline bool json_scan::skip_space() {
    while (at_ < text_.size()) {
        const char c = text_[at_];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') break;
        ++at_;
    }
    return true;
}

inline bool json_scan::peek(char expected) {
    skip_space();
    return at_ < text_.size() && text_[at_] == expected;
}

inline bool json_scan::take(char expected) {
    if (!peek(expected)) return false;
    ++at_;
    return true;
}

// Whether `text` is one JSON value with at most `depth_max` levels of nesting; on failure `stopped_at` is the
// byte.
bool is_json(std::string_view text, int depth_max, std::size_t& stopped_at);

// Decodes the escapes of a string's inside, as take_string() gave it, and appends it to `out`, which must be
// able to hold it (the result is never longer). Lone surrogates become U+FFFD.
template <class String>
void append_unescaped(String& out, std::string_view inner);

// Calls `member(key, value)` for each member of the object that `scan` stands before, with the key's inside
// and the value's slice; ends early when it returns false. Returns false at the first fault. Keys that
// contain escapes are passed on as they are: no name of the protocol needs one.
template <class Member>
bool for_each_member(json_scan& scan, int depth_max, Member&& member) {
    if (!scan.take('{')) return false;
    if (scan.peek('}')) return scan.take('}');
    while (true) {
        std::string_view key, value;
        bool escaped = false;
        if (!scan.take_string(key, escaped) || !scan.take(':') || !scan.take_value(value, depth_max - 1))
            return false;
        if (!member(key, value)) return true;
        if (scan.peek('}')) return scan.take('}');
        if (!scan.take(',')) return false;
    }
}

}  // namespace pulsewire

#include "common/protocol/json_unescape.hpp"
