#include "common/cluster/sim/cluster_sim.hpp"

#include "common/base/overloaded.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace pulsewire::cluster::sim {
namespace {

constexpr std::int64_t settle_ms = 60'000;
// A copy that began with the checkpoint of a spoilt one differs from others until the next.
constexpr std::int64_t settle_of_spoilt_ms = 240'000;

shared_options small_options(std::uint64_t secret, std::uint32_t window_ms) {
    shared_options o;
    o.default_namespace.history_count_max = 12;
    o.idempotency_ms = window_ms;
    o.channel_idle_ms = 16'500;
    o.secret = {secret, secret + 1};
    return o;
}

log_rules small_rules() {
    log_rules r;
    r.base_age_max = 80;
    r.checkpoint_bytes = 8'000;
    r.trim_bytes = 1'500;
    r.trim_ms = 3'500;
    return r;
}

payload_number number_in(std::string_view payload) {
    payload_number n = 0;
    std::from_chars(payload.data(), payload.data() + payload.size(), n);
    return n;
}

constexpr std::string_view sessions[] = {"client-0", "client-1", "client-2", "client-3"};

}  // namespace

void tally::add(const tally& t) {
    seeds += t.seeds, acknowledged += t.acknowledged, repeated += t.repeated, given_up += t.given_up,
        kills += t.kills, pauses += t.pauses, cuts += t.cuts, failovers += t.failovers, splits += t.splits,
        lost_records += t.lost_records, renewals += t.renewals, told += t.told, restated += t.restated,
        expired += t.expired, ended += t.ended, checkpoints += t.checkpoints, cold_starts += t.cold_starts,
        copies_lost += t.copies_lost, forgotten += t.forgotten, records += t.records,
        unavailable += t.unavailable, spoilt += t.spoilt, differed += t.differed;
}

std::string tally::text() const {
    std::string all;
    const auto say = [&](std::string_view name, std::uint64_t n) {
        if (!all.empty()) all += ", ";
        all.append(name).append(" ").append(std::to_string(n));
    };
    say("seeds", seeds);
    say("acknowledged", acknowledged);
    say("repeated", repeated);
    say("given up", given_up);
    say("unavailable", unavailable);
    say("kills", kills);
    say("pauses", pauses);
    say("cuts", cuts);
    say("failovers", failovers);
    say("splits", splits);
    say("lost records", lost_records);
    say("renewals", renewals);
    say("told", told);
    say("restated", restated);
    say("expired", expired);
    say("ended", ended);
    say("checkpoints", checkpoints);
    say("cold starts", cold_starts);
    say("copies lost", copies_lost);
    say("forgotten", forgotten);
    say("records", records);
    say("spoilt", spoilt);
    say("differed", differed);
    return all;
}

