// permessage-deflate: whatever comes is inflated within its bound, by an inflater that remembers nothing of
// the message before, and what we deflate is inflated to what it was.

#include "fuzz/fuzz.hpp"
#include "server/net/compression.hpp"

#include <string>

namespace pulsewire::fuzz {

void test_one_input(std::string_view input) {
    using outcome = shell::inflater::outcome;
    static shell::deflater deflater;  // as a shard has them, for all its messages
    static shell::inflater inflater;

    const std::size_t bytes_max = std::size_t{1} << take_byte(input) % 17;
    std::string out, again;
    const outcome first = inflater.decompress(input, bytes_max, out);
    require(out.size() <= bytes_max, "the bound holds");
    require(first != outcome::too_large || out.size() == bytes_max, "as much is there as may be");
    require(inflater.decompress(input, bytes_max, again) == first && again == out, "nothing is remembered");
    if (first == outcome::whole) {
        require(inflater.decompress(input, out.size(), again) == outcome::whole, "its own size is enough");
        if (!out.empty())
            require(inflater.decompress(input, out.size() - 1, again) == outcome::too_large, "less is not");
    }

    const std::string deflated = deflater.compress(input);
    require(inflater.decompress(deflated, input.size(), out) == outcome::whole, "ours can be inflated");
    require(out == input, "and is what it was");
}

}  // namespace pulsewire::fuzz
