#include "server/net/line_run.hpp"

#include <algorithm>

namespace pulsewire::shell {
namespace {

// Beyond: a new run begins. A slow connection keeps a whole run alive for the sake of its part.
constexpr std::size_t run_bytes_max = 256 * 1024;

}  // namespace

std::span<const line_run::line> line_run::lines_from(std::uint32_t begin, std::size_t count) const {
    const auto first = std::upper_bound(
        lines.begin(), lines.end(), begin, [](std::uint32_t at, const line& l) { return at < l.end; }
    );
    return std::span(lines).subspan(static_cast<std::size_t>(first - lines.begin()), count);
}

std::shared_ptr<const std::string> line_run::compressed(
    std::uint32_t begin, std::uint32_t end, deflater& with
) {
    for (const packed& p : packed_)
        if (p.begin == begin && p.end == end) return p.bytes;
    auto bytes =
        std::make_shared<const std::string>(with.compress(std::string_view(text).substr(begin, end - begin)));
    packed_.push_back({begin, end, bytes});
    return bytes;
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
