#include "bench/load/stamp.hpp"

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

}  // namespace

void append_payload(std::string& out, const stamp& s, std::size_t bytes) {
    out += '"';
    out += stamp_mark;
    append_letters(out, s.publisher);
    append_letters(out, s.sequence);
    append_letters(out, static_cast<std::uint32_t>(s.intended_ns >> 32));
    append_letters(out, static_cast<std::uint32_t>(s.intended_ns));
    out += stamp_mark;
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
