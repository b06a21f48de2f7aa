#include "server/config/nearest_name.hpp"

#include "server/text.hpp"

#include <algorithm>
#include <cstddef>

namespace pulsewire::shell {
namespace {

// Longer names than settings have are nobody's typing errors, and the search takes the square of them.
constexpr std::size_t name_bytes_max = 64;

bool same(char a, char b) {
    return lower(a) == lower(b) || ((a == '-' || a == '_') && (b == '-' || b == '_'));
}

// The edits from one to the other, a swap of neighbours being one (optimal string alignment).
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, replaced});
            const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
            if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before.swap(last);
        last.swap(now);
    }
    return last[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
    if (name.size() > name_bytes_max) return {};
    std::string nearest;
    // A third of the letters: more, and it is another name.
    std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
    for (const std::string& one : known) {
        const std::size_t count = edits(name, one);
        if (count >= least) continue;
        least = count;
        nearest = one;
    }
    return nearest;
}

}  // namespace pulsewire::shell
