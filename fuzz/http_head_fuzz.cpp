// The head of an HTTP request: what is accepted has none of the things that two readers could understand
// differently, and written down as it was understood it is understood the same.

#include "fuzz/fuzz.hpp"
#include "server/http/request.hpp"
#include "server/http/text.hpp"

#include <algorithm>
#include <string>

namespace pulsewire::fuzz {
namespace {

using namespace shell;

bool printable(char c) {
    return c > ' ' && c < 0x7f;
}
bool in_a_value(char c) {
    return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f);
}

void is_plain(const request& r) {
    require(
        r.path.starts_with('/') || (r.path == "*" && r.verb == method::options), "a path begins with a slash"
    );
    require(std::all_of(r.target.begin(), r.target.end(), printable), "the target is printable ASCII");
    require(r.chunked == (r.count("Transfer-Encoding") == 1), "the only coding is known");
    require(!r.chunked || (r.count("Content-Length") == 0 && !r.http_1_0), "a body has one end");
    require(r.count("Content-Length") <= 1, "there is one length");
    require(r.count("Host") == 1 || (r.http_1_0 && r.count("Host") == 0), "there is one host");
    for (const auto& [name, value] : r.fields) {
        require(std::all_of(name.begin(), name.end(), printable), "a name is printable ASCII");
        require(name.find(':') == name.npos, "a name has no colon");
        require(std::all_of(value.begin(), value.end(), in_a_value), "a value has no control character");
    }
    if (const auto length = r.field("Content-Length"); !length.empty()) {
        require(length.find_first_not_of("0123456789") == length.npos, "a length has digits alone");
        require(std::stoull(std::string(length)) == r.content_length, "a length is its number");
    }
}

std::string as_understood(std::string_view verb, const request& r) {
    std::string head(verb);
    head.append(" ").append(r.target).append(r.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    for (const auto& [name, value] : r.fields) head.append(name).append(": ").append(value).append("\r\n");
    return head += "\r\n";
}

void same(const request& a, const request& b) {
    require(a.verb == b.verb && a.target == b.target && a.fields == b.fields, "it is the same request");
    require(a.keep_alive == b.keep_alive && a.upgrade == b.upgrade, "its connection goes on the same way");
    require(a.content_length == b.content_length && a.chunked == b.chunked, "its body is as long");
    require(a.expects_continue == b.expects_continue, "it waits for 100 or does not");
}

void reads_parameters(const request& r) {
    for (const std::string& value : r.parameters("channel")) require(value.size() <= r.query.size(), "value");
    require(r.parameters("channel").empty() || r.parameter("channel") == r.parameters("channel")[0], "first");
    if (const auto path = decode_percent(r.path)) require(path->size() <= r.path.size(), "a path shrinks");
}

}  // namespace

void test_one_input(std::string_view input) {
    const std::size_t end = find_head_end(input, 0);
    for (std::size_t seen = 0; seen <= input.size(); seen += 1 + seen / 4)
        if (seen < end || end == 0)
            require(find_head_end(input, seen) == end, "the end is found wherever the last search stopped");
    if (end == 0) return;

    const std::string_view head = input.substr(0, end);
    const auto read = read_request_head(head, shell_limits{});
    if (!read) return require(read.error().status >= 400, "a refusal has a status");
    is_plain(**read);
    reads_parameters(**read);
    const auto again =
        read_request_head(as_understood(head.substr(0, head.find(' ')), **read), shell_limits{});
    require(again.has_value(), "what is understood can be written");
    same(**read, **again);
}

}  // namespace pulsewire::fuzz
