#include "server/shard/text_inflater.hpp"

namespace pulsewire::shell {

text_inflater::inflated text_inflater::inflate(std::string_view payload, std::size_t bytes_max) {
    const inflater::outcome how = inflater_.decompress(payload, bytes_max, text_);
    return {how, text_};
}

}  // namespace pulsewire::shell
