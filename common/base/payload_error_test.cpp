#include "common/base/payload_error.hpp"

#include <gtest/gtest.h>

namespace {

using namespace pulsewire;

TEST(payload_error, says_type_place_expectation_and_finding_in_one_line) {
    payload_error error{"chat.message", "/lines/3/text", "string", "number"};
    EXPECT_EQ(error.message(), "chat.message: /lines/3/text: expected string, found number");
}

TEST(payload_error, leaves_out_what_is_empty) {
    EXPECT_EQ(
        (payload_error{"chat.message", "", "object", "null"}.message()),
        "chat.message: expected object, found null"
    );
    EXPECT_EQ((payload_error{"", "", "JSON", "nothing"}.message()), "expected JSON, found nothing");
}

TEST(payload_error, the_pointer_grows_outwards_from_the_value) {
    payload_error error;
    EXPECT_FALSE(refuse(error, "string", "number"));
    within(error, "text");
    within(error, std::size_t{3});
    within(error, "lines");
    EXPECT_EQ(error, (payload_error{"", "/lines/3/text", "string", "number"}));
}

TEST(payload_error, tilde_and_slash_are_escaped_in_pointers) {
    payload_error error;
    refuse(error, "string", "number");
    within(error, "a/b~c");
    within(error, "~1");
    within(error, "");
    EXPECT_EQ(error.pointer, "//~01/a~1b~0c");
}

TEST(payload_error, a_long_pointer_is_shortened_in_the_message_only) {
    payload_error error{"", "/" + std::string(199, 'k'), "string", "number"};
    EXPECT_EQ(error.message(), "/" + std::string(199, 'k') + ": expected string, found number");
    error.pointer += 'k';
    EXPECT_EQ(error.message(), "/" + std::string(199, 'k') + "...: expected string, found number");
    EXPECT_EQ(error.pointer.size(), 201u);
}

TEST(payload_error, control_characters_in_keys_stay_out_of_the_message) {
    payload_error error{"", "/a\r\nERROR \x1B[31m\x7F", "string", "number"};
    EXPECT_EQ(error.message(), "/a??ERROR ?[31m?: expected string, found number");
}

TEST(payload_error, a_shortened_pointer_is_not_cut_inside_a_character) {
    // The euro sign's three bytes stand at 198, 199 and 200; bytes from 200 on are cut.
    payload_error error{"", "/" + std::string(197, 'k') + "\xE2\x82\xAC", "string", "number"};
    EXPECT_EQ(error.message(), "/" + std::string(197, 'k') + "...: expected string, found number");
}

}  // namespace
