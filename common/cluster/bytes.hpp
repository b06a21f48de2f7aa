#pragma once

// Numbers and texts as bytes, for records and images: integers little-endian, lengths as LEB128, a text after
// its length. A reader never reads beyond its bytes: after the first mistake it yields zeros and empty texts,
// and ok() is false.

#include "common/base/keyed_hash.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::cluster {

class byte_writer {
public:
    explicit byte_writer(std::string& to) : to_(to) {}

    void u8(std::uint8_t n) { to_.push_back(static_cast<char>(n)); }
    void u16(std::uint16_t n) { fixed<2>(n); }
    void u32(std::uint32_t n) { fixed<4>(n); }
    void u64(std::uint64_t n) { fixed<8>(n); }
    void i64(std::int64_t n) { u64(static_cast<std::uint64_t>(n)); }
    void length(std::uint64_t n) {
        for (; n >= 0x80; n >>= 7) u8(static_cast<std::uint8_t>(n | 0x80));
        u8(static_cast<std::uint8_t>(n));
    }
    void text(std::string_view t) {
        length(t.size());
        to_.append(t);
    }
    void hash(const fingerprint& f) {
        u64(f.first);
        u64(f.second);
    }

private:
    // The compiler makes one store of it.
    template <std::size_t Bytes>
    void fixed(std::uint64_t n) {
        char raw[Bytes];
        for (std::size_t i = 0; i < Bytes; ++i) raw[i] = static_cast<char>(n >> (8 * i));
        to_.append(raw, Bytes);
    }

    std::string& to_;
};

class byte_reader {
public:
    explicit byte_reader(std::string_view from) : left_(from) {}

    bool ok() const { return ok_; }
    bool at_end() const { return left_.empty(); }
    std::size_t left() const { return left_.size(); }
    // The bytes that were not read yet.
    std::string_view rest() const { return left_; }

    std::uint8_t u8() { return static_cast<std::uint8_t>(fixed<1>()); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(fixed<2>()); }
    std::uint32_t u32() { return static_cast<std::uint32_t>(fixed<4>()); }
    std::uint64_t u64() { return fixed<8>(); }
    std::int64_t i64() { return static_cast<std::int64_t>(fixed<8>()); }
    // A LEB128 number of at most 63 bits, in its shortest form.
    std::uint64_t length() {
        std::uint64_t n = 0;
        for (int shift = 0; shift < 63; shift += 7) {
            const std::uint8_t byte = u8();
            n |= std::uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) {
                if (byte == 0 && shift > 0) fail();
                return ok_ ? n : 0;
            }
        }
        fail();
        return 0;
    }
    // A text of at most `bytes_max`.
    std::string_view text(std::size_t bytes_max) {
        const std::uint64_t n = length();
        if (n > bytes_max || n > left_.size()) {
            fail();
            return {};
        }
        const std::string_view found = left_.substr(0, static_cast<std::size_t>(n));
        left_.remove_prefix(static_cast<std::size_t>(n));
        return found;
    }
    fingerprint hash() {
        fingerprint f;
        f.first = u64();
        f.second = u64();
        return f;
    }
    void fail() {
        ok_ = false;
        left_ = {};
    }

private:
    template <std::size_t Bytes>
    std::uint64_t fixed() {
        if (left_.size() < Bytes) {
            fail();
            return 0;
        }
        char raw[Bytes];
        std::copy_n(left_.data(), Bytes, raw);
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < Bytes; ++i)
            n |= std::uint64_t{static_cast<unsigned char>(raw[i])} << (8 * i);
        left_.remove_prefix(Bytes);
        return n;
    }

    std::string_view left_;
    bool ok_ = true;
};

}  // namespace pulsewire::cluster
