// Nodes that share a log under random faults, and a witness that knows what was acknowledged and what each
// subscriber was told. Each seed is a run of its own and can be repeated.

#include "common/base/random.hpp"
#include "common/hub/test_cluster.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::hub {
namespace {

using client = test_cluster::client;
using nlohmann::json;

constexpr std::size_t nodes = 3, subscribers = 4, publishers = 3;
constexpr const char* channels[] = {"a", "b", "c"};

// What everybody together saw: one content at one place, and one place of a content.
struct witness {
    void saw(
        const std::string& channel, const std::string& epoch, std::uint64_t offset, const std::string& what
    ) {
        const auto [at, fresh] = places.emplace(std::tuple(channel, epoch, offset), what);
        if (!fresh && at->second != what)
            faults.push_back(
                channel + " has \"" + at->second + "\" and \"" + what + "\" at " + epoch + " " +
                std::to_string(offset)
            );
    }
    std::map<std::tuple<std::string, std::string, std::uint64_t>, std::string> places;
    std::vector<std::string> faults;
};

class run {
public:
    explicit run(std::uint64_t seed, bool tells_incarnation)
        : random_(seed), world_(nodes, 2, broker_of(tells_incarnation)) {
        world_.run(500);
        for (std::size_t i = 0; i < subscribers; ++i) subscribers_.emplace_back();
        for (std::size_t i = 0; i < publishers; ++i) publishers_.emplace_back();
    }

    std::vector<std::string> faults() {
        // Nothing is published before everybody is there.
        for (std::size_t i = 0; i < subscribers; ++i)
            attend(subscribers_[i], "subscriber-" + std::to_string(i));
        world_.run(500);
        listen();
        for (int step = 0; step < 400; ++step) {
            fault();
            for (std::size_t i = 0; i < subscribers; ++i)
                attend(subscribers_[i], "subscriber-" + std::to_string(i));
            for (std::size_t i = 0; i < publishers; ++i)
                publish(publishers_[i], "publisher-" + std::to_string(i));
            world_.run(50 + 50 * static_cast<std::int64_t>(below(4)));
            listen();
        }
        // Everything heals, and everybody gets everything.
        for (std::size_t n = 0; n < nodes; ++n) {
            if (killed_.erase(n) != 0) world_.start(n);
            world_.deafen(n, false);
        }
        for (int step = 0; step < 200; ++step) {
            for (std::size_t i = 0; i < subscribers; ++i)
                attend(subscribers_[i], "subscriber-" + std::to_string(i));
            world_.run(100);
            listen();
        }
        judge();
        return std::move(witness_.faults);
    }
    std::size_t acknowledged() const { return acknowledged_.size(); }
    std::size_t told() const { return told_; }

private:
    struct place {
        std::string epoch;
        std::uint64_t offset = 0;
    };
    struct connected {
        std::optional<client> at;
        std::map<std::string, place> positions;
        std::map<std::string, bool> live;
        std::map<std::string, std::vector<std::string>> heard;  // by channel
        std::map<std::string, bool> missed;                     // was told so
        // Publishers: what waits for its answer.
        std::optional<std::pair<std::string, std::string>> open;  // channel, content
        std::int64_t asked_ms = 0;
        std::uint64_t number = 0;
    };

    static cluster::broker_options broker_of(bool tells_incarnation) {
        cluster::broker_options o;
        o.tells_incarnation = tells_incarnation;
        o.weather.latency_ms_max = 30;
        return o;
    }
    std::uint32_t below(std::uint32_t n) { return next_random(random_, n); }

