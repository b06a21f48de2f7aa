#include "common/protocol/skip_plain.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace pulsewire {
namespace {

using scanner = const char* (*)(const char* begin, const char* at, const char* end);

bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

const char* one_by_one(const char* at, const char* end) {
    while (at != end && is_plain(*at)) ++at;
    return at;
}

const char* anywhere(const char*, const char* at, const char* end) {
    return detail::skip_plain_anywhere(at, end);
}

// All that there are on this machine.
constexpr scanner scanners[] = {
    skip_plain,
    anywhere,
#ifdef __SSE2__
    detail::skip_plain_sse2,
#endif
};

// From every byte of a text in memory of its own length, so that a sanitizer sees what looks beyond it.
void expect_as_one_by_one(std::string_view text) {
    const auto copy = std::make_unique<char[]>(text.size());
    std::memcpy(copy.get(), text.data(), text.size());
    const char* const end = copy.get() + text.size();
    for (const char* at = copy.get(); at <= end; ++at)
        for (const scanner scan : scanners)
            ASSERT_EQ(scan(copy.get(), at, end) - at, one_by_one(at, end) - at)
                << "from byte " << at - copy.get() << " of " << text;
}

TEST(skip_plain, stops_at_each_byte_that_is_not_plain_and_at_no_other) {
    for (int byte = 0; byte < 256; ++byte)
        for (std::size_t place = 0; place < 40; ++place) {
            std::string text(40, 'x');
            text[place] = static_cast<char>(byte);
            expect_as_one_by_one(text);
        }
}

TEST(skip_plain, finds_the_end_of_texts_of_every_length) {
    for (std::size_t size = 0; size < 70; ++size) expect_as_one_by_one(std::string(size, '~'));
}

TEST(skip_plain, all_ways_agree_on_random_texts) {
    static constexpr char others[] = {'"',    '\\',   '\x1f', '\n', '\0', '\x80', '\xff',
                                      '\xa2', '\xdc', '!',    '#',  '[',  ']',    '\x7f'};
    std::uint64_t dice = 7;
    for (int round = 0; round < 3'000; ++round) {
        std::string text(next_random(dice, 80), 'a');
        for (std::uint64_t changes = next_random(dice, 6); changes != 0 && !text.empty(); --changes)
            text[next_random(dice, text.size())] = others[next_random(dice, sizeof others)];
        expect_as_one_by_one(text);
    }
}

}  // namespace
}  // namespace pulsewire
