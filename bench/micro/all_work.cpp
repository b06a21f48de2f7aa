#include "bench/micro/all_work.hpp"

#include "bench/micro/parts.hpp"

namespace pulsewire::bench {

std::string payload() {
    std::string text = R"({"from":"Ada","at":1764000000000,"text":")";
    text.append(126 - text.size(), 'x');
    return text + "\"}";
}

std::string publish_line(std::string_view channel) {
    return R"({"op":"publish","id":7,"channel":")" + std::string(channel) +
           R"(","type":"chat.message","payload":)" + payload() + "}";
}

std::string publication_line(std::string_view channel, std::uint64_t offset) {
    return R"({"type":"chat.message","channel":")" + std::string(channel) + R"(","offset":)" +
           std::to_string(offset) + R"(,"time":1764000000000,"payload":)" + payload() + "}";
}

std::vector<work> all_work() {
    std::vector<work> all;
    add_codec(all);
    add_hub(all);
    add_client(all);
    add_cluster(all);
    return all;
}

}  // namespace pulsewire::bench