    void fault() {
        const std::size_t n = below(nodes);
        switch (below(24)) {
            case 0:
                if (killed_.size() + 1 < nodes && killed_.insert(n).second) {
                    world_.kill(n);
                    for (auto* all : {&subscribers_, &publishers_})
                        for (connected& c : *all)
                            if (c.at && c.at->node == n) c.at.reset();
                }
                return;
            case 1:
            case 2:
                if (killed_.empty()) return;
                world_.start(*killed_.begin());
                killed_.erase(killed_.begin());
                return;
            case 3:
                return world_.deafen(n, true);
            case 4:
            case 5:
            case 6:
                return world_.deafen(n, false);
            case 7: {
                const char* const channel = channels[below(3)];
                const std::size_t lost = below(3) == 0 ? below(6) : 0;
                if (lost > 0) lossy_.insert(partition_of(channel, test_cluster::partitions));
                world_.broker_of(channel).fail_over(
                    lost, world_.now().monotonic_ms, world_.now().monotonic_ms
                );
                return;
            }
            case 8:
                world_.broker_of(channels[below(3)]).pause(world_.now().monotonic_ms + below(3'000));
                return;
            default:
                return;
        }
    }

    // A node that runs; as a load balancer that knows which do.
    std::size_t some_node() {
        std::size_t n = below(nodes);
        while (killed_.contains(n)) n = (n + 1) % nodes;
        return n;
    }

    void attend(connected& c, const std::string& name) {
        if (c.at && below(40) == 0) {
            world_.close(*c.at);
            c.at.reset();
        }
        if (!c.at) {
            c.at = world_.connect(some_node(), name + "-session", static_cast<shard_index>(below(2)));
            c.live.clear();
            c.open.reset();
        }
        std::uint64_t id = 100;
        for (const std::string channel : channels) {
            ++id;
            if (c.live.contains(channel)) continue;
            c.live[channel] = false;
            json ask = {{"op", "subscribe"}, {"id", id}, {"channel", channel}};
            if (const auto p = c.positions.find(channel); p != c.positions.end()) {
                ask["epoch"] = p->second.epoch;
                ask["offset"] = p->second.offset;
            }
            world_.say(*c.at, ask.dump());
        }
    }

    void publish(connected& c, const std::string& name) {
        if (!c.at) c.at = world_.connect(some_node(), name + "-session", static_cast<shard_index>(below(2)));
        // Said again after a while, with the same key, wherever it is connected now.
        if (c.open && world_.now().monotonic_ms - c.asked_ms < 3'000) return;
        if (!c.open) c.open = {channels[below(3)], name + " " + std::to_string(++c.number)};
        c.asked_ms = world_.now().monotonic_ms;
        const json ask = {
            {"op", "publish"},
            {"id", c.number},
            {"channel", c.open->first},
            {"type", "t"},
            {"key", name + "-" + std::to_string(c.number)},
            {"payload", c.open->second}};
        world_.say(*c.at, ask.dump());
    }

    void listen() {
        for (connected& c : subscribers_)
            if (c.at)
                for (const std::string& line : world_.heard(*c.at)) hear(c, json::parse(line));
        for (connected& c : publishers_) {
            if (!c.at) continue;
            for (const std::string& line : world_.heard(*c.at)) {
                const json said = json::parse(line);
                const std::string op = said.value("op", "");
                if (!c.open || said.value("id", std::uint64_t{0}) != c.number) continue;
                if (op == "error" && said["code"] != "broker_unavailable")
                    witness_.faults.push_back("a publish is refused: " + line);
                if (op == "error") c.asked_ms = 0;
                if (op != "published") continue;
                witness_.saw(c.open->first, said["epoch"], said["offset"], c.open->second);
                acknowledged_.push_back({c.open->first, c.open->second});
                c.open.reset();
            }
        }
    }

    void hear(connected& c, const json& said) {
        const std::string op = said.value("op", ""), channel = said.value("channel", "");
        if (op == "subscribed" || op == "position") {
            const bool recovered =
                op == "position" ? said["recovered"].get<bool>() : said.value("recovered", true);
            place& at = c.positions[channel];
            const std::uint64_t offset = said["offset"];
            if (!recovered) {
                c.missed[channel] = true;
                ++told_;
            } else if (!at.epoch.empty() && offset != at.offset) {
                witness_.faults.push_back("it goes on from another place: " + said.dump());
            }
            at = {said["epoch"], offset};
            c.live[channel] = true;
        } else if (op.empty() && said.contains("offset")) {
            place& at = c.positions[channel];
            const std::uint64_t offset = said["offset"];
            if (offset != at.offset + 1) witness_.faults.push_back("a hole before " + said.dump());
            at.offset = offset;
            witness_.saw(channel, at.epoch, offset, said["payload"]);
            for (const std::string& before : c.heard[channel])
                if (before == said["payload"] && !c.missed[channel])
                    witness_.faults.push_back("comes a second time: " + said.dump());
            c.heard[channel].push_back(said["payload"]);
        } else if (op == "error") {
            // Refused subscribes are repeated.
            for (const std::string each : channels)
                if (!c.live[each]) c.live.erase(each);
        }
    }

    // What the channel has in the end, as any node tells it.
    std::set<std::string> kept(const std::string& channel) {
        const client reader = world_.connect(some_node(), "reader-session");
        world_.say(reader, json({{"op", "history"}, {"id", 1}, {"channel", channel}, {"limit", 300}}).dump());
        std::set<std::string> all;
        for (const std::string& line : world_.heard_after(reader, 500))
            for (const json& m : json::parse(line).value("payload", json::array())) all.insert(m["payload"]);
        return all;
    }

    // What was acknowledged is there, unless the broker lost its newest records; and then all who were never
    // told that something is missing have heard it.
    void judge() {
        std::map<std::string, std::set<std::string>> there;
        for (const std::string channel : channels) there[channel] = kept(channel);
        std::erase_if(acknowledged_, [&](const auto& a) {
            if (there[a.first].contains(a.second)) return false;
            if (!lossy_.contains(partition_of(a.first, test_cluster::partitions)))
                witness_.faults.push_back("\"" + a.second + "\" is not in " + a.first);
            return true;
        });
        for (const connected& c : subscribers_)
            for (const auto& [channel, what] : acknowledged_) {
                if (c.missed.contains(channel)) continue;
                const auto heard = c.heard.find(channel);
                const bool has =
                    heard != c.heard.end() &&
                    std::find(heard->second.begin(), heard->second.end(), what) != heard->second.end();
                if (!has) witness_.faults.push_back("somebody never heard \"" + what + "\" in " + channel);
            }
        for (const connected& c : subscribers_)
            for (const std::string channel : channels)
                if (!c.live.contains(channel) || !c.live.at(channel))
                    witness_.faults.push_back("a subscription did not heal in " + channel);
    }

    std::uint64_t random_;
    test_cluster world_;
    witness witness_;
    std::set<std::size_t> killed_;
    std::set<std::uint32_t> lossy_;  // partitions whose broker has lost records
    std::vector<connected> subscribers_, publishers_;
    std::vector<std::pair<std::string, std::string>> acknowledged_;
    std::size_t told_ = 0;
};

class hub_cluster_random : public ::testing::TestWithParam<bool> {};

TEST_P(hub_cluster_random, nothing_is_lost_doubled_or_out_of_order_without_a_word) {
    std::size_t acknowledged = 0, told = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        run one(seed, GetParam());
        const auto faults = one.faults();
        ASSERT_EQ(faults, std::vector<std::string>{}) << "seed " << seed;
        acknowledged += one.acknowledged();
        told += one.told();
    }
    EXPECT_GT(acknowledged, 400u);
    EXPECT_GT(told, 3u) << "the faults of the broker were met";
}

INSTANTIATE_TEST_SUITE_P(brokers, hub_cluster_random, ::testing::Bool(), [](const auto& which) {
    return which.param ? "that_say_which_one_they_are" : "that_do_not";
});

}  // namespace
}  // namespace pulsewire::hub
