#include "bench/load/stamp.hpp"

#include <iterator>

namespace pulsewire::bench {
namespace {

// Eight letters from 'a' to 'p' are 32 bits, the first ones highest.
void append_letters(std::string& out, std::uint32_t value) {
    for (int shift = 28; shift >= 0; shift -= 4)
        out.push_back(static_cast<char>('a' + ((value >> shift) & 15)));
}

// Without a branch per letter: the machine's words are little-endian, so the first letter is the lowest byte.
bool read_letters(const char* text, std::uint32_t& value) {
    std::uint64_t letters;
    std::memcpy(&letters, text, sizeof letters);
    letters -= 0x6161616161616161;
    if ((letters & 0xf0f0f0f0f0f0f0f0) != 0) return false;
    letters = (letters << 4 | letters >> 8) & 0x00ff00ff00ff00ff;
    letters = (letters << 8 | letters >> 16) & 0x0000ffff0000ffff;
    value = static_cast<std::uint32_t>(letters << 16 | letters >> 32);
    return true;
}

void append_stamp(std::string& out, const stamp& s) {
    out += stamp_mark;
    append_letters(out, s.publisher);
    append_letters(out, s.sequence);
    append_letters(out, static_cast<std::uint32_t>(s.intended_ns >> 32));
    append_letters(out, static_cast<std::uint32_t>(s.intended_ns));
    out += stamp_mark;
}

// Rows of a table until `end` is nearly reached, then a text of the rest.
void append_rows(std::string& out, std::uint32_t seed, std::size_t end) {
    static constexpr std::string_view words[] = {"walnut", "amber",  "harbour", "linen",
                                                 "copper", "meadow", "quartz"};
    constexpr std::size_t row_bytes_max = 80;
    out += R"(,"rows":[)";
    for (std::uint32_t row = seed % 9'000; out.size() + row_bytes_max + 24 < end; ++row) {
        if (out.back() != '[') out += ',';
        out += R"({"id":)" + std::to_string(10'000 + row) + R"(,"name":")";
        out += words[row % std::size(words)];
        out += R"(","price":)" + std::to_string(row * 37 % 900) + "." + std::to_string(10 + row % 90);
        out += row % 3 == 0 ? R"(,"sold":true})" : R"(,"sold":false})";
    }
    out += R"(],"note":")";
    out.append(end - out.size() - 2, 'x');
    out += R"("})";
}

// All values but the mark, newlines among them, again and again.
void append_bytes(std::string& out, std::size_t count) {
    static const std::string values = [] {
        std::string all;
        for (int value = 0; value < 256; ++value)
            if (value != stamp_mark) all += static_cast<char>(value);
        return all;
    }();
    for (; count > values.size(); count -= values.size()) out += values;
    out.append(values, 0, count);
}

}  // namespace

void append_payload(std::string& out, const stamp& s, std::size_t bytes, filling f) {
    const std::size_t end = out.size() + bytes;
    if (f == filling::json) {
        out += R"({"stamp":")";
        append_stamp(out, s);
        out += '"';
        return append_rows(out, s.sequence, end);
    }
    if (f == filling::bytes) {
        append_stamp(out, s);
        return append_bytes(out, bytes - stamp_bytes);
    }
    out += '"';
    append_stamp(out, s);
    out.append(bytes - payload_bytes_min, 'x');
    out += '"';
}

bool read_stamp(std::string_view text, stamp& s) {
    if (text.size() < stamp_bytes || text[0] != stamp_mark || text[stamp_bytes - 1] != stamp_mark)
        return false;
    std::uint32_t high = 0, low = 0;
    if (!read_letters(text.data() + 1, s.publisher) || !read_letters(text.data() + 9, s.sequence) ||
        !read_letters(text.data() + 17, high) || !read_letters(text.data() + 25, low))
        return false;
    s.intended_ns = std::uint64_t{high} << 32 | low;
    return true;
}

}  // namespace pulsewire::bench
