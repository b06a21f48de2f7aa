// Whatever clients do, in whatever order values pass between shards: no gap,
// no duplicate, and presence is true.

#include "common/hub/test_node.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace pulsewire::hub {
namespace {

// Random clients on a random number of shards. Each keeps to the protocol and
// checks every line it gets against it.
class random_clients {
public:
    explicit random_clients(std::uint64_t seed)
        : random_(seed), node_(static_cast<shard_index>(1 + below(4)), options(seed), seed) {
        for (std::size_t i = 0; i < 2 + below(6); ++i) {
            clients_.emplace_back();
            const std::string secret = "session-" + std::to_string(i);
            clients_.back().secret = secret;
            clients_.back().session = public_name(secret);
            connect(clients_.back());
        }
    }

    void run(int steps) {
        for (int i = 0; i < steps && fault_.empty(); ++i) {
            act(clients_[below(clients_.size())]);
            for (std::size_t posts = below(6); posts > 0; --posts) node_.step();
            listen();
        }
        node_.settle();
        listen();
        node_.pass(5'000);  // whoever is about to leave presence has left then
        listen();
    }

    // The fault, empty if there is none.
    std::string fault() {
        for (const client& c : clients_)
            for (const auto& [channel, s] : c.subscriptions) check_end(c, channel, s);
        return fault_;
    }

    std::size_t recovered = 0, lost = 0, replayed = 0, live = 0;

private:
    struct subscription {
        int id = 0;
        bool live = false, has_position = false, presence = false, listed = false;
        std::string epoch;
        std::uint64_t offset = 0;
        std::set<std::string> members;
    };
    struct client {
        std::string secret;   // what it connects with
        std::string session;  // what others see
        test_node::client at;
        std::map<std::string, subscription> subscriptions;
        // The last positions of subscriptions that ended.
        std::map<std::string, std::pair<std::string, std::uint64_t>> positions;
    };

    static config options(std::uint64_t seed) {
        config c;
        c.default_namespace.history_count_max = 2 + static_cast<std::uint32_t>(seed % 20);
        c.default_namespace.history_age_ms = 10'000;
        c.bounds.recovery_max = 2 + static_cast<std::uint32_t>(seed / 20 % 20);
        c.bounds.commands_per_second = 0;
        return c;
    }

    std::size_t below(std::size_t bound) { return next_random(random_, static_cast<std::uint32_t>(bound)); }
    bool one_in(std::size_t n) { return below(n) == 0; }
    void blame(const client& c, const std::string& what) {
        if (fault_.empty()) fault_ = c.session + ": " + what;
    }

    void connect(client& c) {
        c.at = node_.connect(static_cast<shard_index>(below(node_.shards())), c.secret);
    }

    void act(client& c) {
        const std::string channel(1, static_cast<char>('a' + below(3)));
        const auto found = c.subscriptions.find(channel);
        switch (below(10)) {
            case 0: {  // the connection ends, and another one comes
                node_.close(c.at);
                for (const auto& [name, s] : c.subscriptions)
                    if (s.has_position) c.positions[name] = {s.epoch, s.offset};
                c.subscriptions.clear();
                return connect(c);
            }
            case 1:
                return node_.skip(static_cast<std::int64_t>(below(4'000)));
            case 2:
            case 3:
            case 4:
                if (found == c.subscriptions.end()) return subscribe(c, channel);
                if (one_in(2)) return;
                if (found->second.has_position)
                    c.positions[channel] = {found->second.epoch, found->second.offset};
                c.subscriptions.erase(found);
                node_.say(c.at, R"({"op":"unsubscribe","id":1,"channel":")" + channel + "\"}");
                return;
            default:
                return publish(c, channel);
        }
    }

    void subscribe(client& c, const std::string& channel) {
        subscription& s = c.subscriptions[channel];
        s.id = ++last_id_;
        std::string line =
            R"({"op":"subscribe","id":)" + std::to_string(s.id) + R"(,"channel":")" + channel + "\"";
        if (const auto position = c.positions.find(channel); position != c.positions.end() && !one_in(4)) {
            s.has_position = true;
            s.epoch = position->second.first;
            s.offset = position->second.second;
            line += R"(,"epoch":")" + s.epoch + R"(","offset":)" + std::to_string(s.offset);
        }
        if (one_in(3)) line += R"(,"latest":)" + std::to_string(below(10));
        if ((s.presence = one_in(2))) line += R"(,"presence":true)";
        if ((s.listed = one_in(2))) line += R"(,"payload":1)";
        node_.say(c.at, line + "}");
    }

    void publish(client& c, const std::string& channel) {
        const std::string n = std::to_string(++published_);
        node_.say(
            c.at, R"({"op":"publish","id":)" + n + R"(,"channel":")" + channel +
                      R"(","type":"t","payload":)" + n + "}"
        );
    }

