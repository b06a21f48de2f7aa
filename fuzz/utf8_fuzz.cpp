// UTF-8, held against simdjson. The first byte says where the text, the rest, is cut.

#include "common/base/utf8.hpp"
#include "common/base/utf8_validator.hpp"
#include "common/protocol/json_unescape.hpp"
#include "fuzz/fuzz.hpp"

#include <simdjson.h>

#include <string>

namespace pulsewire::fuzz {
namespace {

// The size of the longest beginning that is valid and ends between characters.
std::size_t valid_bytes(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t bytes = utf8_sequence_bytes(text, at);
        if (bytes == 0) break;
        std::string again;
        detail::append_utf8(again, utf8_code_point(text, at, bytes));
        require(again == text.substr(at, bytes), "a code point is written as it was read");
        at += bytes;
    }
    return at;
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::size_t cut = take_byte(input) % (input.size() + 1);
    const bool valid = simdjson::validate_utf8(input.data(), input.size());
    require(is_utf8(input) == valid, "the whole text is valid or not");
    require((valid_bytes(input) == input.size()) == valid, "its characters are valid or not");

    utf8_validator pieces;
    const bool begins = pieces.feed(input.substr(0, cut));
    require(
        (begins && pieces.feed(input.substr(cut)) && pieces.complete()) == valid,
        "two pieces are as valid as the whole"
    );
    const std::size_t begun = valid_bytes(input.substr(0, cut));
    require(begins || begun < cut, "a valid beginning is taken");
    require(utf8_prefix(input, cut).data() == input.data(), "a prefix is at the beginning");
    require(utf8_prefix(input, cut).size() == begun, "a prefix is as long as it may be");
}

}  // namespace pulsewire::fuzz
