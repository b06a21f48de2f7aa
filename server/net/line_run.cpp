#include "server/net/line_run.hpp"

#include "common/protocol/websocket_writer.hpp"

#include <algorithm>
#include <utility>

namespace pulsewire::shell {
namespace {

// Beyond: a new run begins. A slow connection keeps a whole run alive for the sake of its part.
constexpr std::size_t run_bytes_max = 256 * 1024;
// Says that a message is compressed (RFC 7692 6.1).
constexpr char first_reserved_bit = 0x40;

}  // namespace

std::span<const line_run::line> line_run::lines_from(std::uint32_t begin, std::size_t count) const {
    const auto first = std::upper_bound(
        lines.begin(), lines.end(), begin, [](std::uint32_t at, const line& l) { return at < l.end; }
    );
    return std::span(lines).subspan(static_cast<std::size_t>(first - lines.begin()), count);
}

const std::shared_ptr<const std::string>& line_run::message(
    std::uint32_t begin, std::uint32_t end, deflater* compressor
) {
    const bool compressed = compressor != nullptr;
    for (const made& m : messages_)
        if (m.begin == begin && m.end == end && m.compressed == compressed) return m.bytes;
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    std::string packed;
    if (compressed) packed = compressor->compress(part);
    const std::string_view payload = compressed ? std::string_view(packed) : part;
    std::string bytes(websocket::frame_header(websocket::opcode::text, payload.size()).view());
    if (compressed) bytes[0] = static_cast<char>(bytes[0] | first_reserved_bit);
    bytes.reserve(bytes.size() + payload.size());
    bytes += payload;
    messages_.push_back({begin, end, compressed, std::make_shared<const std::string>(std::move(bytes))});
    return messages_.back().bytes;
}

const std::shared_ptr<line_run>& turn_runs::run_of(const hub::message& m) {
    auto found = runs_.find(m.channel);
    if (found != runs_.end() && found->second->text.size() > run_bytes_max) {
        runs_.erase(found);
        found = runs_.end();
    }
    if (found == runs_.end()) found = runs_.emplace(m.channel, std::make_shared<line_run>()).first;
    return found->second;
}

}  // namespace pulsewire::shell
