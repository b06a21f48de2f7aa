#pragma once

// A server without sockets for tests: the hubs of a node, the queues between them, and
// connections whose lines are kept. Between two shards values stay in order; the pair whose value
// arrives next is drawn from a seed.

#include "common/base/random.hpp"
#include "common/hub/hub.hpp"
#include "common/session/public_name.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pulsewire::hub {

// The names that others see of the sessions that most tests connect with.
inline const std::string ada_name = public_name("ada-session");
inline const std::string bob_name = public_name("bob-session");

class test_node {
public:
    struct client {
        shard_index shard = 0;
        std::uint64_t connection = 0;
    };
    using lines = std::vector<std::string>;
    static constexpr hash_key secret{17, 7};

    explicit test_node(shard_index shards = 1, config c = {}, std::uint64_t seed = 1) : random_(seed) {
        c.seed = seed;
        c.secret = secret;
        c.shard_count = shards;
        for (shard_index s = 0; s < shards; ++s) {
            c.shard = s;
            hubs_.push_back(std::make_unique<hub>(c));
        }
        unwritten_.resize(shards);
    }

    // --- clients ---

    client open(
        shard_index shard, face f = face::protocol, std::string_view secret = {},
        std::string_view session = {}
    ) {
        const client c{shard, ++last_connection_};
        reopen(c, f, secret, session);
        return c;
    }
    // Opens a connection with an id that the test chooses.
    void reopen(
        client c, face f = face::protocol, std::string_view secret = {}, std::string_view session = {},
        std::uint64_t source = 0
    ) {
        at(c.shard).open(c.connection, f, secret, session, now(), source);
        carry_out(c.shard);
    }
    // Opens and sends `connect`; the welcome is not kept.
    client connect(shard_index shard, const std::string& session, std::uint64_t source = 0) {
        const client c{shard, ++last_connection_};
        reopen(c, face::protocol, {}, {}, source);
        say(c, R"({"op":"connect","version":1,"session":")" + session + R"("})");
        heard(c);
        return c;
    }
    // Returns the number of bytes that are done.
    std::size_t say(client c, std::string_view text) {
        const std::size_t done = at(c.shard).receive(c.connection, text, now());
        carry_out(c.shard);
        return done;
    }
    void close(client c) {
        at(c.shard).closed(c.connection, now());
        carry_out(c.shard);
    }
    // The lines that were sent to the client since the last call, after all posts have arrived: each without
    // its newline, or with that and a payload of bytes behind it.
    lines heard(client c) {
        settle();
        return heard_so_far(c);
    }
    lines heard_so_far(client c) { return std::exchange(sent_[{c.shard, c.connection}], {}); }
    // The code with which the hub ended the connection; none while it is open.
    close_code ended(client c) const {
        const auto found = ended_.find({c.shard, c.connection});
        return found == ended_.end() ? close_code::none : found->second;
    }

    // --- shards ---

    hub& at(shard_index shard) { return *hubs_[shard]; }
    shard_index shards() const { return static_cast<shard_index>(hubs_.size()); }
    shard_index owner_index(std::string_view channel) const {
        return pulsewire::hub::owner_of(channel, shards(), secret);
    }
    hub& owner_of(std::string_view channel) { return at(owner_index(channel)); }
    // Posted by the application, after what it posted there before.
    void post(shard_index to, shard_message m) { queues_[{application, to}].push_back(std::move(m)); }
    // One post arrives; false when none is on its way.
    bool step() {
        if (queues_.empty()) return false;
        auto queue = queues_.begin();
        std::advance(
            queue,
            static_cast<std::ptrdiff_t>(next_random(random_, static_cast<std::uint32_t>(queues_.size())))
        );
        const shard_index to = queue->first.second;
        shard_message m = std::move(queue->second.front());
        queue->second.pop_front();
        if (queue->second.empty()) queues_.erase(queue);
        at(to).receive(std::move(m), now());
        carry_out(to);
        return true;
    }
    void settle() {
        while (step()) continue;
    }
    // The notices for the observers since the last call.
    std::vector<to_observer> told() {
        settle();
        return std::exchange(told_, {});
    }
    // --- the disk of one shard ---

    // The operations that the hub gave to the store and that the test has not taken yet.
    std::vector<store_op>& unwritten(shard_index shard) { return unwritten_[shard]; }
    // Makes all of them safe and returns them for a store_image.
    std::vector<store_op> write(shard_index shard) {
        std::vector<store_op> ops = std::exchange(unwritten_[shard], {});
        if (!ops.empty()) at(shard).stored(ops.back().number, now());
        carry_out(shard);
        return ops;
    }

