#include "common/cluster/log_channels.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace pulsewire::cluster {
namespace {

// Another reason for the same absence is logged no sooner.
constexpr std::int64_t reason_interval_ms = 10'000;

}  // namespace

log_channels::log_channels(
    const hub::config& settings, const replica_options& options, hub::session_port& sessions
)
    : config_(settings), sessions_(sessions), partitions_(settings.partitions) {
    for (partition_index p = settings.shard; p < settings.partitions; p += settings.shard_count) {
        replica_options own = options;
        own.partition = p;
        own.seed = keyed_hash({options.seed, p}, "partition");
        partitions_[p] = std::make_unique<log_partition>(config_, std::move(own), sessions_, counters_, out_);
    }
}

void log_channels::publish(const hub::publish_view& p, hub::instant now) {
    of(p.channel).publish(p, now);
}

void log_channels::change(hub::channel_change&& value, hub::instant now) {
    std::visit([&](auto& m) { of(m.channel).on(std::move(m), now); }, value);
}

void log_channels::read(hub::channel_read&& value, hub::instant now) {
    std::visit([&](auto& m) { of(m.channel).on(std::move(m), now); }, value);
}

void log_channels::read(hub::attach&& value, hub::instant now) {
    of(value.channel).on(std::move(value), now);
}

void log_channels::read(hub::detach&& value, hub::instant now) {
    of(value.channel).on(std::move(value), now);
}

void log_channels::answer(hub::reply&& value, hub::instant now) {
    const auto p = static_cast<partition_index>((value.to.value & ~hub::foreign_connection) >> 48);
    if (owns(p)) partitions_[p]->answer(std::move(value), now);
}

void log_channels::on(const from_broker& what, hub::instant now) {
    if (owns(what.partition)) partitions_[what.partition]->on(what, now);
}

void log_channels::tick(hub::instant now) {
    for (const auto& p : partitions_)
        if (p != nullptr) p->tick(now);
    tell_standing(now);
}

void log_channels::tell_nodes(const order& o, hub::instant now) {
    partitions_[0]->tell_nodes(o, now);
}

std::vector<partition_facts> log_channels::facts() const {
    std::vector<partition_facts> all;
    for (const auto& p : partitions_)
        if (p != nullptr) all.push_back(p->facts());
    return all;
}

bool log_channels::all_serve() const {
    return std::all_of(partitions_.begin(), partitions_.end(), [](const auto& p) {
        return p == nullptr || p->copy().serves();
    });
}

bool log_channels::stands_back() const {
    return std::any_of(partitions_.begin(), partitions_.end(), [](const auto& p) {
        return p != nullptr && p->copy().stands_back();
    });
}

// One word for all partitions of the shard; a client hears of the node as a whole.
void log_channels::tell_standing(hub::instant now) {
    const auto away = std::find_if(partitions_.begin(), partitions_.end(), [](const auto& p) {
        return p != nullptr && !p->degraded_because().empty();
    });
    const std::string why = away == partitions_.end() ? std::string() : (*away)->degraded_because();
    const bool changes = why.empty() != logged_.empty();
    if (!changes && (why == logged_ || now.monotonic_ms - logged_ms_ < reason_interval_ms)) return;
    logged_ = why;
    logged_ms_ = now.monotonic_ms;
    if (why.empty())
        out_.notes.emplace_back("the shared log goes on");
    else
        out_.warnings.push_back("the shared log does not go on, and clients are told so: " + why);
    if (!changes) return;
    for (hub::shard_index s = 0; s < config_.shard_count; ++s)
        sessions_.post(s, hub::to_session(hub::standing{config_.shard, !why.empty()}), now);
}

}  // namespace pulsewire::cluster