cluster_sim::cluster_sim(std::uint64_t seed)
    : seed_(seed),
      dice_(seed * 0x9e3779b97f4a7c15u + 1),
      spoils_(seed % 16 == 5),
      spoil_dice_(seed * 0xbf58476d1ce4e5b9u + 1) {
    const std::uint32_t drawn = dice_.below(100);
    mood_ = drawn < 65 ? mood::plain : drawn < 85 ? mood::storm : drawn < 90 ? mood::gentle : mood::vouched;
    partitions_ = 1 + dice_.below(2);
    tells_incarnation_ = mood_ != mood::vouched && dice_.percent(50);
    waits_for_broker_ = dice_.percent(30);
    window_ms_ = dice_.percent(50) ? 15'500 : 3'000;
    with_presence_ = dice_.percent(50) ? channels_count : channels_count - 1;
    tally_.seeds = 1;
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        broker_options o;
        o.partition = p;
        o.seed = dice_.any();
        o.tells_incarnation = tells_incarnation_;
        o.marks_are_times = dice_.percent(50);
        o.weather = {5, 5, 5, 400, 6'000};
        brokers_.push_back(std::make_unique<broker_model>(o));
    }
    const bool one_is_wrong = dice_.percent(30);
    const std::uint32_t wrong = dice_.below(nodes_count);
    for (std::size_t i = 0; i < nodes_count; ++i) {
        node& n = nodes_[i];
        n.last_process.resize(partitions_);
        n.clock_offset_ms = static_cast<std::int64_t>(dice_.below(1'600));
        n.wall_offset_ms = static_cast<std::int64_t>(dice_.below(1'600));
        if (one_is_wrong && i == wrong) n.clock_offset_ms += dice_.percent(50) ? 300'000 : -300'000;
        start(i);
    }
}

hub::instant cluster_sim::clock_of(const node& n) const {
    return {now_ms_ + n.clock_offset_ms, 1'800'000'000'000 + now_ms_ + n.wall_offset_ms};
}

const std::string& cluster_sim::channel_name(channel_number c) const {
    static const std::string names[channels_count] = {"x", "y", "z"};
    return names[c];
}

// ----------------------------------------------------------------------------------------------------------
// nodes

replica_options cluster_sim::options_of(std::size_t node_index, std::uint32_t partition) {
    replica_options o;
    o.partition = partition;
    o.rules = small_rules();
    o.shared = small_options(seed_ + ++starts_, window_ms_);
    o.broker_is_durable = mood_ == mood::vouched;
    o.waits_for_broker = waits_for_broker_;
    if (dice_.percent(70)) o.predecessor = nodes_[node_index].last_process[partition];
    o.local = {dice_.any(), dice_.any()};
    o.seed = dice_.any();
    if (window_ms_ > 10'000) o.queue_ms = 4'000;
    o.window_records = 3;
    o.image_chunk_bytes = 2'500;
    o.resend_ms = 1'200;
    o.sign_ms = 600;
    o.connect_ms = 3'000;
    o.reread_ms = 4'000;
    return o;
}

void cluster_sim::start(std::size_t node_index) {
    node& n = nodes_[node_index];
    n.replicas.clear();
    n.held.clear();
    n.stop_until_ms = 0;
    n.dirty = true;
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        n.replicas.push_back(std::make_unique<replica>(options_of(node_index, p)));
        n.last_process[p] = n.replicas.back()->process();
        ++tally_.cold_starts;
    }
}

void cluster_sim::kill(std::size_t node_index, std::int64_t down_ms) {
    node& n = nodes_[node_index];
    if (!n.is_up()) return;
    ++tally_.kills;
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        n.last_process[p] = n.replicas[p]->process();
        brokers_[p]->disconnect(static_cast<node_number>(node_index), "The node is gone.");
        brokers_[p]->take(static_cast<node_number>(node_index), 0, now_ms_);
    }
    n.replicas.clear();
    n.held.clear();
    n.stop_until_ms = n.paused_until_ms = n.cut_in_until_ms = n.cut_out_until_ms = 0;
    n.down_until_ms = now_ms_ + down_ms;
    for (client& c : clients_)
        if (c.node == node_index) {
            c.node = nodes_count;
            for (subscription& s : c.channels) s.judged = false;
        }
}

void cluster_sim::stop(std::size_t node_index) {
    node& n = nodes_[node_index];
    if (!n.is_up() || n.stop_until_ms > 0) return;
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        replica_output out;
        n.replicas[p]->stop(clock_of(n), out);
        carry_out(node_index, p, out);
    }
    n.stop_until_ms = now_ms_ + dice_.between(1, 12) * tick_ms;
}

void cluster_sim::hand_on(node& n, std::size_t node_index, const to_broker& what) {
    if (now_ms_ < n.cut_out_until_ms)
        n.held.push_back(what);
    else
        brokers_[what.partition]->on(static_cast<node_number>(node_index), what, now_ms_);
}

void cluster_sim::carry_out(std::size_t node_index, std::uint32_t partition, replica_output& out) {
    node& n = nodes_[node_index];
    for (const to_broker& what : out.broker) hand_on(n, node_index, what);
    for (const replica_event& e : out.events) on_event(node_index, partition, e);
    out.broker.clear();
    out.events.clear();
}

void cluster_sim::on_event(std::size_t node_index, std::uint32_t partition, const replica_event& e) {
    nodes_[node_index].dirty = true;
    std::visit(
        overloaded{
            [](const serving&) {},
            [](const degraded&) {},
            [](const still_away&) {},
            [&](const copy_lost&) {
                ++tally_.copies_lost;
                for (client& c : clients_) {
                    if (c.node != node_index) continue;
                    c.came_ms = clock_of(nodes_[node_index]).monotonic_ms;
                    for (channel_number ch = 0; ch < channels_count; ++ch)
                        if (partition_of(ch) == partition) c.channels[ch].judged = false;
                }
            },
            [&](const restated& r) { restate(node_index, partition, r); },
            [&](const shown& s) {
                if (!std::holds_alternative<digest_differs>(s.what)) return;
                ++tally_.differed;
                if (!spoils_) witness_.complain("a sign tells of another digest");
            },
            [&](const accepted& a) {
                const auto found = pending_.find(a.id);
                const payload_number payload = static_cast<payload_number>(a.id);
                channel_number channel = channels_count;
                if (found != pending_.end()) {
                    channel = found->second.channel;
                    pending_.erase(found);
                    ++(a.repeated ? tally_.repeated : tally_.acknowledged);
                    acknowledged_[payload] = {channel, a.epoch, a.offset};
                }
                if (channel < channels_count) witness_.shown(channel, a.epoch, a.offset, payload);
            },
            [&](const not_accepted& n) {
                if (n.why != refusal::too_late) witness_.complain("a publish was refused without a reason");
                const auto found = pending_.find(n.id);
                if (found != pending_.end() && !found->second.keyed) pending_.erase(found);
            },
            [&](const unavailable& u) {
                ++tally_.unavailable;
                const auto found = pending_.find(u.id);
                if (found != pending_.end() && !found->second.keyed) pending_.erase(found);
            },
            [&](const standing_back& s) { witness_.complain("a node stands back: " + s.reason); },
        },
        e
    );
}

void cluster_sim::read(
    std::size_t node_index, std::uint32_t partition, const from_broker& what, replica_output& out
) {
    node& n = nodes_[node_index];
    replica& r = *n.replicas[partition];
    const partition_state* const copy = r.state();
    const std::uint64_t before = copy == nullptr ? 0 : copy->chain().position();
    r.on(what, clock_of(n), out);
    const bool applied = copy != nullptr && r.state() == copy && copy->chain().position() > before;
    if (applied && copy->processes().has_ended(r.process()))
        witness_.complain("a node goes on as a process whose end it has read");
}

void cluster_sim::step(std::size_t node_index) {
    node& n = nodes_[node_index];
    if (n.cut_in_until_ms > 0 && n.cut_in_until_ms <= now_ms_ && n.cut_out_until_ms <= now_ms_) {
        // What was held gets through, or the connection turns out to be broken.
        n.cut_in_until_ms = n.cut_out_until_ms = 0;
        const bool broken = dice_.percent(50);
        for (std::uint32_t p = 0; p < partitions_ && broken; ++p)
            brokers_[p]->disconnect(static_cast<node_number>(node_index), "The connection is broken.");
        while (!n.held.empty()) {
            const to_broker what = n.held.front();
            n.held.pop_front();
            if (!broken || std::holds_alternative<open_log>(what.what)) hand_on(n, node_index, what);
        }
    }
    replica_output out;
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        replica& r = *n.replicas[p];
        if (now_ms_ >= n.cut_in_until_ms && dice_.percent(70)) {
            const auto reports =
                brokers_[p]->take(static_cast<node_number>(node_index), dice_.between(1, 6), now_ms_);
            for (const from_broker& what : reports) {
                read(node_index, p, what, out);
                // What clients see in between is what they might have seen.
                if (!out.events.empty()) {
                    carry_out(node_index, p, out);
                    for (std::size_t c = 0; c < clients_count; ++c)
                        for (channel_number ch = 0; ch < channels_count; ++ch)
                            if (clients_[c].node == node_index && partition_of(ch) == p) see(c, ch);
                }
            }
            if (!reports.empty()) n.dirty = true;
        }
        r.on_time(clock_of(n), out);
        carry_out(node_index, p, out);
        n.last_process[p] = r.process();
    }
    if (!n.dirty) return;
    n.dirty = false;
    for (std::size_t c = 0; c < clients_count; ++c)
        if (clients_[c].node == node_index)
            for (channel_number ch = 0; ch < channels_count; ++ch) see(c, ch);
}

// --------------------------------------------------------------------------------------------------------
// clients

void cluster_sim::publish_new() {
    if (!dice_.percent(30)) return;
    pending p;
    p.channel = dice_.percent(30) ? std::min<channel_number>(dice_.below(5) / 2, 2) : dice_.below(2);
    p.payload = ++last_payload_;
    p.keyed = !dice_.percent(10);
    p.since_ms = now_ms_;
    p.tried_ms = now_ms_ - try_again_ms();
    pending_[p.payload] = p;
}

void cluster_sim::try_publishes() {
    std::vector<command_id> due;
    for (auto at = pending_.begin(); at != pending_.end();) {
        const pending& p = at->second;
        if (now_ms_ - p.since_ms > repeat_ms()) {
            ++tally_.given_up;
            at = pending_.erase(at);
            continue;
        }
        if (now_ms_ - p.tried_ms >= try_again_ms()) due.push_back(at->first);
        ++at;
    }
    for (const command_id id : due) {
        pending& p = pending_[id];
        const std::size_t to = dice_.below(nodes_count);
        node& n = nodes_[to];
        if (!n.is_up()) continue;
        p.tried_ms = p.keyed ? now_ms_ : now_ms_ + repeat_ms();
        const std::string text = std::to_string(p.payload);
        publish_op op;
        op.channel = channel_name(p.channel);
        op.type = "t";
        if (p.keyed) op.key = text;
        op.payload = text;
        op.content = p.payload;
        replica_output out;
        const std::uint32_t partition = partition_of(p.channel);
        n.replicas[partition]->publish(id, op, clock_of(n), out);
        carry_out(to, partition, out);
    }
}

void cluster_sim::move_clients() {
    for (std::size_t i = 0; i < clients_count; ++i) {
        client& c = clients_[i];
        const bool gone = c.node == nodes_count;
        const auto is_stuck = [&](const node& n) {
            return n.paused_until_ms > now_ms_ + 1'200 || n.cut_in_until_ms > now_ms_ + 1'200 ||
                   n.stop_until_ms > 0;
        };
        if (!gone && !(is_stuck(nodes_[c.node]) && dice_.percent(10)) && (calm_ || dice_.below(100) > 0))
            continue;
        if (!dice_.percent(30)) continue;
        std::vector<std::size_t> up;
        for (std::size_t n = 0; n < nodes_count; ++n)
            if (nodes_[n].is_up() && nodes_[n].paused_until_ms <= now_ms_ && nodes_[n].stop_until_ms == 0)
                up.push_back(n);
        if (up.empty()) continue;
        leave(i);
        come(i, up[dice_.below(static_cast<std::uint32_t>(up.size()))]);
    }
}

void cluster_sim::leave(std::size_t client_index) {
    client& c = clients_[client_index];
    if (c.node == nodes_count) return;
    node& n = nodes_[c.node];
    const std::size_t from = c.node;
    const std::uint64_t token = c.token;
    c.node = nodes_count;
    for (channel_number ch = 0; ch < channels_count; ++ch) {
        c.channels[ch].judged = false;
        if (ch >= with_presence_) continue;
        replica_output out;
        n.replicas[partition_of(ch)]->part(
            {channel_name(ch), sessions[client_index], token}, clock_of(n), out
        );
        carry_out(from, partition_of(ch), out);
    }
}

void cluster_sim::come(std::size_t client_index, std::size_t node_index) {
    client& c = clients_[client_index];
    node& n = nodes_[node_index];
    c.node = node_index;
    c.token = ++last_token_;
    c.came_ms = clock_of(n).monotonic_ms;
    n.dirty = true;
    for (channel_number ch = 0; ch < with_presence_; ++ch) {
        replica_output out;
        join_op j;
        j.channel = channel_name(ch);
        j.session = sessions[client_index];
        j.token = c.token;
        n.replicas[partition_of(ch)]->join(j, clock_of(n), out);
        carry_out(node_index, partition_of(ch), out);
    }
}

void cluster_sim::tell(subscription& s, channel_number c, const partition_state& z) {
    const shared_channel* const found = z.channels().find(channel_name(c));
    s.has_position = s.judged = true;
    s.epoch = z.epoch_of(channel_name(c));
    s.offset = found == nullptr ? 0 : found->head();
    s.trace.clear();
}

// What a session does for its subscription: read on from its position, or tell that it cannot.
void cluster_sim::see(std::size_t client_index, channel_number c) {
    client& who = clients_[client_index];
    node& n = nodes_[who.node];
    subscription& s = who.channels[c];
    const replica& r = *n.replicas[partition_of(c)];
    if (!r.serves()) return;
    const partition_state& z = *r.state();
    if (!s.has_position) return tell(s, c, z);
    const shared_channel* const found = z.channels().find(channel_name(c));
    const std::uint64_t head = found == nullptr ? 0 : found->head();
    if (s.judged && s.epoch.log == z.epoch() && !(s.epoch == z.epoch_of(channel_name(c)))) {
        // A channel was made or forgotten: with offset 0 nothing was missed.
        if (s.offset > 0) {
            ++tally_.told;
            return tell(s, c, z);
        }
        s.epoch = z.epoch_of(channel_name(c));
        s.trace.clear();
    }
    const naming named = s.epoch == z.epoch_of(channel_name(c)) ? naming::present : naming::other;
    switch (r.judge(channel_name(c), named, s.offset, who.came_ms)) {
        case fit::wait:
            return;
        case fit::epoch_changed:
            ++tally_.told;
            return tell(s, c, z);
        case fit::expired:
            ++tally_.expired;
            return tell(s, c, z);
        case fit::fits:
            break;
    }
    s.judged = true;
    for (; s.offset < head; ++s.offset) {
        const payload_number payload = number_in(found->at(s.offset + 1)->view().payload);
        witness_.shown(c, s.epoch, s.offset + 1, payload);
        if (std::find(s.trace.begin(), s.trace.end(), payload) != s.trace.end())
            witness_.complain("a client saw payload " + std::to_string(payload) + " twice");
        s.trace.push_back(payload);
    }
}

void cluster_sim::restate(std::size_t node_index, std::uint32_t partition, const restated& r) {
    ++tally_.renewals;
    for (client& c : clients_) {
        if (c.node != node_index) continue;
        for (channel_number ch = 0; ch < channels_count; ++ch) {
            subscription& s = c.channels[ch];
            if (partition_of(ch) != partition || !s.judged || !(s.epoch.log == r.before)) continue;
            s.epoch.log = r.now;
            ++tally_.restated;
        }
    }
}

// ---------------------------------------------------------------------------------------------------------
// faults

void cluster_sim::fail_over(std::uint32_t partition, std::uint32_t lost, bool split) {
    if (mood_ == mood::vouched) lost = 0, split = false;
    ++tally_.failovers;
    tally_.splits += split;
    tally_.lost_records +=
        brokers_[partition]->fail_over(lost, split ? now_ms_ + dice_.between(5, 40) * tick_ms : 0, now_ms_);
}

// A bit flips in the memory of a node: its copy is not what the log says any more.
void cluster_sim::spoil_a_copy() {
    if (!spoil_dice_.percent(1)) return;
    const node& n = nodes_[spoil_dice_.below(nodes_count)];
    const std::uint32_t p = spoil_dice_.below(partitions_);
    if (!n.is_up() || n.replicas[p]->state() == nullptr) return;
    ++tally_.spoilt;
    const_cast<log_chain&>(n.replicas[p]->state()->chain()).note(1);
}

void cluster_sim::make_trouble() {
    if (spoils_) spoil_a_copy();
    const std::uint32_t x = dice_.below(1'000);
    const std::size_t i = dice_.below(nodes_count);
    const std::uint32_t p = dice_.below(partitions_);
    node& n = nodes_[i];
    const auto for_a_while = [&] { return now_ms_ + dice_.between(5, 60) * tick_ms; };
    if (mood_ == mood::gentle) {
        if (x < 20) fail_over(p, 0, false);
        return;
    }
    if (mood_ == mood::storm) {
        const std::uint32_t y = dice_.below(1'000);
        if (y < 20) {
            fail_over(p, dice_.below(13), dice_.percent(30));
        } else if (y < 30) {
            kill(dice_.below(nodes_count), dice_.between(1, 60) * tick_ms);
        } else if (y < 38) {
            for (std::size_t each = 0; each < nodes_count; ++each) stop(each);
        }
    }
    if (x < 10) {
        ++tally_.pauses;
        n.paused_until_ms = for_a_while();
    } else if (x < 18) {
        kill(i, dice_.between(1, 90) * tick_ms);
    } else if (x < 24) {
        ++tally_.cuts;
        const std::int64_t until = for_a_while();
        const std::uint32_t way = dice_.below(3);
        n.cut_in_until_ms = way == 1 ? now_ms_ + 1 : until;
        n.cut_out_until_ms = way == 2 ? 0 : until;
    } else if (x < 30) {
        fail_over(p, dice_.percent(70) ? dice_.below(9) : 0, dice_.percent(30));
    } else if (x < 33) {
        brokers_[p]->pause(now_ms_ + dice_.between(5, 40) * tick_ms);
    } else if (x < 34) {
        brokers_[p]->fill(now_ms_ + dice_.between(5, 30) * tick_ms);
    } else if (x < 36) {
        fail_over(p, dice_.below(9), false);
        for (std::size_t each = 0; each < nodes_count; ++each)
            if (dice_.percent(60)) kill(each, dice_.between(1, 60) * tick_ms);
    } else if (x < 38) {
        stop(i);
    } else if (x < 40) {
        fail_over(p, 0, false);
    }
}

void cluster_sim::tick() {
    now_ms_ += tick_ms;
    for (auto& b : brokers_) b->advance(now_ms_);
    if (!calm_) publish_new();
    try_publishes();
    move_clients();
    for (std::size_t i = 0; i < nodes_count; ++i) {
        node& n = nodes_[i];
        if (!n.is_up()) {
            if (now_ms_ >= n.down_until_ms) start(i);
            continue;
        }
        if (n.stop_until_ms > 0 && now_ms_ >= n.stop_until_ms) {
            kill(i, dice_.percent(50) ? 300 : 6'000);
            continue;
        }
        if (now_ms_ >= n.paused_until_ms) step(i);
    }
}

// ---------------------------------------------------------------------------------------------------------
// the end

void cluster_sim::compare_copies() {
    if (spoils_) return;
    for (const node& n : nodes_)
        for (std::uint32_t p = 0; p < n.replicas.size(); ++p)
            if (const partition_state* const z = n.replicas[p]->state())
                witness_.copy(p, z->chain().newest().chain, z->chain().newest().digest);
}

bool cluster_sim::is_settled() {
    if (!pending_.empty()) return false;
    for (const client& c : clients_)
        if (c.node == nodes_count) return false;
    for (const node& n : nodes_) {
        if (!n.is_up() || n.stop_until_ms > 0) return false;
        for (const auto& r : n.replicas)
            if (!r->serves()) return false;
    }
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        const partition_state& first = *nodes_[0].replicas[p]->state();
        if (first.processes().alive().size() != nodes_count) return false;
        for (const node& n : nodes_) {
            const partition_state& z = *n.replicas[p]->state();
            if (!(z.epoch() == first.epoch())) return false;
            // Spoilt copies are made anew.
            const log_chain &one = z.chain(), &other = first.chain();
            const std::uint64_t both = std::min(one.position(), other.position());
            const log_point *const here = one.at(both), *const there = other.at(both);
            if (here != nullptr && there != nullptr && here->chain == there->chain &&
                here->digest != there->digest)
                return false;
            for (channel_number ch = 0; ch < channels_count; ++ch) {
                if (partition_of(ch) != p) continue;
                const shared_channel* const c = z.channels().find(channel_name(ch));
                const std::size_t members = c == nullptr ? 0 : c->members().size();
                if (members != (ch < with_presence_ ? clients_count : 0)) return false;
                for (const client& who : clients_)
                    if (!(who.channels[ch].epoch == z.epoch_of(channel_name(ch))) ||
                        who.channels[ch].offset != (c == nullptr ? 0 : c->head()))
                        return false;
            }
        }
    }
    return true;
}

// The log is read once more from its first record, by somebody who never saw an image.
void cluster_sim::judge_the_end() {
    for (std::uint32_t p = 0; p < partitions_; ++p) {
        const broker_model& b = *brokers_[p];
        partition_state z(small_rules(), {});
        std::map<channel_number, std::vector<payload_number>> logs;
        std::map<payload_number, std::uint64_t> times;
        for (std::size_t i = 0; i < b.total(); ++i) {
            std::vector<effect> effects;
            z.apply(b.record(i), effects);
            if (!spoils_) witness_.copy(p, z.chain().newest().chain, z.chain().newest().digest);
            for (const effect& e : effects) {
                if (const published* const made = std::get_if<published>(&e)) {
                    const publish_op op = made->what->view();
                    const payload_number payload = number_in(op.payload);
                    logs[static_cast<channel_number>(op.channel[0] - 'x')].push_back(payload);
                    if (++times[payload] > 1)
                        witness_.complain("payload " + std::to_string(payload) + " is in the log twice");
                } else if (const channel_forgotten* const gone = std::get_if<channel_forgotten>(&e)) {
                    logs[static_cast<channel_number>(gone->channel[0] - 'x')].clear();
                    ++tally_.forgotten;
                } else if (std::holds_alternative<process_ended>(e)) {
                    ++tally_.ended;
                }
            }
        }
        tally_.records += b.total();
        tally_.checkpoints += z.checkpoints().size();
        for (const auto& [payload, a] : acknowledged_) {
            if (partition_of(a.channel) != p || !(a.epoch == z.epoch_of(channel_name(a.channel)))) continue;
            const std::vector<payload_number>& log = logs[a.channel];
            if (a.offset > log.size() || log[a.offset - 1] != payload)
                witness_.complain(
                    "payload " + std::to_string(payload) +
                    " was acknowledged, is not there, and nobody was told"
                );
        }
        for (channel_number ch = 0; ch < channels_count; ++ch) {
            if (partition_of(ch) != p) continue;
            const std::vector<payload_number>& log = logs[ch];
            for (const client& c : clients_) {
                // The log may have forgotten the channel in records that no node has read yet.
                if (!(c.channels[ch].epoch == z.epoch_of(channel_name(ch)))) continue;
                const std::vector<payload_number>& trace = c.channels[ch].trace;
                if (trace.size() > log.size() || !std::equal(trace.rbegin(), trace.rend(), log.rbegin()))
                    witness_.complain(
                        "a client missed something of channel " + channel_name(ch) + " and was not told"
                    );
            }
            if (ch >= with_presence_) continue;
            // Exactly the clients that are there, each where it is.
            const shared_channel* const there = z.channels().find(channel_name(ch));
            for (std::size_t c = 0; c < clients_count; ++c) {
                const process_id process = nodes_[clients_[c].node].replicas[p]->process();
                if (there == nullptr || there->members().size() != clients_count ||
                    !there->members().contains({std::string(sessions[c]), process, clients_[c].token}))
                    witness_.complain("the presence of channel " + channel_name(ch) + " is wrong");
            }
        }
        // Copies that have read as much have the same image, to the byte.
        for (const node& n : nodes_) {
            const partition_state& copy = *n.replicas[p]->state();
            // A checkpoint that a spoilt copy wrote is what all have come to.
            const partition_state& right = spoils_ ? *nodes_[0].replicas[p]->state() : z;
            if (copy.chain().base() == right.chain().base() && copy.image() != right.image())
                witness_.complain(
                    "a copy of partition " + std::to_string(p) + " differs from the log read anew"
                );
        }
    }
}

std::string cluster_sim::run() {
    const std::uint32_t ticks = dice_.between(100, 300);
    for (std::uint32_t i = 0; i < ticks && witness_.fault().empty(); ++i) {
        tick();
        make_trouble();
        if (i % 4 == 0) compare_copies();
    }
    calm_ = true;
    for (auto& b : brokers_) {
        b->set_weather({0, 0, 0, 100, 0});
        b->pause(0);
        b->fill(0);
    }
    for (node& n : nodes_) {
        n.paused_until_ms = 0;
        if (n.cut_in_until_ms > now_ms_) n.cut_in_until_ms = now_ms_;
        if (n.cut_out_until_ms > now_ms_) n.cut_out_until_ms = now_ms_;
    }
    const std::int64_t calm_since_ms = now_ms_;
    std::uint32_t quiet = 0;
    while (quiet < 5 && witness_.fault().empty()) {
        tick();
        if (now_ms_ - calm_since_ms > (spoils_ ? settle_of_spoilt_ms : settle_ms)) {
            std::string state = "does not settle:";
            for (const node& n : nodes_)
                for (const auto& r : n.replicas)
                    state +=
                        (r->serves() ? " serves" : " does not serve") +
                        (r->state() == nullptr ? std::string(" nothing")
                                               : " at " + std::to_string(r->state()->chain().position()));
            witness_.complain(state);
        }
        if (now_ms_ - calm_since_ms < 6'000 || now_ms_ / tick_ms % 2 != 0) continue;
        compare_copies();
        if (is_settled()) ++quiet;
    }
    if (witness_.fault().empty()) judge_the_end();
    return witness_.fault();
}

}  // namespace pulsewire::cluster::sim
