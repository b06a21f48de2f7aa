#include "server/http/request.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell {
namespace {

result<std::unique_ptr<request>, refusal> read(const std::string& head) {
    return read_request_head(head, shell_limits{});
}

// A whole head around one line, or around the fields given.
std::string with_fields(const std::string& fields, const std::string& line = "GET / HTTP/1.1") {
    return line + "\r\nHost: a\r\n" + fields + "\r\n";
}

int status_of(const std::string& head) {
    const auto read_or_not = read(head);
    return read_or_not ? 200 : read_or_not.error().status;
}

TEST(request, method_target_and_fields_are_read) {
    const auto r = read("POST /a%20b?x=1&y HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nX: y\r\n\r\n");
    ASSERT_TRUE(r);
    EXPECT_EQ((*r)->verb, method::post);
    EXPECT_EQ((*r)->path, "/a%20b");
    EXPECT_EQ((*r)->query, "x=1&y");
    EXPECT_EQ((*r)->content_length, 12u);
    EXPECT_EQ((*r)->field("x"), "y");
    EXPECT_EQ((*r)->field("z"), "");
    EXPECT_TRUE((*r)->keep_alive);
}

TEST(request, the_connection_is_kept_as_the_client_says) {
    EXPECT_FALSE((*read(with_fields("Connection: close\r\n")))->keep_alive);
    EXPECT_FALSE((*read(with_fields("Connection: x, CLOSE\r\n")))->keep_alive);
    EXPECT_FALSE((*read(with_fields("", "GET / HTTP/1.0")))->keep_alive);
    EXPECT_TRUE((*read(with_fields("Connection: keep-alive, Upgrade\r\n")))->upgrade);
}

// Two readers could understand these differently, and a proxy in front of us may be the other one.
TEST(request, what_could_be_read_in_two_ways_is_refused) {
    EXPECT_EQ(status_of(with_fields("Content-Length: 1\r\nContent-Length: 1\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Content-Length: 1, 1\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Content-Length: +1\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Content-Length: 0x1\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Content-Length: 99999999999999999999\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding : chunked\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding: chunked, chunked\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")), 400);
    EXPECT_EQ(status_of(with_fields("Transfer-Encoding: gzip, chunked\r\n")), 501);
    EXPECT_EQ(status_of(with_fields("X: a\r\n b\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("X: a\nY: b\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("X: a\rY: b\r\n")), 400);
    EXPECT_EQ(status_of(with_fields(std::string("X: a\0b\r\n", 8))), 400);
    EXPECT_EQ(status_of(with_fields("X : a\r\n")), 400);
    EXPECT_EQ(status_of(with_fields("no colon\r\n")), 400);
}

TEST(request, there_is_exactly_one_host) {
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
    EXPECT_EQ(status_of(with_fields("Host: b\r\n")), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
    EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), 200);
}

TEST(request, a_body_may_come_in_chunks) {
    for (const char* field :
         {"Transfer-Encoding: chunked", "TRANSFER-ENCODING:Chunked", "Transfer-Encoding:\tchunked "}) {
        const auto r = read(with_fields(std::string(field) + "\r\n", "POST / HTTP/1.1"));
        ASSERT_TRUE(r) << field;
        EXPECT_TRUE((*r)->chunked) << field;
    }
    EXPECT_FALSE((*read(with_fields("Content-Length: 1\r\n")))->chunked);
}

// RFC 9112 3.2.2: HTTP libraries that take us for a proxy, and tests of conformance.
TEST(request, a_whole_url_is_its_path_and_its_authority_is_the_host) {
    const auto r = read(with_fields("", "GET http://rt.example.com:8080/ws?x=1 HTTP/1.1"));
    ASSERT_TRUE(r);
    EXPECT_EQ((*r)->path, "/ws");
    EXPECT_EQ((*r)->query, "x=1");
    EXPECT_EQ((*r)->field("Host"), "rt.example.com:8080");
    EXPECT_EQ((*r)->count("Host"), 1u) << "the field that came is replaced";
    EXPECT_EQ((*read(with_fields("", "GET HTTPS://[::1] HTTP/1.1")))->target, "/");
    EXPECT_EQ((*read(with_fields("", "GET http://a?x HTTP/1.1")))->query, "x");
    EXPECT_EQ((*read("GET http://a/b HTTP/1.0\r\n\r\n"))->field("Host"), "a");
    for (const char* target :
         {"http://", "http:///x", "http://a@b/", "http://a#b", "http://a,b/", "ftp://a/", "ws://a/",
          "http:/a"})
        EXPECT_EQ(status_of(with_fields("", "GET " + std::string(target) + " HTTP/1.1")), 400) << target;
    EXPECT_EQ(status_of("GET http://a/ HTTP/1.1\r\n\r\n"), 400) << "the field Host must come nevertheless";
}

TEST(request, a_base_path_is_entered_at_whole_names) {
    const auto r = read(with_fields("", "GET /realtime/ws?x HTTP/1.1"));
    EXPECT_FALSE((*r)->enter("/real"));
    EXPECT_EQ((*r)->path, "/realtime/ws");
    EXPECT_TRUE((*r)->enter("/realtime"));
    EXPECT_EQ((*r)->base, "/realtime");
    EXPECT_EQ((*r)->path, "/ws");
    EXPECT_EQ((*r)->query, "x");
    EXPECT_TRUE((*r)->enter(""));
    EXPECT_EQ((*r)->path, "/ws");
}

TEST(request, the_whole_server_is_what_options_may_ask_about) {
    EXPECT_EQ((*read(with_fields("", "OPTIONS * HTTP/1.1")))->path, "*");
    EXPECT_EQ((*read(with_fields("", "OPTIONS http://a HTTP/1.1")))->path, "*");
    EXPECT_EQ((*read(with_fields("", "OPTIONS http://a/ HTTP/1.1")))->path, "/");
    EXPECT_EQ(status_of(with_fields("", "OPTIONS ** HTTP/1.1")), 400);
}

TEST(request, the_target_is_a_path) {
    for (const char* target : {"*", "a", "/a#b", "/a\x7f", "/\xc3\xbc"})
        EXPECT_EQ(status_of(with_fields("", "GET " + std::string(target) + " HTTP/1.1")), 400) << target;
}

TEST(request, other_versions_are_refused_by_name) {
    EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\n"), 505);
    EXPECT_EQ(status_of(with_fields("", "GET / HTTP/2.0")), 505);
}

TEST(request, only_one_expectation_is_known) {
    EXPECT_TRUE((*read(with_fields("Expect: 100-Continue\r\n")))->expects_continue);
    EXPECT_EQ(status_of(with_fields("Expect: the unexpected\r\n")), 417);
    EXPECT_FALSE((*read(with_fields("Expect: 100-continue\r\n", "GET / HTTP/1.0")))->expects_continue);
}

TEST(request, fields_are_counted) {
    std::string many;
    for (std::uint32_t i = 1; i < shell_limits{}.http_fields_max; ++i) many += "X: y\r\n";
    EXPECT_EQ(status_of(with_fields(many)), 200);
    EXPECT_EQ(status_of(with_fields(many + "X: y\r\n")), 431);
}

TEST(request, query_parameters_are_decoded_in_order) {
    const auto r = read(with_fields("", "GET /?a=1&b=%2B+&a=%31%3d&c HTTP/1.1"));
    ASSERT_TRUE(r);
    EXPECT_EQ((*r)->parameters("a"), (std::vector<std::string>{"1", "1="}));
    EXPECT_EQ((*r)->parameter("b"), "++");
    EXPECT_EQ((*r)->parameter("c", "x"), "");
    EXPECT_EQ((*r)->parameter("d", "x"), "x");
}

TEST(request, a_wrong_escape_becomes_what_no_check_lets_pass) {
    const auto r = read(with_fields("", "GET /?a=%4 HTTP/1.1"));
    ASSERT_TRUE(r);
    EXPECT_EQ((*r)->parameter("a"), std::string(1, '\0'));
}

TEST(request, the_end_of_a_head_is_found_across_pieces) {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (std::size_t seen = 0; seen < head.size(); ++seen) {
        EXPECT_EQ(find_head_end(head.substr(0, seen), 0), 0u) << seen;
        EXPECT_EQ(find_head_end(head + "more", seen), head.size()) << seen;
    }
}

}  // namespace
}  // namespace pulsewire::shell
