#include "server/shard/slow_readers.hpp"

#include "server/log.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace pulsewire::shell {
namespace {

constexpr std::int64_t report_interval_ms = 10'000;

}  // namespace

slow_readers::slow_readers(connection_table& connections, shard_port& home, std::uint64_t bytes_max)
    : connections_(connections), home_(home), bytes_max_(bytes_max) {
    set_max(bytes_max);
}

void slow_readers::set_max(std::uint64_t bytes_max) {
    bytes_max_ = bytes_max;
    home_.storage().memory().set_max(bytes_max);
}

void slow_readers::cut() {
    if (!home_.storage().memory().is_too_much()) return;
    std::vector<std::pair<std::size_t, std::uint64_t>> slow;
    connections_.each_guarded([&](connection& c) {
        if (const std::size_t bytes = c.waiting_memory(); bytes > 0) slow.emplace_back(bytes, c.id());
    });
    std::sort(slow.begin(), slow.end(), std::greater<>());
    const time_slice slice = home_.new_slice();
    for (const auto& [bytes, id] : slow) {
        if (!home_.storage().memory().is_too_much()) break;
        ++home_.metrics().waiting_cuts;
        connections_.guarded(id, [](connection& c) { c.cut(); });
        if (slice.is_over()) {
            home_.schedule_turn_end();
            break;
        }
    }
    report();
}

void slow_readers::report() {
    const std::uint64_t cuts = home_.metrics().waiting_cuts;
    const std::int64_t now_ms = home_.now().monotonic_ms;
    if (cuts == reported_) return;
    if (reported_ms_ != 0 && now_ms - reported_ms_ < report_interval_ms) return;
    log::warning(
        "more than ", bytes_max_,
        " bytes waited for slow readers of one shard, so the slowest were closed with 4000: ",
        cuts - reported_, " since this was said last (waiting_bytes_total_max)"
    );
    reported_ms_ = now_ms;
    reported_ = cuts;
}

}  // namespace pulsewire::shell
