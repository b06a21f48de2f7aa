#include "server/forward/forward.hpp"

#include "common/access/pattern.hpp"
#include "common/base/overloaded.hpp"
#include "common/protocol/names.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace pulsewire::shell::forward {
namespace {

namespace asio = boost::asio;

// Lines about single publications that one forward writes; the metrics count all.
constexpr std::uint32_t lines_per_second = 10;
// Between two places that are written into the shared log: what a killed server has forwarded since is
// forwarded again.
constexpr std::int64_t place_interval_ms = 1'000;

std::int64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

// Its name is tried out until it falls into the partition. All nodes find the same one.
std::string place_channel(
    std::string_view name, std::string_view name_space, cluster::partition_index p, std::uint32_t partitions
) {
    for (std::uint64_t n = 0;; ++n) {
        std::string channel(name_space);
        if (!channel.empty()) channel += ':';
        channel.append(hub::forward_place_prefix).append(name).append("-").append(std::to_string(n));
        if (hub::partition_of(channel, partitions) == p) return channel;
    }
}

result<std::unique_ptr<forward>, std::string> forward::make(
    forward_settings of, surroundings where, std::shared_ptr<asio::io_context> loop
) {
    auto read = mapping::read(of);
    if (!read) return failure(read.error());
    auto made = std::unique_ptr<forward>(
        new forward(std::move(of), std::move(where), std::move(*read), std::move(loop))
    );
    auto to = make_target(made->of_, *made->loop_);
    if (!to) return failure("forward \"" + made->of_.name + "\": " + to.error());
    made->target_.emplace(*made->loop_, std::move(*to));
    made->logic_.emplace(
        made->where_.partitions != 0 ? epochs::of_log : epochs::of_node, made->target_->window(),
        made->where_.forget_ms
    );
    return made;
}

forward::forward(forward_settings of, surroundings where, mapping m, std::shared_ptr<asio::io_context> loop)
    : of_(std::move(of)),
      where_(std::move(where)),
      mapping_(std::move(m)),
      loop_(std::move(loop)),
      lines_(lines_per_second) {
    counters_.name = of_.name;
}

void forward::start(node& home, hub::shard_index where) {
    home_ = &home;
    if (!where_.place_path.empty()) {
        auto file = place_file::open(where_.place_path);
        if (file) {
            file_.emplace(std::move(*file));
            logic_->restore(file_->take_read(), now_ms());
        } else {
            log::warning(
                "forward \"", of_.name, "\": ", file.error(),
                ". After a restart everything that is kept is forwarded again."
            );
        }
    }
    door_ = std::make_unique<door>(
        home, where, "forward-" + of_.name, loop_,
        [this](const std::string& channel, std::optional<page> found) { on_page(channel, std::move(found)); }
    );
    counters_.forwarding = where_.partitions == 0;
    writing::listener heard;
    heard.on_ready = [this] { on_ready(); };
    heard.on_acknowledged = [this](ticket number) { on_acknowledged(number); };
    heard.on_refused = [this](ticket number, const std::string& why) { on_refused(number, why); };
    heard.on_lost = [this](const std::string& reason) { on_lost(reason); };
    target_->start(std::move(heard));
}

// --- the channels ---

bool forward::is_of(const std::string& channel, cluster::partition_index p) const {
    return hub::partition_of(channel, where_.partitions) == p;
}

void forward::on_news(std::span<const hub::channel_news> news) {
    for (const hub::channel_news& each : news) {
        if (!access::matches(of_.from, each.channel, {})) continue;
        if (where_.partitions == 0) {
            each.is_kept ? logic_->found(each.channel) : logic_->heard(each.channel, each.first, each.head);
            continue;
        }
        const auto partition = led_.find(hub::partition_of(each.channel, where_.partitions));
        // What is told before the answer about the places is in that answer.
        if (partition == led_.end() || !partition->second.has_begun) continue;
        partition->second.newest_ms = std::max(partition->second.newest_ms, each.log_ms);
        logic_->heard(each.channel, each.first, each.head, each.log_ms);
    }
    carry_out();
}

void forward::on_turns(std::span<const cluster::log_output::turn> turns) {
    if (where_.partitions == 0) return;
    for (const auto& [p, is_ours] : turns) {
        logic_->end([&, p = p](const std::string& channel) { return is_of(channel, p); });
        led_.erase(p);
        if (!is_ours) continue;
        const std::uint64_t turn = ++turns_;
        led_[p].turn = turn;
        shard& owner = home_->at(p % home_->shard_count());
        const std::string place = place_channel(of_.name, namespace_of(of_.from), p, where_.partitions);
        asio::post(owner.loop(), [this, &owner, p = p, turn, place, loop = loop_] {
            auto rests = owner.shared()->at(p).rests(place);
            asio::post(*loop, [this, p, turn, rests = std::move(rests)]() mutable {
                begin(p, turn, std::move(rests));
            });
        });
    }
    counters_.forwarding = !led_.empty();
    carry_out();
}

void forward::begin(cluster::partition_index p, std::uint64_t turn, std::vector<hub::channel_rest>&& rests) {
    const auto partition = led_.find(p);
    if (partition == led_.end() || partition->second.turn != turn) return;
    partition->second.has_begun = true;
    for (const hub::channel_rest& each : rests)
        if (access::matches(of_.from, each.channel, {}))
            logic_->begin(each.channel, each.after, each.head, each.log_ms);
    carry_out();
}

void forward::on_page(const std::string& channel, std::optional<page> found) {
    if (found)
        logic_->take(channel, std::move(*found));
    else
        logic_->unread(channel);
    carry_out();
}

// --- the destination ---

void forward::on_ready() {
    counters_.connected = true;
    if (std::exchange(is_away_, false)) log::info("forward \"", of_.name, "\": the destination is back");
    log::info("forward \"", of_.name, "\": ", log::printable(of_.from), " goes to ", log::printable(of_.to));
    logic_->opened();
    carry_out();
}

void forward::on_lost(const std::string& reason) {
    counters_.connected = false;
    logic_->lost();
    carry_out();
    if (std::exchange(is_away_, true)) return;
    log::warning(
        "forward \"", of_.name, "\" does not go on: ", reason,
        ". It is tried again until it works; what is published meanwhile waits in the channels' histories."
    );
}

void forward::on_acknowledged(ticket number) {
    const std::uint64_t lost = logic_->lost_count();
    logic_->acknowledged(number);
    if (logic_->lost_count() != lost && lines_.admits(now_ms()))
        log::warning(
            "forward \"", of_.name, "\": ", logic_->lost_count() - lost, " publications of ",
            log::printable(logic_->lost_channel()),
            " were kept no more when their turn came. Give the namespace a longer history for the time that "
            "the destination may be away."
        );
    carry_out();
}

void forward::on_refused(ticket number, const std::string& why) {
    ++counters_.refused;
    if (lines_.admits(now_ms()))
        log::warning("forward \"", of_.name, "\": a publication is not forwarded: ", why);
    logic_->acknowledged(number, false);
    carry_out();
}

void forward::carry_out() {
    for (forwarder::action& one : logic_->take_actions()) {
        std::visit(
            overloaded{
                [&](const forwarder::read& r) { door_->read(r.channel, r.after); },
                [&](forwarder::write& w) { target_->send(w.number, mapping_.record_of(std::move(w.what))); },
            },
            one
        );
    }
    counters_.forwarded = logic_->forwarded();
    counters_.lost = logic_->lost_count();
    counters_.channels = logic_->channels();
    counters_.in_flight = logic_->in_flight();
}

// --- places ---

void forward::tick() {
    logic_->tick(now_ms());
    carry_out();
    keep_places();
}

void forward::keep_places() {
    const places moved = logic_->take_moved();
    if (where_.partitions != 0) return keep_places_in_log();
    if (!file_ || moved.empty()) return;
    const std::string fault = file_->add(moved, logic_->known());
    if (fault == file_fault_) return;
    file_fault_ = fault;
    if (!fault.empty())
        log::warning("forward \"", of_.name, "\": ", fault, ". What is forwarded now may come twice.");
}

void forward::keep_places_in_log() {
    if (now_ms() - kept_in_log_ms_ < place_interval_ms) return;
    kept_in_log_ms_ = now_ms();
    for (auto& [p, partition] : led_) {
        if (!partition.has_begun) continue;
        const auto waits =
            logic_->waits_since([&, p = p](const std::string& channel) { return is_of(channel, p); });
        const std::int64_t upto = waits.value_or(partition.newest_ms);
        if (upto <= partition.kept_ms) continue;
        partition.kept_ms = upto;
        door_->publish(
            place_channel(of_.name, namespace_of(of_.from), p, where_.partitions), std::to_string(upto)
        );
    }
}

}  // namespace pulsewire::shell::forward