    void listen() {
        for (client& c : clients_)
            for (const std::string& line : node_.heard_so_far(c.at)) hear(c, line);
    }

    void hear(client& c, const std::string& line) {
        const std::string op = member_of(line, "op");
        if (op == "welcome" || op == "unsubscribed" || op == "ping") return;
        const std::string channel = member_of(line, "channel");
        if (op == "published") return agree(c, channel, member_of(line, "offset"), member_of(line, "id"));
        const auto found = c.subscriptions.find(channel);
        if (found == c.subscriptions.end()) return blame(c, "not subscribed: " + line);
        subscription& s = found->second;
        if (op == "subscribed") return on_subscribed(c, s, line);
        if (!s.live) return blame(c, "not live: " + line);
        const std::string session = member_of(line, "session");
        if (op == "join") return void(s.members.insert(session));
        if (op == "leave") return void(s.members.erase(session));
        if (op == "presence") return on_members(s, member_of(line, "payload"));
        if (!op.empty()) return blame(c, line);
        ++live;
        if (member_of(line, "offset") != std::to_string(s.offset + 1))
            return blame(c, "after offset " + std::to_string(s.offset) + ": " + line);
        ++s.offset;
        agree(c, channel, member_of(line, "offset"), member_of(line, "payload"));
    }

    void on_subscribed(client& c, subscription& s, const std::string& line) {
        if (s.live || member_of(line, "id") != std::to_string(s.id))
            return blame(c, "not asked for: " + line);
        const std::string outcome = member_of(line, "recovered");
        if (s.has_position != !outcome.empty()) blame(c, "recovered or not: " + line);
        if (outcome == "true" &&
            (member_of(line, "epoch") != s.epoch || member_of(line, "offset") != std::to_string(s.offset)))
            blame(c, "recovered from elsewhere: " + line);
        ++(outcome == "true" ? recovered : lost);
        replayed += std::stoul(member_of(line, "replay"));
        s.live = s.has_position = true;
        s.epoch = member_of(line, "epoch");
        s.offset = std::stoull(member_of(line, "offset"));
        reach(member_of(line, "channel"), s.offset);
    }

    void on_members(subscription& s, const std::string& list) {
        constexpr std::string_view key = "\"session\":\"";
        for (std::size_t at = 0; (at = list.find(key, at)) != std::string::npos;) {
            at += key.size();
            s.members.insert(list.substr(at, list.find('"', at) - at));
        }
    }

    // Everybody sees the same publication at the same place.
    void agree(
        const client& c, const std::string& channel, const std::string& offset, const std::string& payload
    ) {
        const auto [found, first] = log_.emplace(std::pair(channel, offset), payload);
        if (!first && found->second != payload)
            blame(c, "at " + offset + " stand " + payload + " and " + found->second);
        reach(channel, std::stoull(offset));
    }

    void reach(const std::string& channel, std::uint64_t offset) {
        heads_[channel] = std::max(heads_[channel], offset);
    }

    void check_end(const client& c, const std::string& channel, const subscription& s) {
        if (!s.live) return blame(c, "no answer for " + channel);
        if (s.offset != heads_[channel])
            blame(
                c, channel + " ends at " + std::to_string(s.offset) + " of " + std::to_string(heads_[channel])
            );
        if (!s.presence) return;
        std::set<std::string> there;
        for (const client& other : clients_) {
            const auto found = other.subscriptions.find(channel);
            if (found != other.subscriptions.end() && found->second.listed) there.insert(other.session);
        }
        if (s.members != there) blame(c, "presence in " + channel + " is not true");
    }

    std::uint64_t random_;
    test_node node_;
    std::vector<client> clients_;
    std::map<std::pair<std::string, std::string>, std::string> log_;
    std::map<std::string, std::uint64_t> heads_;
    int last_id_ = 0;
    int published_ = 0;
    std::string fault_;
};

#ifdef __EMSCRIPTEN__
constexpr std::uint64_t seeds = 60;
#else
constexpr std::uint64_t seeds = 400;
#endif

TEST(hub_random, every_subscriber_sees_each_next_offset_and_presence_is_true) {  // 4.3, 4.4, 4.7, 4.8, 5.3
    std::size_t recovered = 0, lost = 0, replayed = 0, live = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        random_clients clients(seed);
        clients.run(150);
        ASSERT_EQ(clients.fault(), "") << "seed " << seed;
        recovered += clients.recovered;
        lost += clients.lost;
        replayed += clients.replayed;
        live += clients.live;
    }
    EXPECT_GT(recovered, 3 * seeds) << "the test reached what it is for";
    EXPECT_GT(lost, 3 * seeds);
    EXPECT_GT(replayed, 8 * seeds);
    EXPECT_GT(live, 2 * replayed);
}

}  // namespace
}  // namespace pulsewire::hub