    // Carries out the output of a hub.
    void carry_out(shard_index shard) {
        output& out = at(shard).out();
        for (const output::send& s : out.sends) {
            const std::string& line = s.what->line;
            const std::size_t newline = s.what->binary ? 0 : 1;
            for (const std::uint64_t connection : out.to(s))
                sent_[{shard, connection}].emplace_back(line, 0, line.size() - newline);
        }
        for (const output::close& c : out.closes) ended_[{shard, c.connection}] = c.code;
        for (output::post& p : out.posts) queues_[{shard, p.to}].push_back(std::move(p.what));
        for (output::notice& n : out.notices) told_.push_back(std::move(n.what));
        std::move(out.stores.begin(), out.stores.end(), std::back_inserter(unwritten_[shard]));
        for (output::verification& v : out.verifications) unverified_.push_back({shard, std::move(v)});
        out.clear();
        if (verifies_at_once) verify();
    }

    // --- tokens ---

    // What a token proves. A token that is not listed is not valid.
    void know(const std::string& token, access::verdict proves) { known_[token] = std::move(proves); }
    // Tokens that were shown wait for verify().
    bool verifies_at_once = true;
    void verify() {
        for (auto& [shard, v] : std::exchange(unverified_, {})) {
            at(shard).verified(v.connection, v.number, known_[v.token], now());
            carry_out(shard);
        }
    }

    // --- time ---

    instant now() const { return {now_ms_, clock_ms_ + now_ms_}; }
    // Time passes, with a tick in each second.
    void pass(std::int64_t ms) {
        for (; ms > 0; ms -= 1'000) {
            now_ms_ += ms < 1'000 ? ms : 1'000;
            tick();
        }
    }
    void tick() {
        for (shard_index s = 0; s < shards(); ++s) {
            at(s).tick(now());
            carry_out(s);
        }
        settle();
    }
    // Somebody sets the wall clock.
    void set_clock(std::int64_t forward_ms) { clock_ms_ += forward_ms; }
    // Time passes without a tick.
    void skip(std::int64_t ms) { now_ms_ += ms; }

    std::size_t session_count() const { return sum(&hub::session_count); }
    std::size_t subscription_count() const { return sum(&hub::subscription_count); }
    std::size_t channel_count() const { return sum(&hub::channel_count); }

private:
    std::size_t sum(std::size_t (hub::*count)() const) const {
        std::size_t all = 0;
        for (const auto& h : hubs_) all += (*h.*count)();
        return all;
    }

    // The sender of the application's posts, which is no shard.
    static constexpr shard_index application = 0xffff;
    using pair = std::pair<shard_index, shard_index>;
    using name = std::pair<shard_index, std::uint64_t>;

    std::vector<std::unique_ptr<hub>> hubs_;
    std::vector<std::vector<store_op>> unwritten_;      // by shard
    std::map<pair, std::deque<shard_message>> queues_;  // by sender and receiver; no empty ones
    std::map<name, lines> sent_;
    std::map<name, close_code> ended_;
    std::vector<to_observer> told_;
    std::vector<std::pair<shard_index, output::verification>> unverified_;
    std::map<std::string, access::verdict> known_;
    std::uint64_t random_;
    std::uint64_t last_connection_ = 0;
    std::int64_t now_ms_ = 1'000;
    std::int64_t clock_ms_ = 1'700'000'000'000;
};

// The value of a member of a line: the text inside a string, a number, or the rest of the line for "payload";
// empty when the member is missing.
inline std::string member_of(const std::string& line, const std::string& key) {
    const std::string quoted = "\"" + key + "\":";
    const auto at = line.find(quoted);
    if (at == std::string::npos) return {};
    const std::size_t begin = at + quoted.size();
    if (key == "payload") return line.substr(begin, line.size() - 1 - begin);
    if (line[begin] == '"') return line.substr(begin + 1, line.find('"', begin + 1) - begin - 1);
    return line.substr(begin, line.find_first_of(",}", begin) - begin);
}

inline std::vector<std::string> members_of(const std::vector<std::string>& lines, const std::string& key) {
    std::vector<std::string> found;
    for (const std::string& line : lines) found.push_back(member_of(line, key));
    return found;
}

}  // namespace pulsewire::hub
