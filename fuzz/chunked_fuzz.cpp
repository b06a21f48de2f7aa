// A body in chunks: however its bytes arrive, the outcome and the body are the same, and nothing that follows
// the body is taken.

#include "fuzz/fuzz.hpp"
#include "server/http/chunked.hpp"

#include <string>

namespace pulsewire::fuzz {
namespace {

using namespace shell;
using outcome = chunked_reader::outcome;

constexpr std::size_t body_max = 64;
constexpr std::size_t extra_max = 32;

struct read_body {
    outcome how = outcome::more;
    std::string body;
    std::size_t taken = 0;
};

read_body read(std::string_view wire, std::size_t step) {
    chunked_reader reader(body_max, extra_max);
    read_body r;
    std::string buffer;
    for (std::size_t at = 0; at < wire.size() && r.how == outcome::more; at += step) {
        buffer += wire.substr(at, step);
        std::string_view left = buffer;
        r.how = reader.take(left, r.body);
        r.taken += buffer.size() - left.size();
        buffer.erase(0, buffer.size() - left.size());
        require(buffer.size() <= step + body_max + extra_max, "what waits for more is bounded");
    }
    if (r.how == outcome::refused) require(reader.why().status >= 400, "a refusal has a status");
    return r;
}

}  // namespace

void test_one_input(std::string_view input) {
    if (input.empty()) return;
    const read_body whole = read(input, input.size());
    require(whole.body.size() <= body_max, "the body is bounded");
    for (const std::size_t step : {std::size_t(1), std::size_t(3), std::size_t(7)}) {
        const read_body pieces = read(input, step);
        require(pieces.how == whole.how, "the outcome is the same");
        if (whole.how != outcome::whole) continue;
        require(
            pieces.body == whole.body && pieces.taken == whole.taken, "the body and its end are the same"
        );
    }
}

}  // namespace pulsewire::fuzz
