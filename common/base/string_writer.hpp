#pragma once

// Writes a std::string whose length is known in advance, at least approximately. Room is made
// once, and adding a piece costs only its copy; appending to a std::string takes five to ten
// times as many instructions per piece.

#include "common/base/decimal.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pulsewire {

class string_writer {
public:
    // Writes over `text`, which outlives the writer. Its size should be about that of the result; it holds
    // the result after finish().
    explicit string_writer(std::string& text)
        : text_(text), begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {}
    string_writer(const string_writer&) = delete;
    string_writer& operator=(const string_writer&) = delete;

    std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

    // Adds all pieces in order; each is a char or converts to std::string_view.
    template <class... Pieces>
    void add(const Pieces&... pieces) {
        const std::size_t bytes = (std::size_t{0} + ... + size_of(pieces));
        if (static_cast<std::size_t>(end_ - at_) < bytes) grow(bytes);
        // A local copy, because the compiler must assume that a write through it changes `at_`.
        char* at = at_;
        ((at = put(at, pieces)), ...);
        at_ = at;
    }
    void add_number(std::uint64_t value) {
        const std::size_t digits = decimal_digits(value);
        if (static_cast<std::size_t>(end_ - at_) < digits) grow(digits);
        at_ += digits;
        write_decimal(at_, value);
    }
    void push_back(char c) { add(c); }
    string_writer& operator+=(std::string_view piece) {
        add(piece);
        return *this;
    }

    // Removes the unused room. Nothing may be added afterwards.
    void finish() { text_.resize(size()); }

private:
    static std::size_t size_of(char) { return 1; }
    static std::size_t size_of(std::string_view piece) { return piece.size(); }
    static char* put(char* at, char c) {
        *at = c;
        return at + 1;
    }
    static char* put(char* at, std::string_view piece) {
        if (!piece.empty()) std::memcpy(at, piece.data(), piece.size());
        return at + piece.size();
    }
    void grow(std::size_t bytes);

    std::string& text_;
    char* begin_;
    char* at_;
    char* end_;
};

}  // namespace pulsewire
