#pragma once

// Looks up members of the lines that go over a run's wires. They hold no escapes.

#include "common/base/base64.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace pulsewire::sim {

// The number behind the first `key`; 0 when there is none.
inline std::uint64_t number_after(std::string_view text, std::string_view key) {
    std::size_t at = text.find(key);
    if (at == text.npos) return 0;
    std::uint64_t number = 0;
    for (at += key.size(); at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        number = number * 10 + static_cast<std::uint64_t>(text[at] - '0');
    return number;
}

// The string behind the first `key`, with its quotes; empty when there is none.
inline std::string_view string_after(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    if (at == text.npos || at + key.size() >= text.size() || text[at + key.size()] != '"') return {};
    const std::string_view rest = text.substr(at + key.size());
    const std::size_t end = rest.find('"', 1);
    return end == rest.npos ? std::string_view{} : rest.substr(0, end + 1);
}

// Peers publish JSON as bytes at times. The line as if each payload of bytes in it were the JSON that it is.
inline std::string in_plain(std::string_view line) {
    constexpr std::string_view key = R"("binary":true,"payload":")";
    std::string plain;
    for (std::size_t at = 0; (at = line.find(key)) != line.npos;) {
        const std::size_t begin = at + key.size(), end = line.find('"', begin);
        plain.append(line.substr(0, at)).append(R"("payload":)");
        if (!append_from_base64(plain, line.substr(begin, end - begin))) plain += "no base64";
        line.remove_prefix(end + 1);
    }
    return plain.append(line);
}

}  // namespace pulsewire::sim
