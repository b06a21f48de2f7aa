#include "server/http/response.hpp"

#include <gtest/gtest.h>

namespace pulsewire::shell {
namespace {

// Beast would put such a value on the wire as it is.
TEST(response, a_field_cannot_split_the_response) {
    response r;
    for (const char* value : {"a\r\nSet-Cookie: x", "a\nb", "a\rb", "\x7f", "\x01"})
        EXPECT_THROW(r.add("X", value), std::logic_error);
    EXPECT_THROW(r.add("X", std::string("a\0b", 3)), std::logic_error);
    EXPECT_THROW(r.add("X\r\nY", "a"), std::logic_error);
    EXPECT_NO_THROW(r.add("X", "a\tb \xc3\xbc"));
    EXPECT_EQ(r.fields.size(), 1u);
}

TEST(response, errors_have_the_body_of_the_protocol) {
    const response r = error_response(400, error_code::invalid_payload, "expected \"a\"\n", "/x");
    EXPECT_EQ(
        r.body,
        "{\"error\":{\"code\":\"invalid_payload\",\"message\":\"expected "
        "\\\"a\\\"\\u000a\",\"pointer\":\"/x\"}}\n"
    );
}

TEST(response, the_length_is_told_where_there_is_a_body) {
    response r;
    r.body = "12345";
    EXPECT_NE(head_of(r, after_response::keep_alive).find("\r\nContent-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(head_of(r, after_response::keep_alive).find("Connection"), std::string::npos);
    EXPECT_NE(head_of(r, after_response::close).find("\r\nConnection: close\r\n"), std::string::npos);
    for (const int bodiless : {204, 304}) {
        response empty;
        empty.status = bodiless;
        EXPECT_EQ(
            head_of(empty, after_response::keep_alive).find("Content-"),
            head_of(empty, after_response::keep_alive).find("Content-Type-Options")
        );
    }
}

}  // namespace
}  // namespace pulsewire::shell
