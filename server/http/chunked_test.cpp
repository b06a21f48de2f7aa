#include "server/http/chunked.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell {
namespace {

using outcome = chunked_reader::outcome;

struct read_body {
    outcome how = outcome::more;
    std::string body;
    std::string rest;
    int status = 0;
};

// As the conversation does it: what was not taken comes again, with `step` more bytes.
read_body read(const std::string& wire, std::size_t step = std::string::npos, std::size_t body_max = 100) {
    chunked_reader reader(body_max, 64);
    read_body r;
    std::string buffer;
    for (std::size_t at = 0; at < wire.size() && r.how == outcome::more; at += step) {
        buffer += wire.substr(at, step);
        std::string_view left = buffer;
        r.how = reader.take(left, r.body);
        buffer.erase(0, buffer.size() - left.size());
        if (step == std::string::npos) break;
    }
    r.rest = buffer;
    if (r.how == outcome::refused) r.status = reader.why().status;
    return r;
}

TEST(chunked, the_chunks_are_joined_and_what_follows_is_left) {
    const read_body r = read("5\r\nhello\r\n1;a=b\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\nGET /");
    EXPECT_EQ(r.how, outcome::whole);
    EXPECT_EQ(r.body, "hello 0123456789");
    EXPECT_EQ(r.rest, "GET /");
}

TEST(chunked, it_does_not_matter_how_the_bytes_arrive) {
    const std::string wire = "a; x=\"y\"\r\n01234\r\n789\r\n3\t\r\nabc\r\n0;z\r\nX: y\r\nDigest: 1=2\r\n\r\n";
    for (std::size_t step = 1; step <= wire.size(); ++step) {
        const read_body r = read(wire, step);
        EXPECT_EQ(r.how, outcome::whole) << step;
        EXPECT_EQ(r.body, "01234\r\n789abc") << step;
    }
}

TEST(chunked, every_beginning_of_a_body_waits_for_more) {
    const std::string wire = "5;x\r\nhello\r\n0\r\nX: y\r\n\r\n";
    for (std::size_t size = 1; size < wire.size(); ++size)
        EXPECT_EQ(read(wire.substr(0, size)).how, outcome::more) << size;
}

TEST(chunked, what_two_readers_could_understand_differently_is_refused) {
    using namespace std::string_literals;
    for (const std::string& wire :
         {"\r\n"s,
          " 5\r\n"s,
          "+5\r\n"s,
          "-1\r\n"s,
          "0x5\r\n"s,
          "g\r\n"s,
          ";x\r\n"s,
          "5 5\r\n"s,
          "5,\r\n"s,
          "5\nhello"s,
          "5\rx"s,
          "5;a\nb\r\n"s,
          "5;\0\r\n"s,
          "0000000000000005\r\n"s,
          "ffffffffffffffff\r\n"s,
          "5\r\nhelloX"s,
          "5\r\nhello\n0"s,
          "5\r\nhello!\r\n"s,
          "0\r\n folded: x\r\n"s,
          "0\r\nno colon\r\n"s,
          "0\r\nX : y\r\n"s,
          "0\r\n: y\r\n"s,
          "0\r\nX: y\n\r\n"s,
          "0\r\nX: \x01\r\n"s}) {
        for (const std::size_t step : {std::string::npos, std::size_t(1)})
            EXPECT_EQ(read(wire, step).status, 400) << wire;
    }
}

TEST(chunked, a_body_has_a_greatest_size_whatever_its_chunks) {
    const std::string half = "32\r\n" + std::string(50, 'x') + "\r\n";
    EXPECT_EQ(read(half + half + "0\r\n\r\n").how, outcome::whole);
    EXPECT_EQ(read(half + half + "1\r\n").status, 413);
    EXPECT_EQ(read("65\r\n").status, 413) << "before a byte of it has come";
    EXPECT_EQ(read("fffffffffffffff\r\n").status, 413);
}

TEST(chunked, extensions_and_trailers_have_a_greatest_size_together) {
    EXPECT_EQ(read("1;" + std::string(100, 'e') + "\r\n").status, 431);
    EXPECT_EQ(read("1;" + std::string(200, 'e')).status, 431) << "a line that never ends";
    EXPECT_EQ(read("0\r\nX: " + std::string(200, 't')).status, 431);
    std::string many;
    for (int i = 0; i < 10; ++i) many += "1;extension\r\nx\r\n";
    EXPECT_EQ(read(many).status, 431);
    EXPECT_EQ(
        read("1;" + std::string(40, 'e') + "\r\nx\r\n0\r\nX: " + std::string(30, 't') + "\r\n").status, 431
    );
}

}  // namespace
}  // namespace pulsewire::shell
