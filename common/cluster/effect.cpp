#include "common/cluster/effect.hpp"

#include <string_view>

namespace pulsewire::cluster {

std::string text_of(const channel_epoch& e) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const fingerprint f = sip_hasher<2, 4>({e.log.first, e.log.second}, true).number(e.generation).end_wide();
    std::string text;
    for (int i = 0; i < 8; ++i) text.push_back(digits[f.first >> (6 * i) & 63]);
    for (int i = 0; i < 8; ++i) text.push_back(digits[f.second >> (6 * i) & 63]);
    return text;
}

publish_op publication::view() const {
    const auto op = decode_operation(bytes);
    return op && std::holds_alternative<publish_op>(*op) ? std::get<publish_op>(*op) : publish_op{};
}

}  // namespace pulsewire::cluster
