#include "server/shard/log_runner.hpp"

#include "server/log.hpp"

#include <utility>

namespace pulsewire::shell {
namespace {

// Lines on their way to streams of other nodes, and how long their clients wait; beyond: 503.
constexpr std::size_t posts_max = 16'384;
constexpr std::int64_t post_timeout_ms = 5'000;

}  // namespace

void log_runner::carry_out() {
    cluster::log_output& out = channels_.out();
    if (!out.broker.empty()) all_.to_broker(std::exchange(out.broker, {}));
    for (cluster::order& o : out.orders) all_.obey(std::move(o));
    out.orders.clear();
    for (cluster::log_output::stream_post& p : out.posts) all_.take_post(std::move(p));
    out.posts.clear();
    for (const cluster::posted_note& p : std::exchange(out.posted, {})) {
        const auto found = posts_.find(p.number);
        if (found == posts_.end()) continue;
        const posted done = std::move(posts_.extract(found).mapped());
        const bool known = p.outcome <= static_cast<std::uint8_t>(post_outcome::unreachable);
        done.done(known ? static_cast<post_outcome>(p.outcome) : post_outcome::unreachable);
    }
    for (std::string& sentence : out.warnings) {
        // All partitions find the same fault, one after the other.
        if (sentence == last_warning_) continue;
        log::warning(sentence);
        last_warning_ = std::move(sentence);
    }
    out.warnings.clear();
    for (const std::string& sentence : out.notes) {
        log::info(sentence);
        last_warning_.clear();
    }
    out.notes.clear();
}

void log_runner::post_elsewhere(
    std::uint64_t process, cluster::post_note&& what, post_done done, hub::instant now
) {
    // A name that no living node gave costs the log nothing.
    if (!channels_.first().copy().serves()) return done(post_outcome::unreachable);
    if (!channels_.first().reaches(process)) return done(post_outcome::gone);
    if (posts_.size() >= posts_max) return done(post_outcome::too_many);
    what.number = ++last_post_;
    posts_.emplace(what.number, posted{std::move(done), now.monotonic_ms + post_timeout_ms});
    channels_.first().tell(process, std::move(what), now);
}

void log_runner::tick(hub::instant now) {
    channels_.tick(now);
    if (!has_begun_ && channels_.all_serve()) {
        has_begun_ = true;
        all_.log_begins();
    }
    if (channels_.stands_back()) all_.log_stands_back();
    while (!posts_.empty() && posts_.begin()->second.due_ms <= now.monotonic_ms) {
        const posted late = std::move(posts_.extract(posts_.begin()).mapped());
        late.done(post_outcome::unreachable);
    }
}

}  // namespace pulsewire::shell
